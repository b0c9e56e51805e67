"""Dry runs: what is missing, on which pool, at what cost; nothing is written."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.clusters.cluster_file import parse as cluster_of
from photogap.sweeps.drive import estimate as module
from photogap.sweeps.drive.estimate import Workers, estimate, workers_of
from photogap.sweeps.drive.sweep import Watch, run
from photogap.sweeps.errors import ContradictionError
from photogap.sweeps.numbers import YEAR
from photogap.sweeps.store.place import place
from support.driving import go, plan_of
from support.fake_config import tree


def cli(*args: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in args])


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> float:
    """Points that take ten minutes each by the clock of the samples."""
    monkeypatch.setattr(module, "_sample", lambda plan, missing: ([600.0] * min(3, len(missing)), []))
    return 600.0


def test_words_of_an_estimate(slow: float) -> None:
    found = estimate(plan_of({"F0": [1.0, 2.0, 3.0], "T": [30, 60]}), Workers(2))
    assert found["words"][0].startswith("6 points, ")
    assert found["words"][0].endswith(" B, 600 s a point, about 30:00 with 2 workers")
    assert found["words"][1].startswith("F0 3 x T 2, ")
    assert found["words"][2:] == ["1 core hours"]
    assert (found["estimated_seconds"], found["core_hours"]) == (1800.0, 1.0)


def test_jobs_are_suggested_that_need_an_hour(slow: float) -> None:
    plan = plan_of({"F0": {"linspace": [1, 9, 96]}, "T": [30, 60]})
    found = estimate(plan, Workers(4, each=4))
    assert found["suggested"] == {"jobs": 8, "workers": 32, "seconds": 192 * slow / 32}
    assert found["words"][2] == "32 core hours; suggested: 8 jobs (32 workers), about 1:00:00"


def test_more_workers_than_points_do_not_help(slow: float) -> None:
    assert estimate(plan_of(), Workers(100))["estimated_seconds"] == slow


@pytest.mark.parametrize(
    ("keys", "given", "count", "each"),
    [
        ({"kind": "slurm", "jobs": 3, "cores": 8, "memory": "8G"}, None, 24, 8),
        ({"kind": "slurm", "jobs": 3, "cores": 8, "memory": "8G"}, 9, 16, 8),
        ({"kind": "pbs", "adapt": {"maximum": 5}, "cores": 8, "processes": 2, "memory": "8G"}, None, 10, 2),
        ({"kind": "kubernetes", "adapt": {"maximum": 5}, "image": "x"}, None, 5, None),
        ({"kind": "gateway", "address": "https://x", "workers": 7}, None, 7, None),
        ({"kind": "local", "workers": 6}, None, 6, None),
        ({"kind": "local", "workers": 6}, 2, 2, None),
    ],
)
def test_workers_of_a_cluster(keys: dict[str, Any], given: int | None, count: int, each: int | None) -> None:
    assert workers_of(parse(tree()), cluster_of(keys, "x"), given) == Workers(count, each)


def test_samples_that_all_fail_give_no_time(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump(tree(settings={"fault": "raise"})))
    store = ("--store", tmp_path / "a.zarr")
    done = cli("run", config, "--dry-run", *store)
    assert done.exit_code == 1
    assert "time unknown" in done.stdout
    assert "warning: 3 of 3 sampled points failed: error: RuntimeError: no solution at F0=0.1" in done.stdout
    found = json.loads(cli("run", config, "--dry-run", "--json", *store).stdout)
    assert (found["seconds_per_point"], found["estimated_seconds"]) == (None, None)


def test_failed_samples_do_not_count_as_fast_ones() -> None:
    found = estimate(plan_of({"F0": [1.0], "fault": ["", "raise", "nan"]}, settings={"seconds": 0.05}))
    assert found["seconds_per_point"] >= 0.05
    assert len(found["sampled_failures"]) == 2


def test_very_many_files_or_years_get_a_warning(slow: float) -> None:
    wide = {"F0": {"geomspace": [1e-3, 1, 2000]}, "T": {"linspace": [1, 99, 1000]}}
    plan = plan_of(wide, settings={"n_times": 1_000_000})
    found = estimate(plan, Workers(1))
    assert found["files"] > module.MANY_FILES
    assert found["estimated_seconds"] > YEAR
    text = "\n".join(found["words"])
    assert f"warning: {found['files']:.2g} files" in text
    assert "warning: more than a year with 1 workers" in text
    assert "years with 1 worker" in found["words"][0]
    assert estimate(plan_of(), Workers(1))["warnings"] == []


def test_only_missing_points_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "a.zarr"
    go(tmp_path, "a.zarr", {"F0": [1.0, 2.0], "T": [30]})
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    more = plan_of({"F0": [2.0, 5.0, 1.0], "T": [60, 30]})
    found = estimate(more, Workers(1), place(store))
    assert (found["points"], found["missing"]) == (6, 4)
    assert found["words"][0].startswith("4 of 6 points missing, ")
    full = estimate(plan_of({"F0": [2.0], "T": [30]}), Workers(1), place(store))
    assert (full["missing"], full["sampled_points"]) == (0, 0)
    assert "nothing to compute" in full["words"][0]
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_results_that_wait_next_to_the_cube_are_not_missing(tmp_path: Path) -> None:
    """A run stopped amid a shard leaves finished points unpacked."""
    plan, store = plan_of({"F0": {"geomspace": [0.01, 10, 24]}, "T": [30, 60]}), place(tmp_path / "a.zarr")
    seen: list[int] = []
    watch = Watch(
        tell=lambda counts: seen.append(counts.done), stopped=lambda: "enough" if max(seen, default=0) > 4 else None
    )
    report = run(plan, store, workers=0, watch=watch)
    assert 0 < report.counts.done < 48
    assert estimate(plan, Workers(1), store)["missing"] == 48 - report.counts.done


def test_contradictions_are_named_before_the_run(tmp_path: Path) -> None:
    go(tmp_path, "a.zarr")
    other = plan_of({"damping": ["full", "real"]})
    with pytest.raises(ContradictionError, match="`damping` is a setting in the store and an axis now"):
        estimate(other, Workers(1), place(tmp_path / "a.zarr"))


@pytest.mark.parametrize("first_has_it", [True, False])
def test_setting_that_became_an_axis_and_back(tmp_path: Path, first_has_it: bool) -> None:
    axis, fixed = tree({"damping": ["full"]}), tree(settings={"damping": "full"})
    old, new = (axis, fixed) if first_has_it else (fixed, axis)
    run(resolve(parse(old)), place(tmp_path / "a.zarr"), workers=0)
    words = ("an axis", "a setting") if first_has_it else ("a setting", "an axis")
    with pytest.raises(ContradictionError) as caught:
        run(resolve(parse(new)), place(tmp_path / "a.zarr"), workers=0)
    assert f"`damping` is {words[0]} in the store and {words[1]} now. Use another --store" in str(caught.value)
    assert "None" not in str(caught.value)
