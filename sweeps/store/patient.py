"""Zarr's requests to an object store, repeated when a connection breaks, as in `buckets.patiently`.

A driver's writes are conditional (`ObjectBlobs.put`): a suspended driver overwrites nothing that another one
has written.
"""

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

import zarr.storage

from .blobs import ObjectBlobs
from .buckets import Waits, object_store

T = TypeVar("T")
_READS = ("get", "get_partial_values", "exists", "getsize", "getsize_prefix")
_WRITES = ("set_if_not_exists", "delete")


async def _patiently(url: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    waits = Waits(url)
    while True:
        try:
            return await ask()
        except Exception as error:
            pause = waits.after(error)
            if pause is None:
                raise
            await asyncio.sleep(pause)


class PatientStore(zarr.storage.ObjectStore[Any]):
    """Zarr's view of an object store.

    Args:
        url: The store.
        read_only: Refuse to write.
        check: Raises if this process is no longer the store's driver.
    """

    def __init__(self, url: str, *, read_only: bool = False, check: Callable[[], None] = lambda: None) -> None:
        super().__init__(object_store(url), read_only=read_only)
        self.url, self.check = url, check

    def with_read_only(self, read_only: bool = False) -> "PatientStore":
        """This store, reopened read-only or writable."""
        return PatientStore(self.url, read_only=read_only, check=self.check)

    async def set(self, key: str, value: Any) -> None:
        """Write one object, unless another driver has written it since this driver's claim was checked."""
        self._check_writable()
        await asyncio.to_thread(ObjectBlobs(self.url).put, key, value.to_bytes(), self.check)

    def list(self) -> AsyncGenerator[str, None]:
        """Keys of all objects."""
        return _whole(self.url, super().list)

    def list_prefix(self, prefix: str) -> AsyncGenerator[str, None]:
        """Keys that start with a prefix."""
        return _whole(self.url, functools.partial(super().list_prefix, prefix))

    def list_dir(self, prefix: str) -> AsyncGenerator[str, None]:
        """Names directly under a prefix."""
        return _whole(self.url, functools.partial(super().list_dir, prefix))


async def _whole(url: str, ask: Callable[[], AsyncGenerator[str, None]]) -> AsyncGenerator[str, None]:
    """A listing; an interrupted one starts again before any of it is returned."""

    async def collected() -> tuple[str, ...]:
        return tuple([key async for key in ask()])

    for key in await _patiently(url, collected):
        yield key


def _repeated(name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
    plain: Callable[..., Coroutine[Any, Any, Any]] = getattr(zarr.storage.ObjectStore, name)

    @functools.wraps(plain)
    async def ask(self: PatientStore, *args: Any, **kwargs: Any) -> Any:
        def turn() -> Coroutine[Any, Any, Any]:
            self.store = object_store(self.url)
            return plain(self, *args, **kwargs)

        return await _patiently(self.url, turn)

    return ask


for _name in (*_READS, *_WRITES):
    setattr(PatientStore, _name, _repeated(_name))
