"""Machine code of every compiled function, into Numba's cache: `python -m photogap.sweeps.precompile`.

Without it the first point of a new installation compiles for seconds. The cache is next to the modules if they can
be written, else in the user's cache folder; `NUMBA_CACHE_DIR` names another. It holds for one kind of processor.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Final

from .. import core
from ..core.settings import Point, Settings
from ..core.simulate import simulate
from .materials.library import load

_COARSE: Final[dict[str, Any]] = {"spacing": 2.0, "n_times": 2, "t_start": -0.3, "t_stop": 0.1}
CASES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"damping": "real", "pump_channels": "scattering+pair-breaking", "pump_rate": "constant"},
    {"slabs": 2, "thickness": 20.0, "phonon_velocity": 1.0, "omega_probe": 5.0},
    {"tau_ee": 0.1, "renormalised_rates": True, "stimulated_emission": False},
    {"integrator": "rosenbrock", "coherence": "printed"},
)
"""Settings that together call every compiled function, with each kind of array that it is called with."""


def compiled() -> Iterator[Any]:
    """All compiled functions of the solver."""
    from numba.core.dispatcher import Dispatcher

    for info in pkgutil.walk_packages(core.__path__, f"{core.__name__}."):
        if ".batched" not in info.name:  # JAX compiles those
            module = importlib.import_module(info.name)
            yield from (f for f in vars(module).values() if isinstance(f, Dispatcher) and f.__module__ == info.name)


def uncached() -> int:
    """Number of compilations in this process that were not in the cache."""
    return sum(sum(function.stats.cache_misses.values()) for function in compiled())


def main() -> None:
    """Compile what the cache lacks."""
    material = load("K3C60")
    for case in CASES:
        # photons above the window take lattices beyond it
        simulate(
            Point(material=material, F0=1.0, omega_pump=700.0, T=30.0, tau_esc=0.02), Settings(**_COARSE | case)
        )
    print(f"{uncached()} functions compiled, {sum(1 for _ in compiled())} in all")


if __name__ == "__main__":
    main()
