"""Removal of a cube: a killed removal leaves the whole cube or none, never old data under a new root.

A cube exists as long as its root `zarr.json` does; without it nothing at the path is read. A local cube is renamed
into its state folder, which is atomic, and its files are removed there. Object stores cannot rename, nor can a
folder that is a mount point or a link. There the order of deletion ensures it: first an object `removing` is
written next to the parts; then the root is deleted, one atomic request and the moment at which the cube ends; then
the rest; last `removing`. A removal killed before the root is deleted leaves the cube complete. After one killed
later the next driver finds `removing` and no root, and deletes the rest before it creates anything. `create` checks
that no chunk exists: chunks without a root and without `removing` belong to a cube that lost its root.
"""

import contextlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from ..errors import StoreError
from .place import COPY, ROOT, Place

_REMOVING = "removing"
_ASIDE = "removed-"
_PARTS = "parts/"
_AT_ONCE = 1000
"""Objects that one request deletes."""


def remove(place: Place, check: Callable[[], None] = lambda: None) -> None:
    """Remove the cube and its parts, but not log and lock. Only the driver with the lock may call it.

    Args:
        place: The cube.
        check: Raises if this process is no longer the store's driver; a cube that was set aside is then put back.
    """
    place.blobs.delete([COPY, *place.blobs.keys(_PARTS)])
    check()
    if place.is_local and (aside := _set_aside(place)):
        try:
            check()
        except BaseException:
            # Another driver's new cube has the name by now, or it found this one set aside and removed it.
            with contextlib.suppress(OSError):
                aside.rename(place.path)
            raise
        _remove_aside(place)
    elif place.exists() or next(place.objects.keys(), None):
        place.blobs.put(_REMOVING, b"")
        check()
        place.objects.delete([ROOT])
        finish(place, check)


def finish(place: Place, check: Callable[[], None] = lambda: None) -> None:
    """Finish an interrupted removal. Only the driver with the lock may call it; `check` as in `remove`."""
    if place.is_local:
        _remove_aside(place)
    if place.blobs.exists(_REMOVING):
        if not place.exists():
            _remove_rest(place, check)
        place.blobs.delete([_REMOVING])


def is_under_way(place: Place) -> bool:
    """Return whether a removal was killed after deleting the root, so that the next driver must delete the rest."""
    return not place.exists() and place.blobs.exists(_REMOVING)


def clear_for_a_new_cube(place: Place) -> None:
    """Delete metadata and labels that a driver killed in `create` left behind.

    Raises:
        StoreError: There are chunks, which would become part of a cube with a new root.
    """
    found = list(place.objects.keys())
    chunk = next((key for key in found if _holds_points(key)), None)
    if chunk is not None:
        raise StoreError(
            f"{place.url} has data ({chunk!r}) but no {ROOT}, so the cube that they belong to cannot be read. "
            f"Restore its {ROOT} (try `photogap verify {place.url} --repair`), use another --store, or "
            f"--recompute to remove the data and start from scratch."
        )
    place.objects.delete(found)


def _holds_points(key: str) -> bool:
    """Return whether an object is a chunk over the sweep's dims; labels have one dim and precede any point."""
    return key.rpartition("/")[2] != ROOT and "/" in key.partition("/c/")[2]


def _remove_rest(place: Place, check: Callable[[], None]) -> None:
    if not place.is_local:
        found = list(place.objects.keys())
        for start in range(0, len(found), _AT_ONCE):
            check()
            place.objects.delete(found[start : start + _AT_ONCE])
        return
    for path in place.path.iterdir() if place.path.exists() else ():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _set_aside(place: Place) -> Path | None:
    """Rename a local cube into its state folder; return its new path, None if that was not possible."""
    aside = place.state / f"{_ASIDE}{uuid.uuid4().hex}"
    if place.path.is_symlink():
        return None
    try:
        place.path.rename(aside)
    except FileNotFoundError:
        return None if place.path.exists() else aside
    except OSError:
        return None  # a mount point, or a folder whose parent is not the user's
    return aside


def _remove_aside(place: Place) -> None:
    for path in place.state.glob(f"{_ASIDE}*"):
        shutil.rmtree(path)
