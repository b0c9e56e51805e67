"""Speed and memory of the solver on one core, one thread."""

import subprocess
import sys
import time

import numpy as np
import pytest
from meter import fastest

from photogap.core.pairing.coherence import spectral_weights
from photogap.core.pairing.gap import SelfEnergy, solve_gap
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_coupling, build_film, simulate
from photogap.core.terms.collisions import collision_rates
from photogap.core.thermal import bose, fermi
from support import direct

POINT = {"F0": 0.1, "omega_pump": 170.0, "T": 30.0, "tau_esc": 0.02}
WORKER = """
from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate
from photogap.sweeps.materials.library import load
from photogap.sweeps.work.memory import peak
simulate(Point(material=load("K3C60"), F0=0.1, omega_pump=170.0, T=30.0, tau_esc=0.02), Settings())
print(peak() / 2**20)
"""


def state(film, gap=2.0):
    """Arguments of a right-hand side: hot quasiparticles over a gap (meV)."""
    E = film.lattice.E
    rho, p = spectral_weights(E + 0j, np.full(E.size, gap, dtype=complex))
    return rho, p, 0.3 * np.exp(-E / 80.0), bose(film.lattice.Omega, 300.0)


def test_equilibrium_solve(benchmark, k3c60):
    """K3C60 at 5 K, N = 2400, tolerance 1e-6, from a constant: trial 25 ms, aim 10 ms."""
    coupling = build_coupling(k3c60, 0.25, 600.0, "full")
    lattice = coupling.lattice
    f, n = fermi(lattice.E, 5.0), bose(lattice.Omega, 5.0)
    start = SelfEnergy(1.5 * lattice.E + 0j, np.full(lattice.N, 3.0 + 0j))
    solution = benchmark(lambda: solve_gap(coupling.kernel(n), f, start, tol=1e-6))
    assert solution.converged


def test_trajectory(benchmark, k3c60, say, monkeypatch):
    """1.3 ps at h = 0.25 meV, window 600 meV: trial 2-4 s, aim 1 s; beside its own transforms alone."""
    point, settings = Point(material=k3c60, **POINT), Settings()
    simulate(point, settings)
    spent = {"seconds": 0.0, "calls": 0}

    def counted(transform):
        def call(*args, **kwargs):
            start = time.process_time()
            out = transform(*args, **kwargs)
            spent["seconds"] += time.process_time() - start
            spent["calls"] += 1
            return out

        return call

    with monkeypatch.context() as patch:
        patch.setattr(np.fft, "rfft", counted(np.fft.rfft))
        patch.setattr(np.fft, "irfft", counted(np.fft.irfft))
        start = time.process_time()
        simulate(point, settings)
        total = time.process_time() - start
    say(f"trajectory {total:.2f} s CPU, of which {spent['calls']} transforms {spent['seconds']:.2f} s: "
        f"ratio {total / spent['seconds']:.2f}")  # fmt: skip
    benchmark.pedantic(lambda: simulate(point, settings), rounds=3)


def test_collisions_against_direct_sums(benchmark, k3c60, say):
    """The right-hand side by transforms and by O(N^2) sums (numba), same input."""
    film = build_film(k3c60, 0.25, 600.0)
    arguments = film, *state(film)
    fast, slow = collision_rates(*arguments), direct.collision_rates(*arguments)
    error = max(
        np.abs(getattr(fast, name) - getattr(slow, name)).max() / np.abs(getattr(slow, name)).max()
        for name in ("f_gain", "f_loss", "n_gain", "n_loss")
    )
    assert error < 1e-10
    by_sums = fastest(lambda: direct.collision_rates(*arguments), 5)
    by_transforms = fastest(lambda: collision_rates(*arguments), 50)
    say(f"direct sums {1e3 * by_sums:.1f} ms, transforms {1e3 * by_transforms:.2f} ms: "
        f"{by_sums / by_transforms:.0f} times, agreement {error:.0e}")  # fmt: skip
    benchmark(lambda: collision_rates(*arguments))


def test_cost_against_lattice_size(benchmark, k3c60, say):
    """Exponent of the cost of a right-hand side over five lattices, N = 1200 to 19200: aim 1.15."""
    sizes, times = [], []
    for h in (0.5, 0.25, 0.125, 0.0625, 0.03125):
        film = build_film(k3c60, h, 600.0)
        arguments = film, *state(film)
        sizes.append(film.lattice.N)
        times.append(fastest(lambda arguments=arguments: collision_rates(*arguments), 30))
    exponent = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    rows = ", ".join(f"N = {N}: {1e3 * t:.2f} ms" for N, t in zip(sizes, times, strict=True))
    say(f"{rows}; exponent {exponent:.2f}")
    benchmark.pedantic(lambda: collision_rates(*arguments), rounds=3)


@pytest.mark.parametrize("limit_MB", [400])
def test_memory_of_a_point(benchmark, say, limit_MB):
    """Peak resident memory of a process that computes one K3C60 point, against the issue's limit."""

    def worker():
        return float(
            subprocess.run([sys.executable, "-c", WORKER], check=True, capture_output=True, text=True).stdout
        )

    peak = benchmark.pedantic(worker, rounds=1)
    say(f"worker {peak:.0f} MB of {limit_MB} MB")
    assert peak < limit_MB
