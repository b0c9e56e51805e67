"""Edges of `photogap equilibrium` with default options against the imaginary axis: a table of docs/accuracy.md.

    PYTHONPATH=tests python -m support.references Pb LaH10 path/to/Nb.a2f=meV

Every spectrum is solved alone (mu_star = 0) by the command, in a process of its own; CPU seconds are the whole
process's, imports included.
"""

import json
import math
import resource
import subprocess
import sys
from pathlib import Path

from photogap.core.spectra import Spectrum
from photogap.sweeps.materials import library, spectra
from support import matsubara

REDUCED = (0.1, 0.5, 0.9, 0.95)
"""Temperatures, relative to Tc."""


def solve(arguments: list[str]) -> tuple[dict[str, float], float]:
    """Record and CPU seconds of `photogap equilibrium`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "photogap", "equilibrium", *arguments, "--mu-star", "0", "--json"]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(found.stdout), sum(
        getattr(after, part) - getattr(before, part) for part in ("ru_utime", "ru_stime")
    )


def load(given: str) -> tuple[Spectrum, list[str]]:
    """Spectrum of a packaged material, or of FILE=UNITS, and the arguments that name it to the command."""
    path, _, units = given.partition("=")
    if not units:
        return library.load(path).spectrum, [path]
    return spectra.read(Path(path), units=units), [path, "--units", units]


def row(given: str) -> str:
    """Errors of the edge relative to the edge, and CPU seconds, by temperature."""
    spectrum, named = load(given)
    Tc = matsubara.critical_temperature(spectrum)
    cells, seconds, lattices = [], [], []
    for t in REDUCED:
        record, cpu = solve([*named, "--T", repr(t * Tc)])
        seconds.append(cpu)
        lattices.append(f"{record['spacing_meV']:.3g}/{record['window_meV']:.4g}")
        edge = matsubara.gap_edge(spectrum, t * Tc)
        if math.isnan(edge):
            cells.append("gapless in both" if record["gapless"] else f"{record['gap_edge_meV']:.4g} meV, not 0")
        else:
            cells.append(f"{abs(record['gap_edge_meV'] / edge - 1):.0e}")
    name = Path(named[0]).stem
    times = f"{min(seconds):.1f} to {max(seconds):.1f}"
    return f"| {' | '.join([name, *cells, times, lattices[0], lattices[-1]])} |"


if __name__ == "__main__":
    for given in sys.argv[1:]:
        print(row(given), flush=True)
