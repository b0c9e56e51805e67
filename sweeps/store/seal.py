"""Seal of a cube's root: a checksum over its metadata, which include those of every array.

Chunks have crc32c in their codecs; Zarr has no checksum for its JSON. Readers use the root's consolidated metadata,
so one seal covers names, shapes, codecs, units, the layout of labels and the record.
"""

import hashlib
import json
import traceback
from typing import Any

from ..errors import StoreError
from .buckets import reason

SEAL = "photogap_seal"
_LIBRARIES = ("/zarr/", "/numcodecs/")


def sealed(root: bytes, **attributes: Any) -> bytes:
    """Root metadata with changed attributes and a new seal."""
    tree = json.loads(root)
    tree["attributes"] = {k: v for k, v in tree["attributes"].items() if k != SEAL} | attributes
    tree["attributes"][SEAL] = _digest(tree)
    return json.dumps(tree).encode()


def opened(root: bytes, url: str) -> dict[str, Any]:
    """Root metadata of the cube at a URL; those of cubes without a seal are accepted unchecked.

    Raises:
        StoreError: They are damaged.
    """
    try:
        tree = json.loads(root)
        seal = tree["attributes"].get(SEAL)
        rest = tree | {"attributes": {k: v for k, v in tree["attributes"].items() if k != SEAL}}
        if seal is None or seal == _digest(rest):
            return dict(tree)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise StoreError(
        f"the metadata of {url} (zarr.json) are damaged, or were changed by another program. "
        f"Try `photogap verify {url} --repair`, restore a copy of zarr.json, or --recompute."
    )


def _digest(tree: dict[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(tree, sort_keys=True).encode(), digest_size=16).hexdigest()


def is_damage(error: BaseException) -> bool:
    """Return whether an error means that Zarr or a codec could not decode what it read."""
    if isinstance(error, OSError | MemoryError | StoreError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return any(part in frame.filename for frame in frames for part in _LIBRARIES)


def damaged(url: str, error: BaseException) -> str:
    """Message for an error of damage."""
    text = f"{type(error).__name__}: {reason(error)}"
    return f"the cube {url} is damaged ({text}). `photogap verify {url} --repair` marks its bad points as missing"
