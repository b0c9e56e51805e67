"""The store's record: config as given and as resolved, versions, hosts and times of all runs."""

import dataclasses
import functools
import importlib.metadata
import platform
import socket
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..ask import libraries
from ..ask.identity import canonical, digest
from ..errors import ContradictionError

if TYPE_CHECKING:
    from ..ask.plan import Plan

_PACKAGES = ("photogap", "numpy", "scipy", "numba", "dask", "distributed", "xarray", "zarr", "pydantic")
_OPTIONAL = ("pyfftw",)


def versions() -> dict[str, str]:
    """Versions of Python, this package and its dependencies."""
    found = {"python": platform.python_version()}
    for name in (*_PACKAGES, *_OPTIONAL):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def unlike(ours: Mapping[str, str], theirs: Mapping[str, str | None]) -> list[str]:
    """Packages of different versions; an optional one may be missing on one side."""
    one_side = [name for name in _OPTIONAL if not (ours.get(name) and theirs.get(name))]
    return [name for name in {**ours, **theirs} if name not in one_side and ours.get(name) != theirs.get(name)]


@functools.cache
def git_revision() -> str | None:
    """Revision of the code's working tree, with `+` if it was modified; None outside a repository."""
    here = Path(__file__).resolve().parent
    try:
        run = functools.partial(subprocess.run, cwd=here, capture_output=True, text=True, timeout=10, check=True)
        if not run(["git", "ls-files", Path(__file__).name]).stdout.strip():
            return None
        revision = run(["git", "rev-parse", "HEAD"]).stdout.strip()
        return revision + (
            "+" if run(["git", "status", "--porcelain", "--untracked-files=no"]).stdout.strip() else ""
        )
    except (OSError, subprocess.SubprocessError):
        return None


def record_of(plan: "Plan") -> dict[str, Any]:
    """Record of a new store."""
    return {
        "format": 1,
        "base": plan.base,
        "model": plan.config.model,
        "materials": plan.material_digests,
        "named": _named(plan),
        "config": plan.config.model_dump(mode="json"),
        "folder": plan.config.folder,
        "resolved": {
            "settings": canonical(plan.settings),
            "materials": {label: canonical(material) for label, material in plan.materials.items()},
        },
        "runs": [],
    }


def config_hash(record: dict[str, Any]) -> str:
    """Hash of a store's config, which pictures of the cube carry, 32 hexadecimal digits."""
    return digest(record["config"])


def _named(plan: "Plan") -> dict[str, dict[str, Any]]:
    """Names given for the model's settings and their content, so that no file is needed again."""
    return {
        key: {
            name: {"digest": plan.named_digests[key][name], "content": plan.model.named[key].dump(content)}
            for name, content in found.items()
        }
        for key, found in plan.named.items()
    }


def run_entry(plan: "Plan") -> dict[str, Any]:
    """Start of a run."""
    return {
        "start": time.time(),
        "end": None,
        "outcome": "running",
        "host": socket.gethostname(),
        "versions": {**versions(), **libraries.versions(plan)},
        "git": git_revision(),
        "config": plan.config.model_dump(mode="json"),
    }


def refuse_contradiction(
    record: dict[str, Any], plan: "Plan", remedy: str = "Use another --store, or --recompute to start from scratch."
) -> None:
    """Compare a store's record with a plan; `remedy` is advice to the user.

    Raises:
        ContradictionError: The plan contradicts the store; the message lists the differences.
    """
    old, new = (_with_later(base, plan) for base in (record["base"], plan.base))
    differs = [*_moved(record, plan), *_differences("", old, new, _axes_of_either(record, plan))]
    for label, known in record["materials"].items():
        if plan.material_digests.get(label, known) != known:
            differs.append(f"material `{label}` has other numbers than when the store was created")
    for key, found in plan.named_digests.items():
        for name, known in record.get("named", {}).get(key, {}).items():
            if found.get(name, known["digest"]) != known["digest"]:
                differs.append(f"`{key}` {name!r} has other numbers than when the store was created")
    if differs:
        raise ContradictionError(f"the config contradicts the store: {'; '.join(differs)}. {remedy}")


def _with_later(base: dict[str, Any], plan: "Plan") -> dict[str, Any]:
    """Choices shared by all points, with the defaults of later settings, which identities leave out."""
    fields = dataclasses.fields(plan.settings)
    later = {f.name: canonical(f.default) for f in fields if f.metadata.get("later")}
    return base | {"settings": later | base["settings"]}


def _axes_of(record: dict[str, Any]) -> set[str]:
    """Names of a store's axes and of all quantities zipped with them."""
    return {name for axis in record["axes"] for name in (axis["name"], *axis["followers"])}


def _axes_of_either(record: dict[str, Any], plan: "Plan") -> set[str]:
    return _axes_of(record) ^ plan.grid.names


def _moved(record: dict[str, Any], plan: "Plan") -> Iterator[str]:
    """Settings of the store that are axes of the plan, and the reverse."""
    axes = {True: plan.grid.names, False: _axes_of(record)}
    for name in sorted(_axes_of_either(record, plan)):
        now, before = ("an axis" if name in axes[is_now] else "a setting" for is_now in (True, False))
        yield f"`{name}` is {before} in the store and {now} now"


def _differences(place: str, old: Any, new: Any, known: Collection[str] = ()) -> Iterator[str]:
    """Differences of two trees, except those of the settings in `known`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for k in sorted({*old, *new}):
            if place != "settings" or k not in known:
                yield from _differences(f"{place}.{k}" if place else k, old.get(k), new.get(k), known)
    elif old != new:
        yield f"`{place}` is {old!r} in the store and {new!r} now"
