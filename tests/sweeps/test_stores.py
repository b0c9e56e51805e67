"""Cubes in folders and in memory against the contract of a place; test_object_store.py has those in buckets."""

import subprocess
import sys
from pathlib import Path

import pytest

from photogap.sweeps.store.place import Place, place
from support.store_suite import StoreSuite, behind_a_link


class TestFolder(StoreSuite):
    @pytest.fixture
    def target(self, tmp_path: Path) -> Place:
        return place(tmp_path / "not" / "made" / "a.zarr")


class TestFolderBehindALink(StoreSuite):
    @pytest.fixture
    def target(self, tmp_path: Path) -> Place:
        return behind_a_link(tmp_path)


class TestMemory(StoreSuite):
    @pytest.fixture
    def target(self, tmp_path: Path) -> Place:
        return place(f"memory://{tmp_path.name}")


def test_state_of_a_cube_in_memory_is_private_and_goes_with_its_process(tmp_path: Path) -> None:
    """In a folder with a name that others can guess, its lock could be a link of theirs to a file of this user."""
    code = (
        "from photogap.sweeps.store.place import place; from photogap.sweeps.store.lock import driver_lock\n"
        "target = place('memory://a')\n"
        "with driver_lock(target): print(target.state, oct(target.state.parents[1].stat().st_mode))\n"
        "assert place('memory://b').state.parent == target.state.parent"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], env={"TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    state, mode = told.stdout.split()
    assert Path(state).is_relative_to(tmp_path)
    assert mode == "0o40700"
    assert not list(tmp_path.iterdir())
