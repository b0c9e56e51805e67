"""`backend: gpu`: many points a task, in the same parts and cubes; points that a batch cannot do go one by one."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.flow import job_of
from photogap.sweeps.drive.sweep import LOG, run
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.solver import MODEL
from photogap.sweeps.status import Status
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.log import Log
from photogap.sweeps.store.parts import decode
from photogap.sweeps.store.place import Place, place
from photogap.sweeps.work.run import run_batch
from photogap.sweeps.work.task import PARTS, Batch
from support.fake_config import tree

AXES: dict[str, Any] = {"F0": [0.1, 1.0, 10.0], "T": [30, 200]}


def swept(folder: Path, backend: str, **more: Any) -> tuple[Place, Any]:
    where = place(folder / f"{backend}.zarr")
    config = parse(tree(AXES, model="support.batched_model:MODEL", backend=backend, **more))
    return where, run(resolve(config), where, workers=0)


def test_cube_is_the_scalar_backend_s(tmp_path: Path) -> None:
    """Here to the bit: the fake batched solver calls the scalar one."""
    cubes = []
    for backend in ("cpu", "gpu"):
        where, report = swept(tmp_path, backend)
        assert (report.counts.done, report.counts.failed) == (6, 0)
        cubes.append(Cube(where, read_only=True))
    for name in cubes[0].outputs:
        assert np.array_equal(cubes[0].array(name)[...], cubes[1].array(name)[...])
    assert np.array_equal(cubes[0].status(), cubes[1].status())
    # not a matter of physics: the same points
    assert resolve(parse(tree(AXES, backend="gpu"))).base == resolve(parse(tree(AXES))).base


def test_log_counts_points_that_went_one_by_one(tmp_path: Path) -> None:
    where, _ = swept(tmp_path, "gpu")
    log = Log(where.state / LOG, read_only=True)
    (found,) = [event for event in log.events() if event["kind"] == "one by one"]
    assert found["points"] == {"too warm": 3}
    log.close()


def test_record_names_the_backend(tmp_path: Path) -> None:
    plan = resolve(parse(tree(AXES, model="support.batched_model:MODEL")))
    jobs = tuple(
        job_of(plan, labels, plan.point_id(labels)) for labels in map(plan.grid.labels, plan.grid.indices())
    )
    where = place(tmp_path / "a.zarr")
    batch = Batch(jobs, plan.config.model, where.url, backend="gpu")
    assert run_batch(batch) == 6
    found = {}
    for job in jobs:
        record, _ = decode(where.blobs.get(PARTS + job.point_id) or b"")
        assert record["status"] == Status.OK
        found[job.labels["T"]] = (record["backend"], record.get("scalar"))
    assert found == {30.0: ("gpu", None), 200.0: ("cpu", "too warm")}
    assert run_batch(batch) == 0, "points that are written are not computed again"


def test_point_alone_in_its_task_is_computed_one_by_one(tmp_path: Path) -> None:
    """So that the points of a batch that failed end somewhere."""
    plan = resolve(parse(tree(model="support.batched_model:MODEL")))
    labels = plan.grid.labels((0,) * len(plan.grid.axes))
    where = place(tmp_path / "a.zarr")
    job = job_of(plan, labels, plan.point_id(labels))
    run_batch(Batch((job,), plan.config.model, where.url, backend="gpu"))
    record, _ = decode(where.blobs.get(PARTS + job.point_id) or b"")
    assert (record["backend"], record["scalar"]) == ("cpu", "alone in its task")


def test_model_without_batched_solver_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`backend: gpu` needs a model with a batched solver; fake has none"):
        run(resolve(parse(tree(backend="gpu"))), place(tmp_path / "a.zarr"), workers=0)


def test_without_jax_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else find(name))
    with pytest.raises(ConfigError, match=r"pip install 'photogap\[gpu\]'"):
        swept(tmp_path, "gpu")


def test_backend_is_one_of_two() -> None:
    with pytest.raises(ConfigError, match=r"`backend`: must be one of cpu, gpu.* Got 'tpu'"):
        parse(tree(backend="tpu"))


def test_built_in_model_has_a_batched_solver() -> None:
    module, _, name = str(MODEL.batched).partition(":")
    assert callable(getattr(importlib.import_module(module), name))
