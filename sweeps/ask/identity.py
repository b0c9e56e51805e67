"""Identity of a point: a hash of its canonical specification and of the model's version."""

import dataclasses
import enum
import hashlib
import json
from typing import Any

import numpy as np


def canonical(value: Any) -> Any:
    """JSON tree, equal if and only if the values are equal; floats keep every bit.

    Arrays enter by their bytes, dataclasses by their fields, or by their mapping `stated` if they have one: the
    last bits of numbers computed from it depend on the processor. A field added `later` (metadata) is left out at
    its default, the value with which older points were computed.
    """
    if isinstance(value, np.ndarray):
        raw = np.ascontiguousarray(value)
        return {"array": hashlib.blake2b(raw.tobytes(), digest_size=16).hexdigest(), "shape": list(raw.shape)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        stated = getattr(value, "stated", None)
        if stated:
            return canonical(stated)
        return {
            f.name: canonical(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if not (f.metadata.get("later") and getattr(value, f.name) == f.default) and f.name != "stated"
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {str(k): canonical(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(v) for v in value]
    if isinstance(value, np.generic):
        return canonical(value.item())
    if isinstance(value, float | complex):
        return repr(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"no canonical form for a {type(value).__name__}: {value!r}")


def digest(value: Any) -> str:
    """Hash of the canonical form, 32 hexadecimal digits."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
