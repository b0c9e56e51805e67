"""With `--workers 0` a point may end the run's process: the next runs try it last and alone, then give it up."""

import faulthandler
import os
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from photogap.sweeps.drive import flow
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import Watch, retry, run
from photogap.sweeps.store.place import Place, place
from photogap.sweeps.work.crashes import at_work, crashes
from support.driving import plan_of
from support.tallies import Tally

AXES: dict[str, Any] = {"F0": [1.0, 2.0, 3.0], "fault": ["segfault", "exit", ""]}


def in_a_process(plan: Any, target: Place, said: Path) -> int:
    """Run a sweep in a child process; return its exit code or minus its signal."""
    pid = os.fork()
    if pid == 0:
        faulthandler.disable()
        try:
            run(plan, target, workers=0, watch=Watch(told=lambda text: said.write_text(text) and None))
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("losses", [0, 1])
def test_points_that_end_the_process_are_tried_last_and_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: int, tally: Tally
) -> None:
    monkeypatch.setattr(flow, "_ENOUGH", 1)
    plan, target, said = plan_of(AXES, limits={"losses": losses}), place(tmp_path / "a.zarr"), tmp_path / "said"
    codes = []
    while not codes or codes[-1] != 0:
        assert len(codes) < 30
        codes.append(in_a_process(plan, target, said))
        if codes[-1]:
            died = at_work(target.state)
            assert status(target)["died_in"] == died
        assert said.exists() == (len(codes) > 1)
        if said.exists():
            assert "an earlier run died in point" in said.read_text()
    assert len(codes) == 6 * (losses + 1) + 1
    assert {code for code in codes if code} == {-11, 3}
    ds = xr.open_zarr(target.path).squeeze()
    assert set(ds.status.sel(fault="").values.astype(object)) == {"ok"}
    assert set(ds.status.sel(fault=["segfault", "exit"]).values.ravel().astype(object)) == {"lost"}
    assert f"died {losses + 1} times" in str(ds.message.sel(fault="exit", F0=1.0).values)
    begun = [line.split()[1:] for line in tally()]
    good = [i for i, line in enumerate(begun) if line[-1] not in ("segfault", "exit")]
    assert len(good) == 3, "no good point is computed twice"
    assert not crashes(target.state)
    assert "died_in" not in status(target)


def test_good_points_come_before_the_second_try(tmp_path: Path, tally: Tally) -> None:
    plan, target = plan_of(AXES | {"F0": [1.0]}, limits={"losses": 3}), place(tmp_path / "a.zarr")
    for _ in range(3):
        assert in_a_process(plan, target, tmp_path / "said") != 0
    last = [line.split()[-1] for line in tally()]
    assert last[:2] == ["segfault", "exit"]
    assert last[2] not in ("segfault", "exit")
    assert last[3] in ("segfault", "exit")


def test_points_that_fail_leave_no_note(tmp_path: Path) -> None:
    target = place(tmp_path / "a.zarr")
    run(plan_of({"fault": ["", "raise", "system exit", "base"]}), target, workers=0)
    assert at_work(target.state) == ""
    assert not crashes(target.state)
    assert retry(target, workers=0, trust=True).counts.failed == 9
    assert at_work(target.state) == ""


@pytest.mark.parametrize("text", ["", "\0", "no such point\n", "x" * 10**6])
def test_damaged_notes_are_harmless(tmp_path: Path, text: str) -> None:
    target = place(tmp_path / "a.zarr")
    target.state.mkdir()
    (target.state / "at_work").write_text(text)
    (target.state / "crashes").write_bytes(b"\xff\xfe" + text.encode())
    assert run(plan_of(), target, workers=0).counts.failed == 0
    assert not (target.state / "crashes").exists()
