"""Keys of configs, materials and cluster files: type, unit, default, rule, meaning, example, as declared.

`photogap settings`, the JSON schemas and the documentation's pages derive from these rows. Axes and settings come
from their declarations (`core.declaration`), the other keys from the fields and the `Args:` of their models.
"""

import dataclasses
import inspect
import math
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import pydantic

from ...core.declaration import Declaration, choices, declarations
from ...core.material import Material
from ...core.result import OUTPUTS
from ...core.settings import Point, Settings
from ...core.units import typed
from ..ask.config import PRESETS, Config, Limits, Plot, Refine
from ..clusters.kinds import kind_named, known
from ..clusters.spec import Adapt, Driver
from ..materials.library import UNITS, MaterialSpec, PeakSpec, SpectrumSpec, describe

REQUIRED: Final = object()
"""Default of a key that must be given."""
_FULL: Final = (
    "Values of the large sweep of `--full`: each key replaces the one above, `axes` and `settings` name by name."
)
_HIDDEN: Final = ("folder", "root")
_WORDS: Final = {float: "number", int: "whole number", bool: "true or false", str: "text"}


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key.

    Args:
        name: The key.
        kind: Type of its values in words.
        unit: Unit in plain text; empty for a number, a word or a choice.
        default: Default; `REQUIRED` if the key must be given.
        rule: Rule for its value in words; empty if the type suffices.
        words: Allowed words; empty for any other type.
        meaning: Meaning, in sentences.
        example: A value; None if there is none.
        may_be_an_axis: Whether a sweep may vary it.
        outputs: Variables of the cube that it switches on, alone or with other settings.
        limits: The part of the rule that JSON Schema can state.
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    default: Any = REQUIRED
    rule: str = ""
    words: tuple[Any, ...] = ()
    example: Any = None
    may_be_an_axis: bool = False
    outputs: tuple[str, ...] = ()
    limits: Any = dataclasses.field(default_factory=dict)

    @property
    def required(self) -> bool:
        """Whether the key must be given."""
        return self.default is REQUIRED


def declared(owner: Any) -> Iterator[Key]:
    """Axes of a class of points, or settings: the fields of a dataclass that have a declaration."""
    hints = typing.get_type_hints(owner)
    for field in dataclasses.fields(owner):
        if field.name not in declarations(owner):
            continue
        found = declarations(owner)[field.name]
        words = choices(owner, field.name)
        yield Key(
            name=field.name,
            kind="text" if field.name == "material" else _kind(hints[field.name]),
            unit=typed(found.unit),
            default=_default(field),
            rule=found.rule.words if found.rule else "",
            words=words,
            meaning=found.doc,
            example=_example(found, words, field.default),
            may_be_an_axis=not found.shapes,
            outputs=tuple(v.name for group in OUTPUTS if field.name in group.by for v in group.variables),
            limits=dict(found.rule.limits) if found.rule else {},
        )


def _default(field: Any) -> Any:
    """Default of a field; None for an axis that takes the material's value."""
    if field.default is not dataclasses.MISSING:
        return field.default
    return None if field.name in declarations(Material) else REQUIRED


def modelled(model: type[pydantic.BaseModel]) -> Iterator[Key]:
    """Keys of a pydantic model, with meanings from the `Args:` of its docstring and those of its bases."""
    meanings = arguments(model)
    for name, field in model.model_fields.items():
        if name in _HIDDEN:
            continue
        key = field.alias or name
        default = REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
        limits = {k: v for m in field.metadata for k, v in _bounds(m).items()}
        words = tuple(limits.pop("enum", ())) or _literals(field.annotation)
        written = [m.json_schema for m in field.metadata if isinstance(m, pydantic.WithJsonSchema)]
        yield Key(
            name=key,
            kind=written[0]["title"] if written and written[0] else _kind(field.annotation),
            default=None if isinstance(default, pydantic.BaseModel) else default,
            words=words,
            rule=_in_words(limits),
            meaning=meanings[key],
            example=field.examples[0] if field.examples else (words[0] if words else _shown(default)),
            limits=limits,
        )


def material_keys() -> Iterator[Key]:
    """Keys of a material's file: the quantities of `core.material`, and where the spectrum comes from."""
    quantities = declarations(Material)
    stated = dict(zip(UNITS, (name for name in quantities if not choices(Material, name)), strict=True))
    shown = {entry.key: entry.value for entry in describe("K3C60").parameters}
    meanings = arguments(MaterialSpec)
    yield Key(name="extends", kind="text", default=None, meaning=meanings["extends"], example="K3C60")
    for name, field in MaterialSpec.model_fields.items():
        quantity = quantities.get(stated.get(name, name))
        default = REQUIRED if field.is_required() else field.get_default()
        if quantity is None:
            kind = "text" if field.annotation is str else "keys"
            yield Key(name=name, kind=kind, default=default, meaning=meanings[name])
            continue
        words = choices(Material, name) if name not in UNITS else ()
        yield Key(
            name=name,
            kind="one of the words" if words else "number, or `{value: ..., source: ...}`",
            unit=typed(UNITS.get(name, "1")),
            default=getattr(default, "value", default),
            rule=quantity.rule.words if quantity.rule else "",
            words=words,
            meaning=quantity.doc,
            example=shown.get(name),
            limits=dict(quantity.rule.limits) if quantity.rule else {},
        )


