"""The quick part of `make faults`: a few tries of each kind that needs no mount and no worker."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

QUICK = {
    "driver killed during a run": 4,
    "driver killed in --recompute with another config": 2,
    "driver killed in verify --repair": 2,
    "single bit flips": 40,
    "SIGSTOP beyond the claim's life, another host takes over": 3,
    "two drivers, file locks without effect": 1,
    "clocks that jump by days, two hosts": 1,
    "cube renamed during a run": 2,
    "permission lost during a run": 1,
    "largest file size reached": 1,
}


@pytest.fixture(scope="module")
def faults() -> Iterator[ModuleType]:
    folder = Path(__file__).parents[2] / "benchmarks"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("faults")


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_no_fault_loses_repeats_or_changes_a_point(
    faults: ModuleType, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, setting in ((faults.layout, "SHARD_POINTS"), (faults.layout, "SUMMARY_POINTS")):
        monkeypatch.setattr(module, setting, 8)
    monkeypatch.setattr(faults.flow, "BATCH_POINTS", 3)
    monkeypatch.setattr(faults.flow, "PACK_S", 0.0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    row = faults.campaign(name, QUICK[name], tmp_path, 11)
    assert (row.lost, row.twice, row.wrong) == (0, 0, 0), row
    assert row.tried, row


def test_parts_of_a_row_add_up(faults: ModuleType, tmp_path: Path) -> None:
    path, name = tmp_path / "kept.jsonl", next(iter(QUICK))
    parts = [faults.Row(name, 3, 0, 1, 0, "first"), faults.Row(name, 4, 2, 0, 5), faults.Row("a row of before", 9)]
    path.write_text("".join(json.dumps(vars(part)) + "\n" for part in parts))
    rows, count = faults.kept(path)
    assert rows[0] == faults.Row(name, 7, 2, 1, 5, "first")
    assert count[name] == 2
    assert sum(row.tried for row in rows) == 7
    assert f"| {name} | 7 | 2 | 1 | 5 | first |" in faults.table(rows)
