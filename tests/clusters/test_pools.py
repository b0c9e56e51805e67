"""Pools of every kind against one contract."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.ask.config import parse
from photogap.sweeps.clusters.cluster_file import parse as spec_of
from photogap.sweeps.clusters.dask_pool import DaskPool, settled
from photogap.sweeps.clusters.open import open_pool
from photogap.sweeps.drive.report import status
from photogap.sweeps.errors import ClusterError
from photogap.sweeps.server.share import Hubs
from photogap.sweeps.store.place import place
from photogap.sweeps.work import task
from photogap.sweeps.work.pool import InlinePool, Pool
from support import fake_batch
from support.driving import go
from support.fake_config import tree
from support.pool_suite import PoolSuite, ProcessPoolSuite


class TestInline(PoolSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def pool(cls) -> Pool:
        return InlinePool()


class TestThreads(PoolSuite):
    """A Dask client whose worker is a thread of this process."""

    @pytest.fixture(scope="class")
    @classmethod
    def pool(cls) -> Iterator[Pool]:
        from distributed import Client, LocalCluster

        with (
            settled(),
            LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield DaskPool(client)


@pytest.mark.slow
class TestLocal(ProcessPoolSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def pool(cls) -> Iterator[Pool]:
        with open_pool(parse(tree()), 2) as pool:
            yield pool


@pytest.mark.slow
class TestShare(ProcessPoolSuite):
    """A server's part of a pool."""

    @pytest.fixture(scope="class")
    @classmethod
    def pool(cls) -> Iterator[Pool]:
        hubs = Hubs(open_pool, 1)
        try:
            with hubs.opener(lambda: None, lambda share: None)(parse(tree()), 1) as pool:
                yield pool
        finally:
            hubs.close()


@pytest.mark.slow
class TestBatchSystem(ProcessPoolSuite):
    """Jobs of a batch system, whose commands are stand-ins."""

    @pytest.fixture(scope="class")
    @classmethod
    def pool(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
        home = tmp_path_factory.mktemp("pbs")
        spec: dict[str, Any] = {"kind": "pbs", "jobs": 1, "cores": 1, "memory": "600MB", "walltime": "00:10:00"}
        spec |= {"interface": "lo", "poll": "1s", "python": sys.executable}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(home / "state"))
            for name, value in fake_batch.install(home, "pbs").items():
                patch.setenv(name, value)
            found = place(home / "a.zarr")
            found.state.mkdir()
            with open_pool(parse(tree()), None, place=found, cluster=spec_of(spec, "pbs.yaml")) as pool:
                yield pool


def test_every_pool_is_held_to_it() -> None:
    """A class with the methods of a pool, anywhere in the project, has a test class here."""
    root = Path(__file__).parents[2] / "sweeps"
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "def submit(self, key: int, batch: Batch)" in path.read_text()
    }
    assert found == {"work/pool.py", "clusters/dask_pool.py", "server/share.py"}


def test_a_run_on_workers_without_its_model_fails_no_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []

    def run_batch(batch: Any) -> int:
        if done:
            raise ImportError("No module named 'mine'")
        done.append(batch)
        return task.run_batch(batch)

    with monkeypatch.context() as patch:
        patch.setattr("photogap.sweeps.work.pool.run_batch", run_batch)
        with pytest.raises(ClusterError, match=r"lacks a package .* \(No module named .mine.\)\. Give it the"):
            go(tmp_path, "a.zarr")
    assert status(place(tmp_path / "a.zarr"))["counts"] == {"ok": 1, "missing": 2}
    assert go(tmp_path, "a.zarr").counts.computed == 2
