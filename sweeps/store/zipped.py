"""Zarr's view of an archive `x.zarr.zip`, imported where one is opened: workers need no Zarr."""

import threading
from pathlib import Path

import zarr.storage

from .archive import members


class ArchiveStore(zarr.storage.ZipStore):
    """Zarr's view of an archive.

    Args:
        url: Path or URL of the archive.
    """

    def __init__(self, url: str) -> None:
        super().__init__(Path(url), mode="r")
        self.url = url

    def _sync_open(self) -> None:
        self._lock = threading.RLock()
        self._zf = members(self.url)
        self._is_open = True

    def close(self) -> None:
        """Nothing to close: the file is shared with other readers of this process."""
        self._is_open = False

    def __eq__(self, other: object) -> bool:
        """Return whether it is the same archive."""
        return isinstance(other, ArchiveStore) and other.url == self.url
