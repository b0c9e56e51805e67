"""Blobs of every kind against one contract; and what is particular to files."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.store.blobs import PARTIAL, Blobs, LocalBlobs, ObjectBlobs
from support.blobs_suite import BlobsSuite


class TestFiles(BlobsSuite):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> Blobs:
        return LocalBlobs(tmp_path / "not" / "made")


class TestFilesBehindALink(BlobsSuite):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> Blobs:
        (tmp_path / "disk").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "disk")
        return LocalBlobs(tmp_path / "link")


class TestFilesWithoutHardLinks(BlobsSuite):
    """As on exFAT, or on some network file systems."""

    @pytest.fixture
    def blobs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blobs:
        def refuse(*_: Any, **__: Any) -> None:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refuse)
        return LocalBlobs(tmp_path)

    def test_a_reader_sees_whole_objects_only(self, blobs: Blobs) -> None:
        """Only of what is put: creation is exclusive there, and not atomic. A torn claim is taken over."""
        blobs.put("key", b"1" * 1000)
        assert not blobs.create("key", b"2")
        assert blobs.get("key") == b"1" * 1000


class TestMemory(BlobsSuite):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> Blobs:
        return ObjectBlobs(f"memory://{tmp_path.name}")


@pytest.mark.real
@pytest.mark.slow
class TestAmazon(BlobsSuite):
    @pytest.fixture
    def blobs(self, amazon: str, tmp_path: Path) -> Blobs:
        return ObjectBlobs(f"{amazon}/{tmp_path.name}")


@pytest.mark.real
@pytest.mark.slow
class TestGoogle(BlobsSuite):
    @pytest.fixture
    def blobs(self, google: str, tmp_path: Path) -> Blobs:
        return ObjectBlobs(f"{google}/{tmp_path.name}")


def test_temporaries_are_no_objects_and_none_stays(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    (tmp_path / f".key.1{PARTIAL}").write_bytes(b"left by a killed writer")
    blobs.put("key", b"1")
    assert not blobs.create("key", b"2")
    assert list(blobs.keys()) == ["key"]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Any) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        list(LocalBlobs(tmp_path).keys())
