"""Results of one computation for a notebook: a short repr, a table, labelled arrays."""

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import numpy as np
import xarray as xr

from ..core.equilibrium import Equilibrium
from ..core.pairing.gap import GapSolution
from ..core.quantities import AXES, DIMS
from ..core.result import Result, coordinates, variables
from ..core.settings import Point, Settings
from .ask.axes import FIRST


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EquilibriumState(Equilibrium):
    """A material in thermal equilibrium, with its arrays as a dataset."""

    @classmethod
    def of(cls, solved: Equilibrium) -> "EquilibriumState":
        """The state with its notebook display."""
        return cls(**{f.name: getattr(solved, f.name) for f in dataclasses.fields(solved)})

    @property
    def _numbers(self) -> dict[str, str]:
        return {
            "T": f"{self.T:.4g} K",
            "Tc": f"{self.Tc:.2f} K",
            "Delta0": _gap_at_zero(self.gap),
            "edge": f"{self.gap.edge:.3g} meV",
            "mu_star": f"{self.coupling.mu_star:.3g}",
            "N": f"{self.E.size}",
        }

    def __repr__(self) -> str:
        return f"EquilibriumState({', '.join(f'{k}={v}' for k, v in self._numbers.items())})"

    def _repr_html_(self) -> str:
        return _table("Equilibrium", self._numbers.items())

    def to_xarray(self) -> xr.Dataset:
        """Delta, Z and rho over the energy (meV), with T, Tc, Delta0 and the gap edge as scalars.

        Delta0 is NaN where Re Z(0) is too small (`GapSolution.Delta0`).
        """
        gap = self.gap
        series = {
            "Delta_real": (gap.Delta.real, "meV", "real part of the gap function"),
            "Delta_imag": (gap.Delta.imag, "meV", "imaginary part of the gap function"),
            "Z_real": (gap.Z.real, "1", "real part of the renormalisation function"),
            "Z_imag": (gap.Z.imag, "1", "imaginary part of the renormalisation function"),
            "rho": (gap.rho, "1", "quasiparticle density of states over the normal state's"),
        }
        scalars = {
            "T": (self.T, "K", "temperature"),
            "Tc": (self.Tc, "K", "transition temperature"),
            "Delta0": (gap.Delta0, "meV", "gap parameter at zero energy, Re phi(0) / Re Z(0); NaN if undefined"),
            "gap_edge": (gap.edge, "meV", "gap edge, Re Delta(E) = E"),
            "mu_star": (self.coupling.mu_star, "1", "Coulomb pseudopotential"),
        }
        labelled = {k: ("energy", v, {"units": u, "long_name": n}) for k, (v, u, n) in series.items()}
        single = {k: ((), v, {"units": u, "long_name": n}) for k, (v, u, n) in scalars.items()}
        return xr.Dataset(labelled | single, {"energy": ("energy", self.E, _attrs("energy"))})


@dataclass(frozen=True, kw_only=True, repr=False)
class Simulation(Result):
    """Outcome of one point, with the point and the settings that gave it.

    Args:
        point: The point.
        settings: Model and numerics.
    """

    point: Point
    settings: Settings

    @classmethod
    def of(cls, point: Point, settings: Settings, result: Result) -> "Simulation":
        """The result together with its point and settings."""
        found = {f.name: getattr(result, f.name) for f in dataclasses.fields(result)}
        return cls(point=point, settings=settings, **found)

    @property
    def _labels(self) -> dict[str, float]:
        return {name: getattr(self.point, name) for name in FIRST[1:]}

    def __repr__(self) -> str:
        labels = ", ".join(f"{k}={v:g} {AXES[k].unit}" for k, v in self._labels.items())
        sizes = f"{len(self.data)} outputs, {coordinates(self.settings)['time'].size} times"
        return f"Simulation({self.point.material.name}, {labels}: {self.outcome.value}, {self.message or sizes})"

    def _repr_html_(self) -> str:
        scalars = {v.name: v for v in variables(self.settings) if not v.dims and v.name in self.data}
        rows = [("material", self.point.material.name), ("outcome", self.outcome.value)]
        rows += [("message", self.message)] if self.message else []
        rows += [(k, f"{v:g} {AXES[k].unit}") for k, v in self._labels.items()]
        rows += [(k, f"{float(self.data[k]):.6g} {v.units}".removesuffix(" 1")) for k, v in scalars.items()]
        return _table("Simulation", rows)

    def to_xarray(self) -> xr.Dataset:
        """Outputs as a cube of this one point: coordinates `time`, ..., the five axes as scalar coordinates.

        Raises:
            ValueError: The point has no result; the message says why.
        """
        if not self.data:
            raise ValueError(f"the point has no result: {self.outcome.value}, {self.message}")
        dims = {k: (k, v, _attrs(k)) for k, v in coordinates(self.settings).items()}
        axes = {k: ((), v, {"units": AXES[k].unit}) for k, v in self._labels.items()}
        arrays = {
            v.name: (v.dims, np.asarray(self.data[v.name]), {"units": v.units, "long_name": v.long_name})
            for v in variables(self.settings)
        }
        return xr.Dataset(arrays, dims | axes | {"material": self.point.material.name})


def _gap_at_zero(gap: GapSolution) -> str:
    """Delta0 in words."""
    if math.isnan(gap.Delta0):
        return f"undefined (Re Z(0) = {gap.Z[0].real:.2g})"
    return f"{gap.Delta0:.3g} meV"


def _attrs(dim: str) -> dict[str, str]:
    return {"units": DIMS[dim].unit, "long_name": DIMS[dim].long_name}


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
    return f"<table><caption>{escape(title)}</caption>{body}</table>"
