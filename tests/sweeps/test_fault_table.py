"""The quick part of `make faults`: a few tries of each kind that needs no mount and no worker."""

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

QUICK = {
    "driver killed during a run": 4,
    "driver killed in --recompute with another config": 2,
    "driver killed in verify --repair": 2,
    "single bit flips": 40,
    "SIGSTOP beyond the claim's life, another host takes over": 1,
    "two drivers, file locks without effect": 1,
    "cube renamed during a run": 2,
}


@pytest.fixture(scope="module")
def faults() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "faults.py"
    spec = importlib.util.spec_from_file_location("faults", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["faults"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_no_fault_loses_repeats_or_changes_a_point(
    faults: ModuleType, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, setting in ((faults.layout, "SHARD_POINTS"), (faults.layout, "SUMMARY_POINTS")):
        monkeypatch.setattr(module, setting, 8)
    monkeypatch.setattr(faults.flow, "BATCH_POINTS", 3)
    monkeypatch.setattr(faults.flow, "PACK_S", 0.0)
    row = faults.Row(name)
    campaign, _ = faults.CAMPAIGNS[name]
    campaign(row, QUICK[name], tmp_path, random.Random(11))
    assert (row.lost, row.twice, row.wrong) == (0, 0, 0), row
