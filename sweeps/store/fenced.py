"""Zarr's view of a local store that a driver cannot change once it has lost its claim.

Each file is written under a temporary name; then the claim is checked; then the file gets its name. A new driver
first takes the claim, then removes every temporary file of the cube (`Place.tidy`), then reads. So either the
check fails; or the temporary file existed before the claim was taken, and has been renamed before the new driver
reads, or is removed and cannot be renamed. No chunk is deleted (`Cube.array` writes empty chunks too), since a
deletion has no such step.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zarr.storage

from .blobs import LocalBlobs


class FencedStore(zarr.storage.LocalStore):
    """A local store.

    Args:
        root: Its folder.
        read_only: Refuse to write.
        check: Raises if this process is no longer the store's driver.
    """

    def __init__(
        self, root: Path | str, *, read_only: bool = False, check: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(root, read_only=read_only)
        self.check = check

    def with_read_only(self, read_only: bool = False) -> "FencedStore":
        """This store, reopened read-only or writable."""
        return FencedStore(self.root, read_only=read_only, check=self.check)

    def set_sync(self, key: str, value: Any) -> None:
        """Write one file."""
        self._ensure_open_sync()
        self._check_writable()
        self._write(key, value)

    async def _set(self, key: str, value: Any, exclusive: bool = False) -> None:
        if not self._is_open:
            await self._open()
        self._check_writable()
        await asyncio.to_thread(self._write, key, value, exclusive)

    def _write(self, key: str, value: Any, exclusive: bool = False) -> None:
        blobs = LocalBlobs(self.root)
        if not exclusive:
            blobs.put(key, value.to_bytes(), self.check)
            return
        self.check()
        if not blobs.create(key, value.to_bytes()):
            raise FileExistsError(key)
