"""Selection of the data of a figure: labels by value, one point, or the remaining lines."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import xarray as xr

from ..ask.axes import FIRST, OWN
from ..ask.selector import positions
from .words import quantity

_NOTHING = "the figure needs a successful point; see `photogap status`. Got only NaN in {!r}."


def select(ds: xr.Dataset, at: Mapping[str, Any]) -> xr.Dataset:
    """Part of a dataset at given labels, as `ask.selector` reads them; several keep the axis.

    Raises:
        ValueError: The axis or the label does not exist.
    """
    for name, wanted in at.items():
        if name not in ds.coords or ds[name].ndim != 1:
            axes = ", ".join(map(str, ds.dims))
            raise ValueError(f"`at` must name an axis of the cube: {axes}. Got {name!r}.")
        ds = ds.isel({ds[name].dims[0]: positions(ds[name].values.tolist(), wanted, name, "at")})
    return ds


def present(ds: xr.Dataset, variable: str, *dims: str) -> xr.DataArray:
    """A variable that a figure needs, with its dims.

    Raises:
        ValueError: The variable is missing; the message names the settings that record it.
    """
    if variable not in ds:
        raise ValueError(
            f"the figure needs `{variable}` in the cube{_how(variable, dims)}. "
            f"Got {', '.join(map(str, ds.data_vars))}."
        )
    values = ds[variable]
    missing = [d for d in dims if d not in values.dims]
    if missing:
        raise ValueError(
            f"the figure needs `{variable}` over {', '.join(dims)}. Got {tuple(map(str, values.dims))}."
        )
    return values


def _how(variable: str, dims: Sequence[str]) -> str:
    """Settings that make a sweep record a variable."""
    hint = {"energy": "`energies`", "frequency": "`frequencies`"}
    needs = [hint[d] for d in dims if d in hint]
    if variable.startswith(("dR_R0", "dT_T0", "sigma")):
        needs += ["`omega_probe`", *(["`tau_probe`"] if variable.endswith("_seen") else [])]
    return f"; set {' and '.join(needs)} under `settings` of the sweep" if needs else ""


def lines(values: xr.DataArray, dims: Sequence[str], most: int = 12) -> Iterator[tuple[str, xr.DataArray]]:
    """One array per combination of the axes besides `dims`, labelled by those that differ; NaN arrays are left out.

    Raises:
        ValueError: No array is left, or more than can be distinguished.
    """
    others = [d for d in values.dims if d not in dims]
    found = []
    for index in itertools.product(*(range(values.sizes[d]) for d in others)):
        line = values.isel(dict(zip(others, index, strict=True)))
        if bool(line.notnull().any()):
            found.append((_label(line, values), line.transpose(*dims)))
    if not found:
        raise ValueError(_NOTHING.format(values.name))
    if len(found) > most:
        many = ", ".join(f"{d} ({values.sizes[d]})" for d in others if values.sizes[d] > 1)
        raise ValueError(f"a figure shows at most {most} lines; select among {many} with `at`. Got {len(found)}.")
    yield from found


def single(values: xr.DataArray, dims: Sequence[str]) -> xr.DataArray:
    """The only array with these dims.

    Raises:
        ValueError: Another axis has several labels, or the point failed.
    """
    several = {str(d): values[d].values.tolist()[:12] for d in values.dims if d not in dims and values.sizes[d] > 1}
    if several:
        name, labels = next(iter(several.items()))
        raise ValueError(f"the figure shows one point: select {name} with `at`. Got {name} = {labels}.")
    out = values.squeeze([d for d in values.dims if d not in dims]).transpose(*dims).compute()
    if not bool(out.notnull().any()):
        raise ValueError(_NOTHING.format(values.name))
    return out


def caption(values: xr.DataArray, only: Sequence[str] | None = None) -> str:
    """Labels common to everything shown, in one line; a figure's heading breaks it.

    Args:
        values: Data of the figure.
        only: Names of the coordinates to mention; None mentions all.
    """
    common = [c for c in _ordered(values) if c.size == 1 and (only is None or c.name in only)]
    return ", ".join(quantity(c) for c in common)


def _ordered(values: xr.DataArray) -> list[xr.DataArray]:
    """Labels except those of time, energy and frequency, with the five axes of every cube first."""
    coords = [c for c in values.coords.values() if c.name not in OWN]
    return sorted(coords, key=lambda c: FIRST.index(str(c.name)) if c.name in FIRST else len(FIRST))


def _label(line: xr.DataArray, whole: xr.DataArray) -> str:
    """Labels of the axes over which lines differ, the leading axes and those zipped with them."""
    differ = [c.name for c in _ordered(whole) if c.size > 1 and line[c.name].ndim == 0]
    return ", ".join(quantity(line[name]) for name in differ)
