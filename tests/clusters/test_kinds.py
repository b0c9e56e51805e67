"""Kinds of clusters that other packages bring, and a PBS of processes: sweeps end to end, without any daemon."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import xarray as xr
import yaml

from photogap.sweeps.clusters import kinds
from photogap.sweeps.clusters.cluster_file import parse
from photogap.sweeps.errors import ClusterError, ConfigError
from support import fake_batch
from support.cubes import physics
from support.patience import PATIENCE, until

PLUGINS = Path(__file__).parent / "plugins"
SMALL: dict[str, Any] = {"jobs": 1, "cores": 1, "memory": "600MB", "walltime": "00:10:00", "interface": "lo"}


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Kinds of a package that is installed besides."""
    monkeypatch.syspath_prepend(str(PLUGINS))
    kinds._further.cache_clear()
    yield
    kinds._further.cache_clear()


@pytest.fixture
def at(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Commands of a batch system, and a cluster file for it."""

    def write(system: str, **more: Any) -> Path:
        for name, value in fake_batch.install(home, system).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PLUGINS), os.environ["PYTHONPATH"]]))
        path = home / f"{system}.yaml"
        path.write_text(yaml.safe_dump({"kind": system, "poll": "1s", "python": sys.executable} | SMALL | more))
        return path

    return write


def ended(process: "subprocess.Popen[str]", code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    return out, err


def queue(home: Path) -> list[str]:
    """Jobs that have not ended."""
    jobs = fake_batch.Batch("pbs").jobs()
    return [str(job["id"]) for job in jobs if job["state"] != "F"]


def test_new_cluster_kind_needs_one_file() -> None:
    for name in ("lsf", "sge"):
        lines = (PLUGINS / f"photogap_{name}.py").read_text().splitlines()
        assert sum(bool(line.strip()) for line in lines) <= 34


def test_kinds_of_other_packages_are_found_and_faulty_ones_named(plugins: None) -> None:
    assert {"lsf", "sge"} <= set(kinds.known())
    assert parse(SMALL | {"kind": "lsf"}, "f.yaml").kind_name() == "lsf"
    with pytest.raises(ConfigError, match=r"kind 'broken' of 'photogap_nowhere:Kind' cannot be loaded .*No module"):
        parse({"kind": "broken"}, "f.yaml")
    with pytest.raises(ConfigError, match="kind 'odd' must be a subclass of `Spec`"):
        parse({"kind": "odd"}, "f.yaml")
    with pytest.raises(ConfigError, match=r"contain directives of lsf, #BSUB .*, not #SBATCH"):
        parse(SMALL | {"kind": "lsf", "job_extra_directives": ["#SBATCH -x"]}, "f.yaml")


WRITTEN = {
    "lsf": ["#BSUB -n 1", "#BSUB -W 00:10", "#BSUB -M 630"],
    "sge": ["#$ -l h_rt=00:10:00", "#$ -l h_vmem=629145600"],
    "pbs": ["#PBS -l walltime=00:10:00", "#PBS -l select=1:ncpus=1:mem=600MB"],
}


@pytest.mark.slow
@pytest.mark.parametrize("system", list(WRITTEN))
def test_a_sweep_on_each(system: str, home: Path, at: Any, sweep: Any, photogap: Any) -> None:
    cluster = at(system)
    config = sweep(axes={"F0": [1, 2, 3]})
    out, _ = ended(photogap("run", config, "--store", home / "a.zarr", "--cluster", cluster, "--json"))
    found = json.loads(out.splitlines()[-1])
    assert (found["done"], found["failed"]) == (3, 0)
    (script,) = (home / "a.zarr.state" / "scripts").iterdir()
    lines = script.read_text().splitlines()
    assert set(WRITTEN[system]) <= set(lines)
    until(lambda: not queue(home))
    assert not list((home / "a.zarr.state").glob("jobs.json"))
    ended(photogap("run", config, "--store", home / "b.zarr", "-n", "0"))
    xr.testing.assert_identical(physics(home / "a.zarr"), physics(home / "b.zarr"))


@pytest.mark.slow
def test_pbs_job_logs_while_running_and_reports_its_end(
    home: Path, at: Any, sweep: Any, photogap: Any, tally: Any
) -> None:
    """PBS spools a job's output to its end, so the script redirects it; what PBS adds comes from its own file."""
    cluster, store = at("pbs", local_directory=str(home / "scratch")), home / "a.zarr"
    config = sweep(axes={"F0": list(range(1, 9)), "seconds": 0.05})
    tally.admit(2)
    driver = photogap("run", config, "--store", store, "--cluster", cluster, "--json")
    until(lambda: len(tally()) > 2)
    (log,) = (Path(f"{store}.state") / "logs").glob("*-0.err")
    assert "distributed" in log.read_text(), "the worker's log is there while it runs"
    (scratch,) = (home / "scratch").iterdir()
    assert scratch.stat().st_mode & 0o777 == 0o700, "workers import from it"
    said, _ = ended(photogap("logs", store))
    assert f"==> {log} <==" in said
    # The batch system ends the job, and says why as it delivers the rest of its output.
    batch = fake_batch.Batch("pbs")
    (batch.folder / "last-words").write_text("=>> PBS: job killed: walltime 125 exceeded limit 120\n")
    (job,) = (j for j in batch.jobs() if j["state"] == "R")
    for child in psutil.Process(job["pid"]).children(recursive=True):
        if "python" in child.name():
            child.kill()
    notes = Path(f"{store}.state", "cluster.log")
    until(lambda: re.search(r"ended exit status \d+; PBS: job killed: walltime 125 exceeded", notes.read_text()))
    tally.open()
    out, _ = ended(driver)
    assert json.loads(out.splitlines()[-1])["done"] == 8, "another job took its place"
    assert not queue(home)
    until(lambda: not list((home / "scratch").iterdir()))


NEVER = "Can Never Run: Insufficient amount of resource: ncpus (R: 8 A: 2 T: 2)"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "check"])
def test_jobs_that_can_never_start_end_the_wait_and_are_cancelled(
    command: str, home: Path, at: Any, sweep: Any, photogap: Any
) -> None:
    cluster = at("pbs", cores=8, jobs=2)
    (home / "batch" / "comment").write_text(NEVER)
    words = ["run", sweep(), "--store", home / "a.zarr", "--cluster", cluster]
    _, err = ended(
        photogap(*(words if command == "run" else ["cluster", "check", cluster])), ClusterError.exit_code
    )
    assert f"is Q ({NEVER}), which waiting does not resolve. Change `cores`, `memory`" in err
    assert not queue(home)
    assert fake_batch.Batch("pbs").jobs(), "there were some"


