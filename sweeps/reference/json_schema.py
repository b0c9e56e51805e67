"""JSON Schemas of configs, materials and cluster files, for editors: completion, help and checks while one types.

They state what a schema can state of each key (`keys`); rules that bind several keys are checked by `photogap run
--dry-run`. The draft is the one that editors' YAML servers read.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ...core.units import SCALES, typed
from ..ask.config import LONGEST
from ..model import DEFAULT
from .keys import Key, sections

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
Schema = dict[str, Any]
_TYPES: Final = {
    "number": "number",
    "whole number": "integer",
    "true or false": "boolean",
    "text": "string",
    "file": "string",
    "keys": "object",
}


def config() -> Schema:
    """Schema of a config of the built-in model; the settings of another model are not restricted."""
    rows = sections()
    definitions = {
        "axes": _object([*rows["axes"], *(k for k in rows["settings"] if k.may_be_an_axis)], one=_axis),
        "settings": _object(rows["settings"], one=_setting),
        **{
            _place(unit, table): _generated(unit, table=table)
            for unit in sorted(_all_units(rows))
            for table in (True, False)
        },
    }
    required = definitions["axes"].pop("required")
    axes, settings = ({"$ref": f"#/definitions/{name}"} for name in ("axes", "settings"))
    nested = {name: _object(rows[name]) for name in ("refine", "plot", "limits")}
    top = _object(rows["config"], nested=nested)
    top["properties"]["zip"] |= {"items": {"type": "array", "minItems": 2, "items": {"type": "string"}}}
    top["properties"]["full"] |= {"propertyNames": {"enum": [k.name for k in rows["config"] if k.name != "full"]}}
    own = {
        "axes": {"allOf": [axes], "required": required},
        "settings": settings,
        "full": {"properties": {"axes": axes, "settings": settings}},
    }
    another = {"required": ["model"], "properties": {"model": {"not": {"const": DEFAULT}}}}
    whole = top | {"if": another, "else": {"properties": own}, "definitions": definitions}
    return _titled("Config of a photogap sweep", whole)


def material() -> Schema:
    """Schema of a material's file."""
    rows = sections()
    peaks = {"type": "array", "items": _object(rows["peaks"])}
    spectrum = _object(rows["spectrum"], nested={"peaks": peaks})
    whole = _object(rows["material"], nested={"spectrum": spectrum})
    required = whole.pop("required")
    rule = {"if": {"required": ["extends"]}, "then": {"required": ["name"]}, "else": {"required": required}}
    return _titled("Material of photogap", whole | rule)


def cluster() -> Schema:
    """Schema of a cluster file: the keys of its kind."""
    rows = sections()
    nested = {name: _object(rows[name]) for name in ("adapt", "driver")}
    kinds = {name.removeprefix("cluster "): keys for name, keys in rows.items() if name.startswith("cluster ")}
    each = [
        {"if": {"properties": {"kind": {"const": kind}}}, "then": _object(keys, nested=nested)}
        for kind, keys in kinds.items()
    ]
    top = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": sorted(kinds)}}, "allOf": each}
    return _titled("Cluster of photogap", top)


SCHEMAS: Final[dict[str, Callable[[], Schema]]] = {"config": config, "material": material, "cluster": cluster}
"""Schemas by the file that they describe."""


def _titled(title: str, schema: Schema) -> Schema:
    return {"$schema": DRAFT, "title": title, **schema}