def sections() -> dict[str, tuple[Key, ...]]:
    """Every key of a config by section, then those of materials, then those of each kind of cluster file."""
    preset = next(key for key in modelled(Config) if key.name == "preset")
    top = [dataclasses.replace(preset, words=tuple(PRESETS)) if k.name == "preset" else k for k in modelled(Config)]
    full = Key(name="full", kind="keys", default=None, meaning=_FULL, example={"axes": {"T": [20, 30, 45, 60]}})
    return {
        "config": (*top, full),
        "axes": tuple(declared(Point)),
        "settings": tuple(declared(Settings)),
        "refine": tuple(modelled(Refine)),
        "plot": tuple(modelled(Plot)),
        "limits": tuple(modelled(Limits)),
        "material": tuple(material_keys()),
        "spectrum": tuple(modelled(SpectrumSpec)),
        "peaks": tuple(modelled(PeakSpec)),
        **{f"cluster {name}": tuple(modelled(kind)) for name in known() if (kind := kind_named(name)) is not None},
        "adapt": tuple(modelled(Adapt)),
        "driver": tuple(modelled(Driver)),
    }


def arguments(owner: type) -> dict[str, str]:
    """Meaning of each entry under `Args:` in the docstrings of a class and of its bases."""
    found: dict[str, str] = {}
    for base in reversed(owner.__mro__):
        # Python 3.13 strips the indentation of docstrings, earlier versions keep it.
        _, _, below = inspect.cleandoc(base.__doc__ or "").partition("Args:\n")
        block = re.match(r"(?:[ ]{4,}\S.*\n?|\s*\n)*", below)
        entries = re.split(r"(?m)^ {4}(?=\w+: )", block[0] if block else "")
        found |= {name: " ".join(text.split()) for name, _, text in (e.partition(": ") for e in entries) if text}
    return found


def _kind(hint: Any) -> str:
    """A type in words."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return "one of the words"
    if origin in (typing.Union, types.UnionType):
        found = dict.fromkeys(_kind(part) for part in parts if part is not type(None))
        text = "number, medium or file" if "medium" in found else " or ".join(found)
        return f"{text}, or null" if type(None) in parts else text
    if origin in (tuple, list):
        inner = _kind(parts[0])
        return f"list of {inner.replace('list', 'lists', 1) if 'list' in inner else inner.removesuffix('s') + 's'}"
    if hint in _WORDS:
        return _WORDS[hint]
    return {"complex": "number", "Medium": "medium", "Path": "file"}.get(getattr(hint, "__name__", ""), "keys")


def _example(found: Declaration, words: tuple[Any, ...], default: Any) -> Any:
    """The declared example, else an allowed word other than the default, else the default if it shows a value."""
    if found.example is not None:
        return found.example
    if words:
        return next(word for word in words if word != default)
    return not default if isinstance(default, bool) else _shown(default)


def _shown(default: Any) -> Any:
    """A default that a user would write as a value."""
    if default is REQUIRED or default in (None, (), {}, []) or isinstance(default, pydantic.BaseModel):
        return None
    return None if isinstance(default, float) and not math.isfinite(default) else default


def _literals(hint: Any) -> tuple[Any, ...]:
    """Words of a Literal, alone or with None."""
    if typing.get_origin(hint) is Literal:
        return typing.get_args(hint)
    return next(filter(None, map(_literals, typing.get_args(hint))), ()) if typing.get_args(hint) else ()


def _bounds(mark: Any) -> dict[str, Any]:
    names = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
    found = {names[k]: getattr(mark, k) for k in names if getattr(mark, k, None) is not None}
    return found | ({"enum": pattern} if (pattern := _alternatives(mark)) else {})


def _alternatives(mark: Any) -> list[str]:
    """Words that a pattern such as ^(log|linear)$ allows."""
    found = re.fullmatch(r"\^\(([\w|]+)\)\$", getattr(mark, "pattern", None) or "")
    return found[1].split("|") if found else []


def _in_words(limits: dict[str, Any]) -> str:
    words = {"exclusiveMinimum": "above", "minimum": "at least", "exclusiveMaximum": "below", "maximum": "at most"}
    return ", ".join(f"{words[k]} {v:,}" for k, v in limits.items())
