"""The equilibrium superconductor: Tc, gap function, renormalisation and density of states at a temperature."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .accuracy import ORDERS, RTOL, Choice, Numbers, choose_lattice, first_lattice, spacing_order
from .constants import KB
from .lattice import Array, Complex, Lattice
from .material import Material
from .pairing.eliashberg import Coupling
from .pairing.gap import GapSolution, SelfEnergy, solve_gap
from .pairing.pseudopotential import from_convention
from .pairing.tc import calibrate_mu_star, critical_temperature
from .pairing.tracking import GapError, GapTracker
from .settings import Damping
from .simulate import build_bare_coupling, build_coupling
from .thermal import bose, fermi


@dataclass(frozen=True, kw_only=True, eq=False)
class Equilibrium:
    """A material in thermal equilibrium.

    Args:
        coupling: Spectrum on its lattice, with mu_star.
        T: Temperature, K.
        Tc: Transition temperature, K.
        gap: Solution of the gap equation: Delta (meV), Z, rho at E_i, shape (N,).
    """

    coupling: Coupling
    T: float
    Tc: float
    gap: GapSolution

    @property
    def E(self) -> Array:
        """Quasiparticle energies, meV, shape (N,)."""
        return self.coupling.lattice.E

    @property
    def gapless(self) -> bool:
        """Return whether there is an order parameter but no edge: lifetimes fill the gap."""
        return not self.gap.is_normal and self.gap.edge == 0.0


@dataclass(frozen=True, eq=False)
class Accurate:
    """Equilibrium at one or more temperatures, on a lattice chosen for an accuracy.

    Args:
        states: One for each temperature.
        choice: The lattice, and the bound on the error of each number.
    """

    states: tuple[Equilibrium, ...]
    choice: Choice

    def errors(self, index: int = 0) -> dict[str, float]:
        """Bound on the error of each number of a state, by the names of `observables`."""
        names = tuple(observables(self.states[index]))
        numbers, presence = np.split(self.choice.error, [len(names) * len(self.states)])
        bounds = dict(zip(names, numbers[len(names) * index :].tolist(), strict=False))
        if math.isnan(self.states[index].gap.Delta0):
            bounds["Delta0_meV"] = math.nan
        height, E = edge_presence(self.states[index].gap)
        if abs(height - 1.0) < presence[index]:
            # a finer lattice may have an edge where this one has none, or none where this one has one
            bounds["gap_edge_meV"] = max(bounds["gap_edge_meV"], E)
        return bounds


def observables(state: Equilibrium) -> dict[str, float]:
    """Numbers of a state that depend on the lattice: mu_star, Tc (K), Delta0 and edge (meV), Re Z(0).

    Delta0 is NaN where Re Z(0) is too small (`GapSolution.Delta0`).
    """
    return {
        "mu_star": state.coupling.mu_star,
        "Tc_K": state.Tc,
        "Delta0_meV": state.gap.Delta0,
        "gap_edge_meV": state.gap.edge,
        "Z0": float(state.gap.Z[0].real),
    }


def edge_presence(gap: GapSolution) -> tuple[float, float]:
    """Largest Re Delta(E) / E, at most 2, and the energy (meV) at which it is largest.

    Lifetimes make Re Delta vanish at E = 0. As they shorten, this maximum falls through one and the edge, where
    Re Delta(E) = E, ends at once at the energy of the maximum. The maximum converges with the lattice; next to that
    end the edge does not.
    """
    E = (np.arange(gap.rho.size) + 0.5) * gap.h
    ratio = gap.Delta.real / E
    i = int(np.argmax(ratio))
    return min(float(ratio[i]), 2.0), float(E[i])


def solve_equilibrium(
    material: Material,
    T: float,
    *,
    mu_star: float | None = None,
    spacing: float | None = None,
    window: float | None = None,
    damping: Damping = "full",
    tol: float = 1e-6,
    near: Equilibrium | None = None,
) -> Equilibrium:
    """Solve the gap equation in equilibrium on one lattice.

    Args:
        material: The material; its Tc0 calibrates mu_star unless it is given.
        T: Temperature, K, > 0.
        mu_star: Coulomb pseudopotential by the material's convention; None takes the material's, or calibrates it.
        spacing, window: Lattice, meV; None takes the material's.
        damping: `full` or `real`.
        tol: Relative residual.
        near: The same state on another lattice, to start from.
    Raises:
        ValueError: for a temperature that is not positive, or a Tc0 that no mu_star gives.
        GapError: if the gap equation does not converge.
    """
    _check_temperature(T)
    stated = material if mu_star is None else replace(material, mu_star=mu_star)
    coupling, Tc = _transition(stated, spacing or material.spacing, window or material.window, damping, near)
    return Equilibrium(coupling=coupling, T=T, Tc=Tc, gap=_gap(coupling, T, damping, tol, near))


def solve_to_accuracy(
    material: Material,
    temperatures: Sequence[float],
    *,
    rtol: float = RTOL,
    mu_star: float | None = None,
    spacing: float | None = None,
    window: float | None = None,
    damping: Damping = "full",
) -> Accurate:
    """Solve the gap equation in equilibrium on a lattice that gives every number to `rtol`.

    The errors of Delta0 and of the edge are relative to their largest values over the temperatures.

    Args:
        material: The material; its own lattice is ignored.
        temperatures: One or more, K, > 0.
        rtol: Relative accuracy of mu_star (relative to 0.1 if it is smaller), Tc, edge, Z(0) (relative to 1 if
            it is smaller) and, where it is defined, Delta0.
        mu_star: Coulomb pseudopotential by the material's convention; None takes the material's, or calibrates it.
        spacing, window: Fixed choice, meV; None searches for one.
        damping: `full` or `real`.
    Raises:
        AccuracyError: if `rtol` is out of reach.
        ValueError: as `solve_equilibrium`.
        GapError: if the gap equation does not converge on the chosen lattice.
    """
    for T in temperatures:
        _check_temperature(T)
    stated = material if mu_star is None else replace(material, mu_star=mu_star)
    lattices: list[list[Equilibrium | None]] = []

    def estimate(h: float, top: float) -> Numbers:
        before = lattices[-1] if lattices else [None] * len(temperatures)
        known = next((state for state in before if state is not None), None)
        coupling, Tc = _transition(stated, h, top, damping, known)
        states: list[Equilibrium | None] = []
        for T, near in zip(temperatures, before, strict=True):
            try:
                gap = _gap(coupling, T, damping, min(1e-6, 1e-3 * rtol), near)
            except GapError:
                states.append(None)
            else:
                states.append(Equilibrium(coupling=coupling, T=T, Tc=Tc, gap=gap))
        lattices.append(states)
        return _estimate(states, rtol)

    # the BCS gap, enlarged for strong coupling, reduced if mu_star is sought
    first = first_lattice(material.spectrum, 1.764 * KB * material.Tc0)
    choice = choose_lattice(
        estimate,
        spacing=spacing or first[0],
        window=window or first[1],
        rtol=rtol,
        orders=(spacing_order(material.spectrum, first[0], rtol), ORDERS[1]),
        measured=True,
        fixed=(spacing is not None, window is not None),
    )
    return Accurate(tuple(choice.best.state), choice)


def _check_temperature(T: float) -> None:
    if not (T > 0 and math.isfinite(T)):
        raise ValueError(f"`T` must be positive, in K. Got {T!r}.")


def _transition(
    material: Material, spacing: float, window: float, damping: Damping, near: Equilibrium | None
) -> tuple[Coupling, float]:
    """The coupling on a lattice and its Tc (K): the stated Tc0 if mu_star is calibrated to it."""
    if near is None:
        coupling, guess, step, start = build_coupling(material, spacing, window, damping), material.Tc0, 0.25, None
    else:
        bare, guess, step = build_bare_coupling(material, spacing, window), near.Tc, 0.01
        start = None if near.gap.is_normal else np.interp(bare.lattice.E, near.E, near.gap.p)
        if material.mu_star is None:
            mu_star = near.coupling.mu_star
            coupling = calibrate_mu_star(bare, material.Tc0, damping, near=mu_star, start=start)
        else:
            coupling = from_convention(
                bare, material.spectrum, material.mu_star, material.mu_star_at, guess=guess, step=step
            )
    if material.mu_star is None:
        return coupling, material.Tc0
    return coupling, critical_temperature(coupling, damping, guess=guess, step=step, start=start)


def _gap(coupling: Coupling, T: float, damping: Damping, tol: float, near: Equilibrium | None) -> GapSolution:
    """The gap at T (K), starting from the same state on another lattice if available."""
    lattice = coupling.lattice
    if near is not None and not near.gap.is_normal:
        kernel = coupling.kernel(bose(lattice.Omega, T))
        start = _moved(near.gap.self_energy, near.coupling.lattice, lattice)
        gap = solve_gap(kernel, fermi(lattice.E, T), start, damping=damping, tol=tol)
        if gap.converged and not gap.is_normal:
            return gap
    return GapTracker(coupling, damping, tol).solve_equilibrium(T)


def _moved(state: SelfEnergy, old: Lattice, new: Lattice) -> SelfEnergy:
    """A state on another lattice: linear between the cells, E Z - E and phi constant beyond the window."""

    def at(values: Complex) -> Complex:
        return np.asarray(np.interp(new.E, old.E, values.real) + 1j * np.interp(new.E, old.E, values.imag))

    return SelfEnergy(new.E + at(state.omegaZ - old.E), at(state.phi))


def _estimate(states: list[Equilibrium | None], rtol: float) -> Numbers:
    """The observables of all temperatures one after another, then `edge_presence` of each; NaN where the gap
    equation did not converge.

    The scale of `edge_presence` makes `rtol` the error at which it is not known whether there is an edge.
    """
    found = [observables(state) for state in states if state is not None]
    if not found:
        raise GapError("the gap equation did not converge at any temperature; take a smaller `spacing`")
    names = tuple(found[0])
    # an undefined Delta0 sets no scale
    defined = [{key: 0.0 if math.isnan(value) else value for key, value in numbers.items()} for numbers in found]
    thermal = KB * found[0]["Tc_K"]
    sizes = {
        key: max(numbers[key] for numbers in defined) or (thermal if key.endswith("meV") else 1.0) for key in names
    }
    sizes["mu_star"] = max(sizes["mu_star"], 0.1)
    sizes["Z0"] = max(max(abs(numbers["Z0"]) for numbers in found), 1.0)
    none = dict.fromkeys(names, math.nan)
    rows = [none if state is None else observables(state) for state in states]
    presence = [math.nan if state is None else edge_presence(state.gap)[0] for state in states]
    clear = [max(abs(height - 1.0), 1e-9) if height == height else 1.0 for height in presence]
    return Numbers(
        values=np.array([row[key] for row in rows for key in names] + presence),
        scale=np.array(
            [
                math.inf if state is not None and math.isnan(row[key]) else sizes[key]
                for state, row in zip(states, rows, strict=True)
                for key in names
            ]
            + [distance / rtol for distance in clear]
        ),
        names=names * len(rows) + ("presence of a gap edge",) * len(rows),
        state=states,
    )
