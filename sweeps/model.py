"""The seam between orchestration and physics: what a sweep needs to know of a solver.

A model is named in a config by `module:attribute`, so that workers import it by name and a test or a user can
sweep a solver of their own. The default, over `photogap.core`, is made in `solver`.
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
"""References in records of older stores, and those that take their place."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A setting of which a user gives the name or the file, and the solver gets the content.

    Args:
        load: Content of what a user gave; it opens a file with the `Files` it gets, and nothing else; ValueError or
            OSError if there is no such content.
        label: Label of what a user gave, without reading anything.
        dump: Content as JSON, for the store's record.
        restore: Content from that JSON, where its file is gone.
        is_file: Whether what a user gave is a file's path.
    """

    load: Callable[[Any, Files], Any]
    label: Callable[[Any], str | float]
    dump: Callable[[Any], Any]
    restore: Callable[[Any], Any]
    is_file: Callable[[Any], bool] = lambda given: isinstance(given, str)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A solver and the schema of its results.

    Args:
        name: Name of the model, part of a point's identity.
        version: Version of the model, part of a point's identity: another version makes other points.
        point: Class of a point; takes the five axes as keywords and refuses what has no meaning.
        settings: Class of settings, a frozen dataclass; each of its fields may be an axis.
        simulate: Pure function of (point, settings); returns an object like `core.result.Result`.
        variables: Outputs of `simulate` under given settings, `core.result.Variable` or like it.
        coordinates: Labels of the outputs' own dims under given settings.
        switches: Settings on which `variables` depends; None if it may be any.
        load_material: Material of a name or a file's path; it opens a file with the `Files` it gets, and nothing
            else.
        rules: Rules that bind several of a point's quantities, `core.declaration.Joint` or like it: a sweep tries
            each on the combinations of those that are axes, before any task.
        named: Settings of which a user gives a name.
        finer: Settings of the same physics with one numerical choice made finer, by what was changed, from
            (point, settings).
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

    def declaration(self, name: str) -> Declaration:
        """Declaration of an axis or a setting; one without any is its name in words."""
        words = f"{str(name).replace('_', ' ')} (setting of the model)"
        settings: Any = self.settings
        found = {**declarations(settings), **AXES}
        return found.get(name) or Declaration(doc=words, long_name=words)


GROUP = "photogap.models"
"""Entry points by which plug-ins name their models."""


def current(reference: str) -> str:
    """The reference of today for one that a store's record may hold."""
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
