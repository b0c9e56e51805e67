"""Hashes of every bit of a few trajectories, and their CPU time, to compare two versions of `core` on one machine.

    python benchmarks/bits.py > before    # and once more > after, with the code changed; then diff before after

The hashes go to stdout, the times to stderr. Evaluations of the right-hand side per CPU second vary from run to
run; the hashes must not. Another processor may round transforms otherwise, so no hash is stored.
"""

import hashlib
import sys
import time

from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate
from photogap.sweeps.materials import library as materials

K3C60 = {"F0": 0.3, "omega_pump": 170.0, "T": 30.0, "tau_esc": 0.02}
PB = {"F0": 5e-7, "omega_pump": 300.0, "T": 5.0, "tau_esc": 500.0}
LEAD = {"spacing": 0.1, "times": (-6.0, -2.0, 0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0), "atol": 1e-7}
CASES = {
    "envelope": ("K3C60", K3C60, {"spacing": 0.5}),
    "constant rate": ("K3C60", K3C60, {"spacing": 1.0, "pump_rate": "constant"}),
    "real": ("K3C60", K3C60 | {"tau_esc": 1.0}, {"spacing": 1.0, "damping": "real"}),
    "pair breaking": ("K3C60", K3C60 | {"T": 8.0}, {"spacing": 1.0, "pump_channels": "scattering+pair-breaking"}),
    "phonon share": ("K3C60", K3C60 | {"omega_pump": 79.0}, {"spacing": 1.0, "phonon_share": 0.5}),
    "phonons alone": ("K3C60", K3C60 | {"omega_pump": 79.0}, {"spacing": 1.0, "phonon_share": 1.0}),
    "no pulse": ("K3C60", K3C60 | {"F0": 0.0, "T": 8.0}, {"spacing": 1.0}),
    "dopri5": ("K3C60", K3C60, {"spacing": 2.0, "integrator": "dopri5"}),
    "rosenbrock": ("K3C60", K3C60, {"spacing": 2.0, "integrator": "rosenbrock"}),
    "slabs": ("K3C60", K3C60 | {"T": 8.0, "F0": 0.03, "tau_esc": 1.0},
              {"spacing": 1.0, "slabs": 3, "thickness": 200.0, "depth_profile": True}),
    "exchange": ("K3C60", K3C60 | {"T": 8.0, "F0": 0.03, "tau_esc": 1.0},
                 {"spacing": 1.0, "slabs": 3, "thickness": 200.0, "phonon_velocity": 3e3, "depth_profile": True}),
    "wide windows": ("Pb", PB, LEAD | {"energies": (2.0,), "omega_probe": 5.0}),
    "strong pulse": ("K3C60", K3C60 | {"F0": 5.0}, {"spacing": 1.0, "damping": "real", "n_times": 27}),
    "saturated": ("Pb", PB | {"T": 1.0, "F0": 5e-6}, LEAD),
}  # fmt: skip


def main() -> None:
    """Print one line a case: name, outcome, hash, CPU seconds and evaluations per CPU second."""
    wanted = sys.argv[1:]
    for name, (material, point, settings) in CASES.items():
        if wanted and name not in wanted:
            continue
        where, how = Point(material=materials.load(material), **point), Settings(**settings)
        start = time.process_time()
        result = simulate(where, how)
        seconds = time.process_time() - start
        digest = hashlib.sha256(result.message.encode())
        for key in sorted(result.data):
            digest.update(key.encode() + result.data[key].tobytes())
        for key, value in sorted(result.diagnostics.items()):
            digest.update(f"{key}{value!r}".encode())
        print(f"{name:15} {result.outcome.value:14} {digest.hexdigest()[:24]}", flush=True)
        rate = result.diagnostics.get("evaluations", 0.0) / seconds
        print(f"{name:15} {seconds:6.2f} s CPU, {rate:7.0f} evaluations a second", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
