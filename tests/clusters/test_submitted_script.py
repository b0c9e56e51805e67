"""A script that others can change after it was written is not the one that is submitted."""

import os
from pathlib import Path

import pytest

from photogap.sweeps.clusters.kinds import system_named


@pytest.mark.parametrize(("kind", "command"), [("slurm", "sbatch"), ("pbs", "qsub")])
def test_the_submitted_script_is_a_private_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, command: str
) -> None:
    tool = tmp_path / "bin" / command
    tool.parent.mkdir()
    tool.write_text(
        f'#!/bin/sh\ncp "$1" {tmp_path}/read\ndirname "$1" >{tmp_path}/folder\n'
        f'stat -c %a "$(dirname "$1")" >{tmp_path}/mode\necho 17\n'
    )
    tool.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    shared = tmp_path / "driver.sh"
    shared.write_text("echo another user's\n")
    system = system_named(kind)
    assert system is not None
    assert system.submit(shared, "echo mine\n") == "17"
    assert (tmp_path / "read").read_text() == "echo mine\n"
    assert (tmp_path / "mode").read_text() == "700\n"
    assert not Path((tmp_path / "folder").read_text().strip()).exists()
