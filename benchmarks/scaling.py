"""Cost against the lattice, slabs, time span, points and workers, measured and drawn; rows on a GPU as recorded.

    python benchmarks/scaling.py             measure (five minutes of CPU), write build/scaling.json, and draw
    python benchmarks/scaling.py cells span  measure these panels alone
    python benchmarks/scaling.py --draw      draw build/scaling.json again

CPU seconds of one thread, except against workers: points that sleep, and the time that ideal workers would need
over the time between a started and a stopped pool.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_sweep
import matplotlib as mpl
import numpy as np
from meter import fastest

from photogap.core.pairing.coherence import spectral_weights
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_film, simulate
from photogap.core.terms.collisions import collision_rates
from photogap.core.thermal import bose, fermi
from photogap.sweeps.materials import library

ROOT = Path(__file__).parent.parent
NUMBERS = ROOT / "build" / "scaling.json"
PICTURE = ROOT / "docs" / "figures" / "scaling.png"
PUMPED = {"F0": 0.1, "omega_pump": 170.0, "T": 30.0, "tau_esc": 0.02}
SPACINGS = (2.0, 1.0, 0.5, 0.25, 0.125)
SLABS = (1, 2, 4, 8)
SPANS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
POINTS = (40, 200, 1_000, 2_000, 10_000)
WORKERS = (1, 2, 4, 8)
EACH, SLEEP = 3, 10.0
"""Points of each worker, and their seconds."""
GPU = {"right-hand side": {1: 153.0, 256: 1.74, 2048: 1.12}, "gap iteration": {1: 130.0, 256: 4.39, 2048: 4.64}}
"""Microseconds a row of N = 2400 on one H200, JAX in double precision, as measured with the prototype of
`photogap.core.batched`."""

Curve = list[tuple[float, float]]


def cpu(function: Callable[[], object], repeats: int) -> float:
    """Least CPU seconds of a call, after one that compiles and fills caches."""
    function()
    return fastest(function, repeats)


def trajectory(repeats: int = 2, where: dict[str, float] | None = None, **settings: Any) -> float:
    """CPU seconds of a K3C60 trajectory."""
    point = Point(material=library.load("K3C60"), **(PUMPED | (where or {})))
    return cpu(lambda: simulate(point, Settings(**settings)), repeats)


def right_hand_side(spacing: float = 0.25) -> float:
    """CPU seconds of the collision integrals of K3C60."""
    film = build_film(library.load("K3C60"), spacing, 600.0)
    E = film.lattice.E
    rho, p = spectral_weights(E + 0j, np.full(E.size, 2.0 + 0j))
    f, n = fermi(E, 60.0), bose(film.lattice.Omega, 50.0)
    return cpu(lambda: [collision_rates(film, rho, p, f, n) for _ in range(100)], 3) / 100


def span(t_stop: float) -> float:
    """CPU seconds of a trajectory to `t_stop` ps, with 24 samples after the pulse."""
    tail = {} if t_stop <= 1.0 else {"t_linear_stop": 1.0, "n_times": 28, "n_tail": 24}
    return trajectory(2, {"tau_esc": 100.0}, spacing=0.5, t_stop=t_stop, **tail)


def swept(points: int) -> float:
    """CPU milliseconds a no-op point, driver and workers."""
    numbers = bench_sweep.measure("photogap", points)
    assert numbers is not None
    return float(numbers["driver_ms"] + numbers["workers_ms"])


def efficiency(workers: int) -> float:
    """Time of ideal workers over the time of a pool, for points that sleep; a process of its own."""
    path = [str(Path(__file__).parent), str(ROOT / "tests")]
    code = (
        f"import sys; sys.path[:0] = {path!r}\n"
        "import json, bench_sweep\n"
        f"bench_sweep.WORKERS, points = {workers}, {EACH * workers}\n"
        "bench_sweep.SHAPES[points] = (points, 1, 1)\n"
        f"print(json.dumps(bench_sweep.sweep(points, {SLEEP}, sys.argv[1])['wall_s']))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        run = [sys.executable, "-c", code, folder]
        out = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    return EACH * SLEEP / float(out.splitlines()[-1])


def panels() -> dict[str, Callable[[], Curve]]:
    """The measurement of each curve."""
    slab = {"F0": 0.1, "T": 8.0, "tau_esc": 1.0}
    thick = {"spacing": 0.5, "thickness": 200.0, "t_stop": 0.3}
    return {
        "cells": lambda: [(round(600.0 / h), trajectory(spacing=h)) for h in SPACINGS],
        "slabs": lambda: [(n, trajectory(2, slab, **thick, slabs=n)) for n in SLABS],
        "span": lambda: [(t, span(t)) for t in SPANS],
        "points": lambda: [(n, swept(n)) for n in POINTS],
        "workers": lambda: [(n, efficiency(n)) for n in WORKERS],
        "core": lambda: [(1, 1e6 * right_hand_side())],
    }


def measure(names: list[str]) -> dict[str, Any]:
    """Curves of these panels (all if none is named), added to those measured before."""
    found: dict[str, Any] = json.loads(NUMBERS.read_text(encoding="utf-8")) if NUMBERS.exists() else {}
    for name, panel in panels().items():
        if name in names or not names:
            found[name] = panel()
            print(name, found[name], flush=True)
    return found


def draw(found: dict[str, Any]) -> None:
    """The figure of six panels."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    from photogap.sweeps.figures.style import COLOURS, Style

    with mpl.rc_context(Style().rc):
        figure, axes = plt.subplots(2, 3, figsize=(7.0, 4.2), layout="constrained")
        rows = [(axis, *row) for axis, row in zip(axes.flat, PANELS, strict=True)]
        for axis, name, x, y, law in rows:
            axis.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
            if name != "GPU":
                at, cost = np.array(found[name]).T
                cost = cost / cost[0] if name == "slabs" else cost
                axis.plot(at, cost, "o-", color=COLOURS[0])
                if law is not None:
                    axis.plot(at, cost[-1] * (at / at[-1]) ** law, "--", color="0.6", zorder=0)
            for side, subs in ((axis.xaxis, (1.0,)), (axis.yaxis, (1.0, 2.0, 5.0))):
                side.set_major_locator(LogLocator(subs=subs))
                side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                side.set_minor_formatter(NullFormatter())
            axis.minorticks_off()
            if name in ("cells", "slabs", "workers"):
                axis.set_xticks(at, [f"{n:g}" for n in at])
        axes[0, 1].set_yticks(SLABS, [str(n) for n in SLABS])
        axes[1, 1].set(yscale="linear", ylim=(0.0, 1.05))
        axes[1, 2].axhline(found["core"][0][1], color=COLOURS[1], ls="--")
        axes[1, 2].annotate(
            "collisions, one core", (8, 0.92 * found["core"][0][1]), va="top", color=COLOURS[1], size=7
        )
        for (name, curve), style, colour in zip(GPU.items(), ("o-", "s-."), (0, 2), strict=True):
            axes[1, 2].plot(list(curve), list(curve.values()), style, color=COLOURS[colour], label=name)
        axes[1, 2].legend(loc="lower left")
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(PICTURE, dpi=200)


PANELS = (
    ("cells", "cells N of the lattice", "CPU time of a trajectory (s)", 1.0),
    ("slabs", "slabs without exchange", "CPU time / that of one slab", 1.0),
    ("span", "last time (ps)", "CPU time (s)", None),
    ("points", "no-op points of a sweep", "CPU time a point (ms)", None),
    ("workers", "workers", "ideal / actual time", None),
    ("GPU", "rows on a GPU", "time a row (µs)", None),
)
"""Curve, label of x, label of y, and the power law drawn dashed through the last point."""


def main() -> None:
    """Measure and draw, or draw."""
    if sys.argv[1:] != ["--draw"]:
        NUMBERS.parent.mkdir(exist_ok=True)
        NUMBERS.write_text(json.dumps(measure(sys.argv[1:])), encoding="utf-8")
    draw(json.loads(NUMBERS.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
