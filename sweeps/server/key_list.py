"""Keys of a config for the page's editor, from the reference that the command line and the schemas share."""

import functools
from typing import Any

from ..numbers import plain
from .schema import Key, Keys

_SECTIONS = {
    "config": "",
    "axes": "axes.",
    "settings": "settings.",
    "refine": "refine.",
    "plot": "plot.",
    "limits": "limits.",
}


@functools.cache
def all_keys() -> Keys:
    """Every key that a config may have, by its path such as `settings.damping`."""
    from ..reference.keys import Key as Declared
    from ..reference.keys import sections

    def row(path: str, key: Declared) -> Key:
        rule = key.rule or (key.kind if key.kind == "true or false" else "")
        return Key(
            path=path,
            unit=key.unit,
            default=None if key.required else _written(key.default),
            values=" | ".join(map(str, key.words)) or rule,
            meaning=key.meaning,
        )

    found = sections()
    return Keys(keys=[row(before + key.name, key) for name, before in _SECTIONS.items() for key in found[name]])


def _written(default: Any) -> Any:
    """A default as JSON has it; None where it has no short form."""
    return plain(list(default) if isinstance(default, tuple) else default) if default not in ((), {}) else None
