"""Picture of an equilibrium state: Delta(E), Z(E) and the density of states."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...core.pairing.coherence import between_points
from .canvas import Canvas, legend, legend_of
from .style import COLOURS, COLUMN, line_style, new, points, printed, room, styled
from .words import formula

if TYPE_CHECKING:
    from ...core.equilibrium import Equilibrium

_FINE: Final = 4000
"""Energies of a curve."""
_HIGHEST: Final = 6.0
"""Largest density of states shown; undamped, the edge's is infinite."""
_WIDTH: Final = 5.0


def draw(name: str, state: "Equilibrium", out: Path, *, style: str = "screen", columns: int = 0) -> Path:
    """Draw the state of a material up to the end of its phonons or ten gaps, whichever is larger.

    Between lattice points E Z and Delta Z are linear, as in the solver.
    """
    with styled(style, columns):
        return _saved(_state(name, state), out)


def _saved(figure: Canvas, out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=figure.print_dpi)
    return out


@printed
def _state(name: str, state: "Equilibrium") -> Canvas:
    E, gap = state.E, state.gap
    lattice = state.coupling.lattice

    def on(energies: Any) -> Any:
        return between_points(energies, E * gap.Z, gap.Delta * gap.Z, lattice.h)

    top = float(min(E[-1], max(1.3 * lattice.Omega[-1], 10 * gap.edge)))
    wide = np.linspace(top / _FINE, top, _FINE)
    figure = new(COLUMN, 5.4) if room(_WIDTH) < _WIDTH else new(_WIDTH, 5.4)
    axes = figure.subplots(3, 1)
    Delta, Z, _ = on(wide)
    for ax, values, label in ((axes[0], Delta, r"$\Delta(E)$ (meV)"), (axes[1], Z, "$Z(E)$")):
        ax.axhline(0, color="#888888", linewidth=points(0.6))
        ax.plot(wide, values.real, color=COLOURS[0], label="real part")
        ax.plot(wide, values.imag, color=COLOURS[1], linestyle="--", label="imaginary part")
        ax.set_ylabel(label)
    # The pole of Z at E = 0, with damping, would dominate the plot.
    low, high = np.percentile(np.concatenate([Z.real, Z.imag]), (1, 99))
    axes[1].set_ylim(low - 0.3, high + 0.3)
    near = float(min(E[-1], max(4 * gap.edge, 4 * lattice.h)))
    energies = _around(gap.edge, near)
    rho = on(energies)[2]
    axes[2].plot(energies, rho, color=COLOURS[2])
    axes[2].set_ylim(0, min(_HIGHEST, 1.1 * float(rho.max())))
    axes[2].set_ylabel("$N(E)/N(0)$")
    for ax in axes:
        ax.set_xlabel("Energy $E$ (meV)")
        ax.margins(x=0)
        ax.grid(alpha=0.3, linewidth=points(0.5))
    legend(figure, axes[0])
    figure.suptitle(
        f"{formula(name)}, $T$ = {state.T:g} K, $T_\\mathrm{{c}}$ = {state.Tc:.4g} K, gap edge {gap.edge:.4g} meV"
    )
    return figure


def _around(edge: float, top: float) -> Any:
    """Energies up to `top`, meV, dense on both sides of the gap edge, where the density of states is steep."""
    grid = np.linspace(top / _FINE, top, _FINE)
    if not 0 < edge < top:
        return grid
    away = np.geomspace(1e-6, 1.0, 400) * edge
    every = np.concatenate([grid, edge - away, edge + away])
    return np.unique(every[(every > 0) & (every <= top)])


def draw_temperatures(
    name: str, states: "Sequence[Equilibrium]", out: Path, *, style: str = "screen", columns: int = 0
) -> Path:
    """Draw Delta0 and the gap edge against temperature, with the square root that they follow near Tc."""
    with styled(style, columns):
        return _saved(_temperatures(name, states), out)


@printed
def _temperatures(name: str, states: "Sequence[Equilibrium]") -> Canvas:
    T, Tc = np.array([state.T for state in states]), states[0].Tc
    Delta0 = np.array([state.gap.Delta0 for state in states])
    edge = np.array([state.gap.edge for state in states])
    figure = new(COLUMN, 2.6)
    ax = figure.subplots()
    order = np.argsort(T)
    below = order[(Delta0[order] > 0) & (Tc > T[order])]
    for i, (values, mark, label) in enumerate(((Delta0, "o", r"$\Delta_0$"), (edge, "s", "gap edge"))):
        # between the last gap and Tc no straight line is right
        style = line_style(i)
        ax.plot(T[below], values[below], marker=mark, label=label, **style)
        style["linestyle"] = "none"
        ax.plot(np.delete(T, below), np.delete(values, below), marker=mark, **style)
    if below.size:
        # the amplitude is that of the temperature nearest to Tc
        last = below[-1]
        near = np.linspace(max(0.7 * Tc, T.min()), Tc, 200)
        root = Delta0[last] * np.sqrt((1 - near / Tc) / (1 - T[last] / Tc))
        ax.plot(
            near, root, ":", color="0.4", label=r"$\propto\sqrt{1 - T/T_\mathrm{c}}$, through the last $\Delta_0$"
        )
    ax.set_xlabel("$T$ (K)")
    ax.set_ylabel("Gap (meV)")
    ax.set_ylim(bottom=0.0)
    ax.grid(alpha=0.3, linewidth=points(0.5))
    legend_of(figure, *ax.get_legend_handles_labels())
    figure.suptitle(f"{formula(name)}, $T_\\mathrm{{c}}$ = {Tc:.4g} K")
    return figure
