"""After `precompile`, no point compiles anything."""

import subprocess
import sys

FIRST = """
from photogap.sweeps.precompile import compiled, main
main()
print([f.__name__ for f in compiled() if not f.signatures and f.targetoptions.get("inline") != "always"])
"""
LATER = """
import photogap
from photogap.sweeps.precompile import uncached
common = {"n_times": 5, "energies": (1.0, 2.0), "frequencies": (5.0,), "spacing": 1.0}
film = {"thickness": 10.0, "omega_probe": 5.0}
retained = {"energy_match": "retained", "pump_rate": "constant", "slabs": 2, "thickness": 9.0}
for name, F0, T, tau_esc, settings in [
    ("K3C60", 0.1, 30.0, 0.02, {}),
    ("K3C60", 1.0, 10.0, 0.1, {"damping": "real", "integrator": "dopri5", "t_stop": 0.1}),
    ("Pb", 5e-7, 5.0, 500.0, film | {"t_start": -7.0, "t_stop": 2.0}),
    ("K3C60", 0.01, 10.0, 0.0, retained),
]:
    point = photogap.Point(material=photogap.material(name), F0=F0, omega_pump=1500.0, T=T, tau_esc=tau_esc)
    photogap.simulate(point, photogap.Settings(**common | settings))
photogap.equilibrium("Pb", T=2.0)
print(uncached())
"""


def test_no_point_compiles_after_it(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    def told(script):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    compiled, unused = told(FIRST)
    assert not compiled.startswith("0 functions")
    assert unused == "[]"
    assert told(LATER)[-1] == "0"
