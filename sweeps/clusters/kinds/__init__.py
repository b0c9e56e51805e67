"""Kinds of clusters, one module each, found in this folder: a new module needs no other file.

Other packages add kinds by the entry-point group `photogap.clusters`; each entry is a `Spec`.
"""

import functools
import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points

from ...errors import ConfigError
from ..spec import Spec
from ..system import System

GROUP = "photogap.clusters"


@functools.cache
def _own() -> dict[str, type[Spec]]:
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.KIND.kind_name(): module.KIND for module in modules}


@functools.cache
def _further() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _own()}


def known() -> list[str]:
    """Names of all kinds."""
    return sorted({*_own(), *_further()})


def kind_named(name: str) -> type[Spec] | None:
    """Kind of this name, or None.

    Raises:
        ConfigError: The package that brings it cannot be loaded.
    """
    if name in _own():
        return _own()[name]
    if name not in _further():
        return None
    entry = _further()[name]
    try:
        kind = entry.load()
    except Exception as error:
        raise ConfigError(
            f"the cluster kind {name!r} of {entry.value!r} cannot be loaded ({type(error).__name__}: {error})."
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Spec)):
        raise ConfigError(f"the cluster kind {name!r} must be a subclass of `Spec`. Got {entry.value!r}.")
    return kind


def system_named(name: str) -> System | None:
    """Batch system of a kind; None if it has none, or there is no such kind.

    Raises:
        ConfigError: As of `kind_named`.
    """
    kind = kind_named(name)
    return None if kind is None else kind.system
