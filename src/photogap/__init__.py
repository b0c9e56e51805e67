"""First-principles sweeps of superconductors under a light pulse: the public names.

>>> import photogap
>>> lead = photogap.equilibrium("Pb", T=2.0)
>>> round(lead.Tc, 2)
8.0

Each name is imported when it is first used.
"""

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.material import Material as Material
    from .core.settings import Point as Point
    from .core.settings import Settings as Settings
    from .sweeps import analysis as analysis
    from .sweeps import figures as figures
    from .sweeps.accessor import Gap as Gap
    from .sweeps.client import Client as Client
    from .sweeps.front import equilibrium as equilibrium
    from .sweeps.front import material as material
    from .sweeps.front import open as open
    from .sweeps.front import run as run
    from .sweeps.front import simulate as simulate

    __version__: str

# Without a handler of the program, messages of a library stay silent.
logging.getLogger("photogap").addHandler(logging.NullHandler())

_HOMES = {
    "Client": "sweeps.client",
    "Gap": "sweeps.accessor",
    "Material": "core.material",
    "Point": "core.settings",
    "Settings": "core.settings",
    "analysis": "sweeps.analysis",
    "equilibrium": "sweeps.front",
    "figures": "sweeps.figures",
    "material": "sweeps.front",
    "open": "sweeps.front",
    "run": "sweeps.front",
    "simulate": "sweeps.front",
}
_MODULES = ("analysis", "figures")
__all__ = ["Client", "Gap", "Material", "Point", "Settings", "analysis", "equilibrium", "figures", "material"]
__all__ += ["open", "run", "simulate"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        from importlib.metadata import version

        return version("photogap")
    if name not in _HOMES:
        raise AttributeError(f"module 'photogap' has no attribute {name!r}")
    home = importlib.import_module(f".{_HOMES[name]}", __name__)
    found = home if name in _MODULES else getattr(home, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Public names, imported or not."""
    return sorted({*globals(), *_HOMES, "__version__"})
