"""The interface between orchestration and physics: everything a sweep needs from a solver.

A model is named in a config by `module:attribute`, so that workers import it by name and a test or a user can sweep
another solver. The default, over `photogap.core`, is defined in `solver`.
"""

import functools
import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.declaration import Declaration, declarations
from ..core.quantities import AXES
from .errors import ConfigError
from .files import Files

DEFAULT = "photogap.sweeps.solver:MODEL"
"""Reference of the built-in model."""
_FORMER = {"photogap.sweeps.model:MODEL": DEFAULT}
"""References in records of older stores, and their replacements."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A setting given as a name or a file; the solver receives its content.

    Args:
        load: Content of the user's value; opens files only with the given `Files`; raises ValueError or OSError if
            there is no such content.
        label: Label of the user's value, without reading anything.
        dump: Content as JSON, for the store's record.
        restore: Content from that JSON, for a missing file.
        is_file: Whether the user's value is the path of a file.
    """

    load: Callable[[Any, Files], Any]
    label: Callable[[Any], str | float]
    dump: Callable[[Any], Any]
    restore: Callable[[Any], Any]
    is_file: Callable[[Any], bool] = lambda given: isinstance(given, str)


def _no_choice(settings: Any) -> Mapping[str, str]:
    """No libraries: settings choose none."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Model:
    """A solver and the schema of its results.

    Args:
        name: Name of the model, part of a point's identity.
        version: Version of the model, part of a point's identity.
        point: Class of a point; takes the five axes as keywords and refuses invalid values.
        settings: Class of settings, a frozen dataclass; each of its fields may be an axis.
        simulate: Pure function of (point, settings); returns an object like `core.result.Result`.
        variables: Outputs of `simulate` under given settings, like `core.result.Variable`.
        coordinates: Labels of the outputs' own dims under given settings.
        switches: Settings on which `variables` depends; None for any.
        load_material: Material from a name or the path of a file; opens files only with the given `Files`.
        rules: Rules that bind several of a point's quantities, like `core.declaration.Joint`: a sweep checks each
            for all combinations of those that are axes, before any task.
        named: Settings given by name.
        finer: Settings of the same physics with one numerical choice made finer, by what was changed, from
            (point, settings).
        batched: `module:attribute` of a function that computes many points at once, for `backend: gpu`: of pairs
            (point, settings) it yields the place of each and its result, or an object with the `reason` why
            `simulate` has to compute it. None if there is none.
        libraries: Versions of libraries that settings choose, by name, for the record of a run; raises ImportError,
            with the remedy, if this process lacks one.
    """

    name: str
    version: str
    point: Callable[..., Any]
    settings: type[Any]
    simulate: Callable[[Any, Any], Any]
    variables: Callable[[Any], tuple[Any, ...]]
    coordinates: Callable[[Any], dict[str, Any]]
    load_material: Callable[[str, Files], Any]
    switches: tuple[str, ...] | None = None
    rules: tuple[Any, ...] = ()
    named: Mapping[str, Named] = field(default_factory=dict)
    finer: Callable[[Any, Any], Mapping[str, Any]] | None = None
    batched: str | None = None
    libraries: Callable[[Any], Mapping[str, str]] = _no_choice

    def declaration(self, name: str) -> Declaration:
        """Declaration of an axis or a setting; by default, its name in words."""
        words = f"{str(name).replace('_', ' ')} (setting of the model)"
        settings: Any = self.settings
        found = {**declarations(settings), **AXES}
        return found.get(name) or Declaration(doc=words, long_name=words)


GROUP = "photogap.models"
"""Entry points by which plug-ins name their models."""


def current(reference: str) -> str:
    """Present name of a model whose name in a store's record may be an older one."""
    return _FORMER.get(reference, reference)


@functools.lru_cache
def resolve(reference: str) -> Model:
    """Model behind `module:attribute`, or behind the name of a plug-in.

    Raises:
        ConfigError: The module or the attribute is missing, no plug-in has the name, or it is not a `Model`.
    """
    reference = current(reference)
    try:
        found = _plugin(reference) if reference.isidentifier() else _attribute(reference)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            "`model` must be `module:attribute` of an importable Model, or the name of an installed plug-in. "
            f"Got {reference!r} ({error})."
        ) from error
    if not isinstance(found, Model):
        raise ConfigError(
            f"`model` must name a photogap.sweeps.model.Model. Got {reference!r}, a {type(found).__name__}."
        )
    return found


def _attribute(reference: str) -> Any:
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute or "MODEL")


def _plugin(name: str) -> Any:
    plugins = {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}
    if name in plugins:
        return plugins[name].load()
    try:
        return _attribute(name)
    except ImportError:
        known = ", ".join(sorted(plugins)) or "none is installed"
        raise ImportError(f"no module and no plug-in has this name; plug-ins: {known}") from None
