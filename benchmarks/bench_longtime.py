"""Speed and memory of what an experiment sees, on one core, one thread."""

import subprocess
import sys
import time

import numpy as np

from photogap.core.optics.nam import conductivity

WORKER = """
import time
from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate
from photogap.sweeps.materials.library import load
from photogap.sweeps.work.memory import peak
settings = Settings(t_start=-7.0, t_linear_stop=20.0, t_stop=1000.0, n_times=28, n_tail=24, atol=1e-7,
                    omega_probe=5.0, tau_probe=200.0, thickness=10.0)
start = time.process_time()
result = simulate(Point(material=load("Pb"), F0=5e-7, omega_pump=1500.0, T={T}, tau_esc=500.0), settings)
seconds = time.process_time() - start
assert result.data["ledger_error"] < 1e-3
print(seconds, peak() / 2**20, float(result.data["ledger_error"]))
"""


def test_lead_to_a_nanosecond(benchmark, say):
    """h = 0.05 meV, 1.5 eV cascade included, in a process of its own: aim 20 s, 1.5 GB, ledger 1e-3."""

    def trajectory():
        done = subprocess.run(
            [sys.executable, "-c", WORKER.format(T=5.0)], capture_output=True, text=True, check=True
        )
        return [float(x) for x in done.stdout.split()]

    seconds, memory, ledger = benchmark.pedantic(trajectory, rounds=1)
    say(f"lead to 1 ns: {seconds:.1f} s CPU, peak {memory:.0f} MiB, ledger {ledger:.1e}")


def test_conductivity_at_all_frequencies(benchmark, say):
    """N = 2400, one time: aim 5 ms."""
    h, N = 0.25, 2400
    E = (np.arange(N) + 0.5) * h
    Delta, f = np.full(N, 2.0 + 0j), np.exp(-E / 0.5)
    benchmark(lambda: conductivity(Delta, f, h))
    start = time.process_time()
    for _ in range(20):
        conductivity(Delta, f, h)
    say(f"sigma at {N} frequencies: {(time.process_time() - start) / 20 * 1e3:.2f} ms")
