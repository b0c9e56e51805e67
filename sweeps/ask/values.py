"""Values of a config as the model takes them: settings, materials, and labels of axes."""

import contextlib
import dataclasses
import functools
import typing
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pydantic

from ...core.units import typed as in_words
from ..errors import ConfigError
from ..files import Files, RefusedPathError
from ..model import Model
from ..text import rule, short, suggest
from .axes import FIRST
from .bounds import Bounds, check_size
from .config import Config, setting_values


class Names:
    """Settings given by name, with the content that was read.

    Args:
        model: Declares these settings and reads them.
        files: Folders in which the named files may be.
        known: Content of names from a store's record.
    """

    def __init__(self, model: Model, files: Files, known: Mapping[str, Mapping[str, Any]]) -> None:
        self._model, self._files, self._known = model, files, known
        self.contents: dict[str, dict[str, Any]] = {}

    def content(self, name: str, given: Any, place: str) -> Any:
        """Content of a setting's value in a config; its name is recorded."""
        kind = self._model.named[name]
        if not isinstance(given, bool | int | float | str):
            raise ConfigError(f"`{place}` must be a number or a word. Got {given!r}.")
        label = kind.label(given)
        quiet = self._files.quiet(place, given, f"a valid `{place}`")
        try:
            with quiet if kind.is_file(given) else contextlib.nullcontext():
                content = kind.load(given, self._files)
        except FileNotFoundError as error:
            if label not in self._known.get(name, {}):
                raise ConfigError(f"`{place}`: {error}") from None
            content = kind.restore(self._known[name][str(label)]["content"])
        except ConfigError:
            raise
        except (OSError, ValueError) as error:
            raise ConfigError(f"`{place}`: {error}") from None
        if isinstance(label, str):
            self.contents.setdefault(name, {})[label] = content
        return content

    def labels(self, name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Labels of an axis: numbers, or words if one of them is a name."""
        self.contents.pop(name, None)
        labels = tuple(self._model.named[name].label(value) for value in values)
        words = any(isinstance(label, str) for label in labels)
        found = {
            label: self.content(name, value, f"axes.{name}") for label, value in zip(labels, values, strict=True)
        }
        if not words:
            return labels
        self.contents[name] = {str(label): content for label, content in found.items()}
        return tuple(map(str, labels))


def settings_of(model: Model, given: Mapping[str, Any], names: Names, bounds: Bounds) -> Any:
    """Settings of a model from a config's tree.

    Raises:
        ConfigError: A key is unknown, or a value breaks a rule.
    """
    known = [f.name for f in dataclasses.fields(model.settings)]
    for name, value in given.items():
        if name not in known:
            raise ConfigError(f"`settings.{name}`: unknown key.{suggest(str(name), known)} Got {value!r}.")
    typed = {}
    for name, value in given.items():
        place = f"settings.{name}"
        typed[name] = (
            names.content(name, value, place) if name in model.named else _cast(model, name, value, place, bounds)
        )
    try:
        return model.settings(**typed)
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"`settings`: {error}") from None


@functools.lru_cache
def _adapter(settings: Hashable, name: str) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(typing.get_type_hints(settings)[name])


def _cast(model: Model, name: str, value: Any, place: str, bounds: Bounds) -> Any:
    if isinstance(value, dict):
        value = setting_values(name, value, model.declaration(name).unit)
    check_size(place, value, bounds)
    hint = typing.get_type_hints(model.settings)[name]
    if isinstance(value, bool) != (hint is bool):
        raise ConfigError(f"`{place}` must be {_describe(hint)}. Got {value!r}.")
    kind: Any = model.settings
    try:
        found = _adapter(kind, name).validate_python(value)
    except pydantic.ValidationError as error:
        raise ConfigError(f"`{place}`: {rule(error.errors()[0])} Got {short(value)}.") from None
    check_size(place, found, bounds)
    return found


def _describe(hint: Any) -> str:
    return "true or false" if hint is bool else f"of type {getattr(hint, '__name__', hint)}"


def materials_of(model: Model, names: tuple[Any, ...], config: Config) -> dict[str, Any]:
    """Materials on the axis `material`, by their labels.

    Raises:
        ConfigError: A material cannot be loaded, or two have the same label.
    """
    out: dict[str, Any] = {}
    for name in names:
        text = str(name)
        path = config.materials.get(text, text)
        is_file = text in config.materials or Path(path).suffix in (".yaml", ".yml") or "/" in path
        place = f"materials.{text}" if text in config.materials else "axes.material"
        with config.files.quiet(place, path, "a material") if is_file else contextlib.nullcontext():
            material = _material(model, text, str(config.files.at(path)) if is_file else path, config.files)
        label = text if text in config.materials or not is_file else material.name
        if label in out:
            raise ConfigError(f"`axes.material` must have distinct values. Got {label!r} twice.")
        out[label] = material if material.name == label else dataclasses.replace(material, name=label)
    return out


def _material(model: Model, text: str, where: str, files: Files) -> Any:
    try:
        return model.load_material(where, files)
    except RefusedPathError:
        raise
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"`axes.material`: {text!r} cannot be loaded. {error}") from error


def labels_of(model: Model, name: str, found: tuple[Any, ...], bounds: Bounds) -> tuple[Any, ...]:
    """Values of an axis in the types that the model takes.

    Raises:
        ConfigError: A value is no number, or breaks the rule of its setting.
    """
    if name == "material":
        return found
    place = f"axes.{name}"
    if name in FIRST:
        for value in found:
            if isinstance(value, bool) or not isinstance(value, int | float):
                infinite = isinstance(value, str) and value.lower().lstrip("+") in ("inf", "infinity")
                remedy = " Infinity is .inf." if infinite else ""
                unit = in_words(model.declaration(name).unit)
                raise ConfigError(f"`{place}` must contain numbers, in {unit}.{remedy} Got {value!r}.")
        return tuple(float(value) for value in found)
    typed = tuple(_cast(model, name, value, place, bounds) for value in found)
    for value in typed:
        if value is None or isinstance(value, tuple):
            raise ConfigError(f"`{place}` must contain numbers or words. Got {value!r}.")
    return typed
