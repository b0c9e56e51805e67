"""Cubes in folders and in memory against the contract of a place; test_object_store.py has those in buckets."""

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