def _object(
    keys: Iterable[Key], nested: dict[str, Schema] | None = None, one: Callable[[Key], Schema] | None = None
) -> Schema:
    """Object with these keys and no others; `nested` has the schemas of those that are objects or lists of them."""
    rows, known = tuple(keys), nested or {}
    properties = {
        key.name: (one or _value)(key) | _maybe_null(key, known.get(key.name, {})) | {"description": _help(key)}
        for key in rows
    }
    required = [key.name for key in rows if key.required]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _maybe_null(key: Key, schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"]} if schema and key.kind.endswith("or null") else schema


def _value(key: Key) -> Schema:
    """Values of a key."""
    kind = key.kind.removesuffix(", or null")
    nullable = kind != key.kind or (key.default is None and not key.required)
    if key.words:
        return {"enum": [*key.words, *([None] if nullable else [])]}
    if kind.startswith("number, or `{value"):
        number = {"type": ["number", "null"] if key.default is None else "number", **key.limits}
        sourced = {"value": number, "source": {"type": "string"}}
        alone = {"type": "object", "properties": sourced, "required": ["value"], "additionalProperties": False}
        return {"anyOf": [number, alone]}
    if kind.startswith("list of"):
        inner = {"list of numbers": "number", "list of texts": "string"}.get(kind)
        items = {"items": {"type": inner, **key.limits}} if inner else {}
        return {"type": ["array", "null"] if nullable else "array", **items}
    found = _TYPES.get(kind)
    if found is None:
        return {"type": ["number", "string", "null"]}
    return {"type": [found, "null"] if nullable else found, **key.limits}


def _setting(key: Key) -> Schema:
    """Values of a setting; a list may be generated."""
    plain = _value(key)
    return {"anyOf": [plain, _reference(key, table=False)]} if key.kind.startswith("list") else plain


def _axis(key: Key) -> Schema:
    """Values of an axis: one, a list, a generator, or the column of a table."""
    plain = _value(key)
    if "type" in plain and isinstance(plain["type"], list):
        plain |= {"type": [t for t in plain["type"] if t != "null"]}
    elif "enum" in plain:
        plain = {"enum": [word for word in plain["enum"] if word is not None]}
    several = {"type": "array", "items": plain, "minItems": 1, "maxItems": LONGEST}
    return {"anyOf": [several, _reference(key, table=True), plain]}


def _reference(key: Key, *, table: bool) -> Schema:
    return {"$ref": f"#/definitions/{_place(key.unit, table)}"}


def _place(unit: str, table: bool) -> str:
    """Name of a definition, without characters that a reference would have to escape."""
    name = re.sub(r"\W+", "_", unit) or "numbers"
    return f"{'axis' if table else 'list'}_in_{name}"


def _all_units(rows: Mapping[str, Iterable[Key]]) -> set[str]:
    return {key.unit for section in ("axes", "settings") for key in rows[section]}


def _generated(unit: str, *, table: bool) -> Schema:
    """Mapping that generates values, or names the column of a table."""
    span = {"type": "array", "minItems": 3, "maxItems": 3, "items": {"type": "number"}}
    forms: dict[str, Schema] = {
        "values": {"type": "array", "description": "The values, in `units`."},
        "linspace": {**span, "description": "[start, stop, number of values], equidistant."},
        "geomspace": {**span, "description": "[start, stop, number of values], in geometric progression."},
    }
    if table:
        forms["csv"] = {"type": "string", "description": "CSV file with a header; the values are one column of it."}
    further: dict[str, Schema] = {"units": {"enum": _units(unit), "description": "Unit of the values."}}
    if table:
        further["column"] = {"type": "string", "description": "Column of the table; by default, the axis's name."}
    return {
        "type": "object",
        "properties": forms | further,
        "additionalProperties": False,
        "oneOf": [{"required": [form]} for form in forms],
    }


def _units(unit: str) -> list[str]:
    """Units in which values in `unit` may be written."""
    return next((list(units) for cf, units in SCALES.items() if typed(cf) == unit), [unit])


def _help(key: Key) -> str:
    """Meaning with unit, default, and the outputs that it switches on."""
    parts = [key.meaning, f"In {key.unit}." if key.unit else ""]
    if not key.required and key.default not in (None, (), {}, []):
        shown = str(key.default).lower() if isinstance(key.default, bool) else key.default
        parts.append(f"Default: {shown}.")
    if key.outputs:
        parts.append(f"Records {', '.join(key.outputs)}.")
    return " ".join(part for part in parts if part)