@pytest.mark.slow
def test_terminated_check_cancels_its_job(home: Path, at: Any, photogap: Any) -> None:
    cluster = at("pbs")
    (home / "batch" / "comment").write_text("Not Running: Insufficient amount of resource: ncpus")
    check = photogap("cluster", "check", cluster)
    until(lambda: queue(home))
    check.send_signal(signal.SIGTERM)
    ended(check, 130)
    assert not queue(home)


@pytest.mark.slow
def test_retry_and_submit_take_what_run_takes(home: Path, at: Any, sweep: Any, photogap: Any) -> None:
    """`submit --full --recompute`, `retry --cluster`, `retry --submit`."""
    cluster, store = at("pbs", driver={"memory": "600MB"}), home / "a.zarr"
    config = sweep(axes={"F0": [1, 2]}, full={"axes": {"F0": [1, 2, 3]}})
    said, _ = ended(photogap("submit", config, "--cluster", cluster, "--store", store, "--full", "--dry-run"))
    assert said.startswith("3 points, ")
    assert not queue(home)
    assert not store.exists()
    for _ in range(2):
        ended(photogap("submit", config, "--cluster", cluster, "--store", store, "--full", "--recompute"))
        until(lambda: not queue(home))
    status = json.loads(ended(photogap("status", store, "--json"))[0].splitlines()[-1])
    assert status["counts"] == {"ok": 3}
    assert "--full --recompute --cluster" in (home / "a.zarr.state" / "scripts" / "driver.sh").read_text()
    ended(photogap("retry", store, "--cluster", cluster, "--submit", "--trust"))
    until(lambda: not queue(home))
    assert "nothing to do" in (home / "a.zarr.state" / "logs" / "driver.log").read_text()
    assert "nothing to do" in ended(photogap("retry", store, "--cluster", cluster, "--trust"))[0]


@pytest.mark.slow
def test_interrupted_run_prints_how_to_continue(home: Path, at: Any, sweep: Any, photogap: Any) -> None:
    cluster = at("pbs")
    (home / "batch" / "comment").write_text("Not Running: Insufficient amount of resource: ncpus")
    config = sweep(axes={"F0": [1, 2]})
    driver = photogap("run", config, "--store", home / "a b.zarr", "--cluster", cluster, "--recompute")
    until(lambda: queue(home))
    driver.send_signal(signal.SIGINT)
    _, err = ended(driver, 130)
    (words,) = re.findall(r"^continue with: photogap (.*)$", err, re.MULTILINE)
    assert "--recompute" not in words, "what is finished is kept"
    (home / "batch" / "comment").unlink()
    ended(photogap(*shlex.split(words)))
    assert not queue(home)


def test_driver_detection_is_in_one_place(home: Path, at: Any, photogap: Any) -> None:
    """After kill -9 of a driver `status`, `cancel` and the next driver agree, however young its claim is."""
    from photogap.sweeps.clusters.spec import JOBS
    from photogap.sweeps.clusters.submit import end
    from photogap.sweeps.store.lock import driver_lock, is_driven
    from photogap.sweeps.store.place import place

    at("pbs")
    (home / "batch" / "comment").write_text("Not Running")
    store, batch = place(home / "a.zarr"), fake_batch.Batch("pbs")
    job = batch.submit("sleep 1")
    with driver_lock(store):
        (store.state / JOBS).write_text(json.dumps({"kind": "pbs", "jobs": [f"{job}.server"]}))
        assert is_driven(store)
        assert end(store) is None, "its jobs are its own"
        assert len(queue(home)) == 1
        claim = store.blobs.get("driver")
    dead = subprocess.Popen(["true"])
    dead.wait()
    # Killed: the claim stays, as young as can be.
    store.blobs.put("driver", json.dumps(json.loads(claim or b"{}") | {"pid": dead.pid}).encode())
    assert not is_driven(store)
    assert end(store) == f"cancelled worker jobs {job}.server"
    assert not queue(home)
    with driver_lock(store):
        assert is_driven(store)


@pytest.mark.slow
def test_check_names_the_container_of_its_worker(home: Path, at: Any, photogap: Any) -> None:
    """A command of several words stands for `apptainer exec IMAGE python3`, which sets this variable."""
    other = home / "image" / "scipy-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: scipy\nVersion: 0.0.1\n")
    inside = f"env APPTAINER_CONTAINER=/me.sif PYTHONPATH={other.parent} {sys.executable}"
    found = json.loads(ended(photogap("cluster", "check", at("pbs", python=inside), "--json"))[0].splitlines()[-1])
    assert found["container"] == "/me.sif"
    assert any(
        "build /me.sif with the driver's versions: scipy 0.0.1 (driver: " in text for text in found["change"]
    )
    assert not queue(home)
