"""Keys of a config: axes and settings from their declarations, the others from the config's own classes."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any, get_args

import pydantic

from ...core.declaration import choices, declarations
from ...core.result import OUTPUTS
from ...core.settings import Point, Settings
from ...core.units import typed
from .config import PRESETS, Config


def declared() -> Iterator[dict[str, Any]]:
    """Axes and settings from their declarations."""
    for owner in (Point, Settings):
        for field in dataclasses.fields(owner):
            declaration = declarations(owner)[field.name]
            words = choices(owner, field.name)
            rule = (
                declaration.rule.words
                if declaration.rule
                else "true or false"
                if field.default in (True, False)
                else ""
            )
            required = field.default is dataclasses.MISSING
            yield {
                "name": field.name,
                "unit": typed(declaration.unit),
                "required": required,
                "default": None if required else field.default,
                "values": " | ".join(words) or rule,
                "meaning": declaration.doc,
                "may_be_an_axis": not declaration.shapes,
                "outputs": [v.name for group in OUTPUTS if field.name in group.by for v in group.variables],
            }


def keys() -> Iterator[dict[str, Any]]:
    """Every key that a config may have, by its path such as `settings.damping`: unit, default, values, meaning."""
    for row in declared():
        shared = {name: row[name] for name in ("unit", "default", "values", "meaning")}
        if row["required"] or row["may_be_an_axis"]:
            yield {"path": f"axes.{row['name']}", **shared}
        if not row["required"]:
            yield {"path": f"settings.{row['name']}", **shared}
    yield from _of(Config, "")


def _of(owner: type[pydantic.BaseModel], before: str) -> Iterator[dict[str, Any]]:
    meanings = dict(re.findall(r"^\s+(\w+): (.+)$", owner.__doc__ or "", re.MULTILINE))
    for name, field in owner.model_fields.items():
        if field.exclude:
            continue
        inner = [t for t in (field.annotation, *get_args(field.annotation)) if _is_model(t)]
        default = None if field.is_required() or inner else field.default
        yield {
            "path": f"{before}{name}",
            "unit": "",
            "default": default,
            "values": " | ".join(PRESETS) if name == "preset" else "",
            "meaning": meanings.get(name, ""),
        }
        for model in inner:
            yield from _of(model, f"{before}{name}.")


def _is_model(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, pydantic.BaseModel)
