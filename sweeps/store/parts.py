"""One object per point: its outputs, its record and a checksum, so that a torn write is never read as data."""

import hashlib
import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"photogap part 1\n"
_DIGEST = 16
Array = NDArray[np.float64]


class TornError(ValueError):
    """Bytes that are not a complete part."""


def encode(record: dict[str, Any], arrays: dict[str, Array]) -> bytes:
    """Bytes of a part; arrays are stored as little-endian float64."""
    raw = {name: np.asarray(array, dtype="<f8", order="C") for name, array in arrays.items()}
    head = json.dumps(
        {"record": record, "arrays": {name: list(array.shape) for name, array in raw.items()}}
    ).encode()
    body = b"".join([struct.pack("<Q", len(head)), head, *(array.tobytes() for array in raw.values())])
    return MAGIC + hashlib.blake2b(body, digest_size=_DIGEST).digest() + body


def decode(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Record and arrays of a part.

    Raises:
        TornError: The bytes are truncated, changed or not a part.
    """
    start = len(MAGIC) + _DIGEST
    body = data[start:]
    if (
        not data.startswith(MAGIC)
        or hashlib.blake2b(body, digest_size=_DIGEST).digest() != data[len(MAGIC) : start]
    ):
        raise TornError("not a complete part")
    (length,) = struct.unpack_from("<Q", body)
    head = json.loads(body[8 : 8 + length])
    arrays, offset = {}, 8 + length
    for name, shape in head["arrays"].items():
        count = int(np.prod(shape, dtype=int))
        arrays[name] = np.frombuffer(body, dtype="<f8", count=count, offset=offset).reshape(shape)
        offset += 8 * count
    return head["record"], arrays
