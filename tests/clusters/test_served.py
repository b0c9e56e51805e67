"""SLURM through the server: sweeps that name cluster files which the operator allows, and no others."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from photogap.sweeps.client import Client, RefusedError
from support.batch import Slurm, local
from support.cubes import physics
from support.fake_config import tree
from support.patience import PATIENCE, until
from support.serving import FAKE, serving

pytestmark = [pytest.mark.real, pytest.mark.slow]
Write = Callable[..., Path]


def test_sweeps_may_name_only_the_operators_cluster_files(
    slurm: Slurm, home: Path, cluster: Write, sweep: Write, tally: Any
) -> None:
    given, served, elsewhere = home / "given", home / "served", home / "configs" / "clusters"
    for folder in (given, served, elsewhere):
        folder.mkdir(parents=True)
    cluster("batch", jobs=2).rename(given / "batch.yaml")
    cluster("own", jobs=1).rename(served / "own.yaml")
    cluster("planted").rename(elsewhere / "planted.yaml")
    axes, names = {"F0": list(range(1, 13)), "damping": ["full", "real"]}, {"one": "batch", "two": "batch"}
    names |= {"three": "own.yaml"}
    with serving(served, idle_s=1.0, cluster_folders=(given,)) as client:
        with pytest.raises(RefusedError, match=r"must be one of batch, local, or a .yaml file .* Got 'planted'"):
            client.submit(tree(axes, cluster="planted"))
        for name, where in names.items():
            client.submit(tree(axes, name=name, cluster=where))
        for name in names:
            found = client.wait(name, PATIENCE)
            assert found["state"] == "done", found["message"]
            assert found["done"] == found["computed"] == 24
            assert client.record(name)["runs"][-1]["pool"]["shared"] is True
        # The pools are idle and go, while the server stays.
        until(lambda: not slurm.queue())
        assert client.sweeps(state="done")
    alone = local(sweep(axes=axes), home / "alone.zarr")
    for name in names:
        xr.testing.assert_identical(physics(served / f"{name}.zarr"), alone)
    assert set(Counter(tally()).values()) == {4}, "each point once a sweep"
    jobs = [line for line in slurm.ended() if "Name=photogap-" in line]
    assert {"batch", "own"} == {p.name.split("-")[1] for p in (served / ".photogap").glob("cluster-*.state")}
    assert len(jobs) >= 3


def test_next_server_cancels_jobs_of_a_killed_one_and_continues(
    slurm: Slurm, home: Path, cluster: Write, photogap: Any, tally: Any
) -> None:
    served, name = home / "served", cluster("batch", jobs=2).stem

    def serve() -> tuple[Any, Client]:
        process = photogap("serve", served, "--port", 0, "--model", FAKE)
        return process, Client(process.stdout.readline().split()[-1])

    server, client = serve()
    tally.admit(6)
    client.submit(tree({"F0": list(range(1, 41)), "seconds": [0.1]}, name="long", cluster=name))
    until(lambda: len(tally()) == 8)
    first = set(slurm.workers())
    server.kill()
    server.communicate(timeout=PATIENCE)
    begun = len(tally())
    tally.open()
    server, client = serve()
    found = client.wait("long", PATIENCE)
    assert (found["state"], found["done"]) == ("done", 40), found["message"]
    assert found["computed"] <= 40 - begun + 4, "what had ended is not computed again"
    assert not first & set(slurm.workers())
    server.terminate()
    server.communicate(timeout=PATIENCE)
    until(lambda: not slurm.queue())


def test_stopping_server_cancels_waiting_jobs(slurm: Slurm, home: Path, cluster: Write) -> None:
    path = cluster("batch", jobs=1, job_extra_directives=["--begin=now+1hour"])
    served = home / "served"
    served.mkdir()
    with serving(served, cluster_folders=(path.parent,)) as client:
        client.submit(tree(name="waits", cluster="batch"))
        until(lambda: slurm.workers("PENDING"))
        assert client.sweep("waits")["state"] == "running"
    assert not slurm.queue()
