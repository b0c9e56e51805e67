"""A made-up database of spectra in JARVIS's schema: elemental, molecular and hydride-like shapes, from a seed.

PYTHONPATH=tests python -m support.made_up 150 database.json
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from photogap.core.spectra import Peak, Spectrum
from photogap.core.units import ENERGY

POINTS = 200


def record(number: int, seed: int = 1) -> dict[str, Any]:
    """One record; every tenth is bad: cut off, with another lambda, or hardly coupled."""
    rng = np.random.default_rng([seed, number])
    kind = ("elemental", "molecular", "hydride")[number % 3]
    spectrum = Spectrum.from_peaks(_peaks(kind, rng))
    omega = np.linspace(0, float(spectrum.omega[-1]), POINTS + 1)[1:]
    alpha2F = sum(peak.alpha2F(omega) for peak in spectrum.peaks)
    lamb, wlog = spectrum.coupling_lambda, spectrum.omega_log / ENERGY["K"]
    fault = rng.integers(3) if number % 10 == 9 else -1
    if fault == 0:
        half = POINTS // 2
        omega, alpha2F = omega[:half], alpha2F[:half]
    elif fault == 1:
        lamb *= 2
    elif fault == 2:
        alpha2F, lamb = 0.1 * alpha2F, 0.1 * lamb
    side = rng.uniform(2.5, 5)
    return {
        "jid": f"MADE-{number:04d}", "formula": kind, "lamb": round(lamb, 4), "wlog": round(wlog, 2),
        "a2F_original_x": omega.tolist(), "a2F_original_y": alpha2F.tolist(), "a2F": [0.0] * 100,
        "atoms": {"lattice_mat": (side * np.eye(3)).tolist(), "elements": ["X"] * int(rng.integers(1, 4))},
    }  # fmt: skip


def _peaks(kind: str, rng: np.random.Generator) -> list[Peak]:
    """Modes: one to three below 40 meV; three to six molecular ones up to 200; a broad hydride's up to 200."""
    if kind == "elemental":
        centres, widths, total = rng.uniform(4, 40, rng.integers(1, 4)), 0.1, rng.uniform(0.5, 1.6)
    elif kind == "molecular":
        centres, widths, total = rng.uniform(15, 200, rng.integers(3, 7)), 0.04, rng.uniform(0.4, 1.0)
    else:
        centres, widths, total = rng.uniform(15, 200, rng.integers(4, 8)), 0.12, rng.uniform(0.8, 2.5)
    shares = rng.dirichlet(np.ones(len(centres)))
    return [
        Peak(centre=float(c), width=float(widths * c), lambda_=float(max(total * s, 1e-3)))
        for c, s in zip(centres, shares, strict=True)
    ]


def database(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Records, the bad ones included."""
    return [record(number, seed) for number in range(count)]


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(database(int(sys.argv[1]))))
