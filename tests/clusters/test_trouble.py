"""What goes wrong on clusters ends in a message with what, where and what to do, and leaves no job behind."""

import contextlib
import json
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.ask.config import read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.sweep import Watch, run
from photogap.sweeps.errors import ClusterError, StoreError, SweepError
from photogap.sweeps.store.place import place
from support.batch import Slurm
from support.daemons import free_ports
from support.patience import PATIENCE, until

pytestmark = [pytest.mark.real, pytest.mark.slow]
Write = Callable[..., Path]


def go(config: Path, store: Path, cluster: str = "slurm") -> Any:
    tree = read(config).model_copy(update={"cluster": cluster})
    return run(resolve(tree), place(store))


@contextlib.contextmanager
def ends(slurm: Slurm, kind: type[SweepError], *patterns: str) -> Iterator[None]:
    """An error of this kind, whose text matches all patterns; no job is left."""
    with pytest.raises(kind) as caught:
        yield
    for pattern in patterns:
        assert caught.match(pattern)
    until(lambda: not slurm.queue())


def test_a_wrong_queue(slurm: Slurm, home: Path, cluster: Write, sweep: Write) -> None:
    cluster(queue="nope")
    words = ("`sbatch` refused the job: .*[Ii]nvalid partition", "Check `queue`", r"script: .*\.sh")
    with ends(slurm, ClusterError, *words):
        go(sweep(), home / "a.zarr")


def test_no_batch_system(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster()
    config = sweep()
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(ClusterError, match=r"`sbatch` was not found .* login node"):
        go(config, home / "a.zarr")


def test_an_interface_that_does_not_exist(slurm: Slurm, home: Path, cluster: Write, sweep: Write) -> None:
    cluster(interface="ib9")
    with ends(slurm, ClusterError, "scheduler cannot start here", "Check `interface`", "'ib9'"):
        go(sweep(), home / "a.zarr")


def test_failing_prologue(slurm: Slurm, home: Path, cluster: Write, sweep: Write) -> None:
    cluster(prologue=["module_that_is_not load python"])
    words = (
        "before a worker joined",
        "prologue failed at: module_that_is_not load python",
        r"log .*\.err",
        "script",
    )
    with ends(slurm, ClusterError, *words):
        go(sweep(), home / "a.zarr")


def test_server_stops_at_once_while_waiting_in_a_full_queue(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write
) -> None:
    """Neither ctrl-C nor `cancel` waits for a worker that may be hours away."""
    cluster(job_extra_directives=["--begin=now+1hour"])
    tree = read(sweep()).model_copy(update={"cluster": "slurm"})
    asked = iter([None] * 5)
    with pytest.raises(KeyboardInterrupt):
        run(resolve(tree), place(home / "a.zarr"), watch=Watch(stopped=lambda: next(asked, "interrupted")))
    until(lambda: not slurm.queue())
    with ends(
        slurm, ClusterError, r"no worker after 3 s \(waiting for the first of 2 jobs: PENDING", "start_timeout"
    ):
        cluster(job_extra_directives=["--begin=now+1hour"], start_timeout="3s")
        go(sweep(), home / "a.zarr")


def test_jobs_too_large_for_any_node(slurm: Slurm, home: Path, cluster: Write, sweep: Write) -> None:
    """Eight cores, as in the shipped file, on nodes of two: refused at once, or by the reason that it waits for."""
    cluster(cores=8)
    with ends(
        slurm,
        ClusterError,
        "`sbatch` refused the job|can ever start: job .* waiting does not resolve.*nodes of 2 cores",
    ):
        go(sweep(), home / "a.zarr")
    cluster(name="held", job_extra_directives=["#SBATCH --hold"])
    with ends(
        slurm, ClusterError, r"is PENDING \(JobHeldUser\), which waiting does not resolve.*nodes of 2 cores and"
    ):
        go(sweep(), home / "b.zarr", "held")


def test_ports_of_a_firewall(slurm: Slurm, home: Path, cluster: Write, sweep: Write) -> None:
    first = free_ports(12)
    cluster(jobs=1, scheduler_ports=f"{first}-{first + 3}", worker_ports=f"{first + 4}-{first + 11}")
    with socket.create_server(("127.0.0.1", first)):
        report = go(sweep(), home / "a.zarr")
    assert report.counts.done == 3
    assert int(report.pool["kind"].rpartition(":")[2]) in range(first + 1, first + 4)
    text = "".join(path.read_text() for path in (home / "a.zarr.state" / "logs").glob("*.err"))
    listened = {int(port) for port in re.findall(r"Listening to:\s+tls://[\d.]+:(\d+)", text)}
    assert listened
    assert listened <= set(range(first + 4, first + 12)), listened


def test_other_versions_are_named_before_the_first_point(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, tally: Any
) -> None:
    other = home / "other" / "scipy-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: scipy\nVersion: 0.0.1\n")
    cluster(jobs=1, prologue=[f"export PYTHONPATH={other.parent}:$PYTHONPATH"])
    with ends(slurm, ClusterError, r"other versions than the driver: scipy 0.0.1 \(driver: ", "`versions: warn`"):
        go(sweep(), home / "a.zarr")
    assert tally() == []


def test_store_not_writable_by_workers(slurm: Slurm, home: Path, cluster: Write, sweep: Write, tally: Any) -> None:
    """Workers are root here as well: one that may not override permissions stands for another host's user."""
    assert shutil.which("setpriv")
    state = home / "a.zarr.state"
    (state / "logs").mkdir(parents=True)
    state.chmod(0o500)
    python = home / "python"
    python.write_text(
        f'#!/bin/sh\nexec setpriv --inh-caps=-dac_override --bounding-set=-dac_override {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    cluster(jobs=1, python=str(python))
    with ends(slurm, StoreError, "cannot write the store .*a.zarr: PermissionError", "Use a --store that"):
        go(sweep(), home / "a.zarr")
    assert tally() == []


def test_check_reports_one_worker_and_what_to_change(
    slurm: Slurm, home: Path, cluster: Write, photogap: Any
) -> None:
    cluster(cores=1, processes=2, prologue=["export OMP_NUM_THREADS=4"])
    out, err = photogap("cluster", "check", "slurm", "--store", home / "a.zarr", "--json").communicate(
        timeout=PATIENCE
    )
    found = json.loads(out)
    assert found["queue_wait_s"] > 0, err
    assert (found["write"], found["workers"], found["threads"]["OMP_NUM_THREADS"]) == ("ok", 2, "4")
    assert found["versions"]["photogap"]
    assert found["job"]
    change = " ".join(found["change"])
    assert "2 processes of up to 4 threads" in change
    assert "2 worker processes share 1 cores per job" in change
    assert not (home / "a.zarr").exists()
    until(lambda: not slurm.queue())
