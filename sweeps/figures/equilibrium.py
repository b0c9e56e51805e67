"""Picture of an equilibrium state: Delta(omega), Z(omega) and the density of states."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .style import COLOURS

if TYPE_CHECKING:
    from ...core.equilibrium import Equilibrium


def draw(name: str, state: "Equilibrium", out: Path) -> Path:
    """Draw the state of a material up to the end of its phonons or ten gaps, whichever is larger."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    E, gap = state.E, state.gap
    top = min(E[-1], max(1.3 * state.coupling.lattice.Omega[-1], 10 * gap.edge))
    shown = top >= E
    figure = Figure(figsize=(6.4, 7.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(3, 1)
    for ax, values, label in ((axes[0], gap.Delta, r"$\Delta$ (meV)"), (axes[1], gap.Z, "$Z$")):
        ax.plot(E[shown], values.real[shown], color=COLOURS[0], label="real part")
        ax.plot(E[shown], values.imag[shown], color=COLOURS[1], linestyle="--", label="imaginary part")
        ax.set_ylabel(label, fontsize=12)
        ax.set_xlabel("energy (meV)", fontsize=11)
    # the pole of Z at E = 0 (with damping) would dominate the plot
    low, high = np.percentile(np.concatenate([gap.Z.real[shown], gap.Z.imag[shown]]), (1, 99))
    axes[1].set_ylim(low - 0.3, high + 0.3)
    axes[0].legend(fontsize=10)
    near = max(4 * gap.edge, 4 * state.coupling.lattice.h) >= E
    axes[2].plot(E[near], gap.rho[near], color=COLOURS[2])
    axes[2].set_ylabel(r"density of states $\rho$", fontsize=12)
    axes[2].set_xlabel("energy (meV)", fontsize=11)
    for ax in axes:
        ax.grid(alpha=0.3)
    figure.suptitle(
        f"{name}, T = {state.T:g} K, $T_c$ = {state.Tc:.4g} K, gap edge {gap.edge:.4g} meV", fontsize=12
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)
    return out


def draw_temperatures(name: str, states: "Sequence[Equilibrium]", out: Path) -> Path:
    """Draw Delta0 and the gap edge against temperature, with their square-root law near Tc."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    T, Tc = np.array([state.T for state in states]), states[0].Tc
    Delta0 = np.array([state.gap.Delta0 for state in states])
    edge = np.array([state.gap.edge for state in states])
    figure = Figure(figsize=(6.4, 4.8), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    order = np.argsort(T)
    below = order[(Delta0[order] > 0) & (Tc > T[order])]
    for values, marks, colour, label in (
        (Delta0, "o-", COLOURS[0], r"$\Delta_0$"),
        (edge, "s--", COLOURS[1], "gap edge"),
    ):
        # between the last gap and Tc no straight line is right
        ax.plot(T[below], values[below], marks, color=colour, label=label)
        ax.plot(np.delete(T, below), np.delete(values, below), marks[0], color=colour)
    if below.size:
        # the amplitude is that of the temperature nearest to Tc
        last = below[-1]
        near = np.linspace(max(0.7 * Tc, T.min()), Tc, 200)
        root = Delta0[last] * np.sqrt((1 - near / Tc) / (1 - T[last] / Tc))
        ax.plot(near, root, ":", color="0.4", label=r"$\propto\sqrt{1 - T/T_c}$, through the last $\Delta_0$")
    ax.set_xlabel("T (K)", fontsize=11)
    ax.set_ylabel("meV", fontsize=11)
    ax.set_ylim(bottom=0.0)
    ax.grid(alpha=0.3)
    ax.legend(fontsize=10)
    figure.suptitle(f"{name}, $T_c$ = {Tc:.4g} K", fontsize=12)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)
    return out
