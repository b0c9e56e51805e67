"""Every process of the kinetic equations, in the order in which their rates are added.

A new process is a module with its term, a line here, its settings and its test. A class listed here has `build`,
which creates its term from a `Setup` (between slabs, from settings and thickness) or returns None if the process is
absent, and `rules` that bind point and settings.
"""

from typing import Final

from .kinetics import JointTerm, Setup, Term
from .settings import Settings
from .terms.absorption import Absorption
from .terms.collisions import Collisions
from .terms.escape import Escape, Pinning
from .terms.phonon_drive import PhononDrive
from .terms.thermalisation import Thermalisation
from .terms.transport import Exchange

IN_A_SLAB: Final = (Collisions, Absorption, Escape, PhononDrive, Thermalisation, Pinning)
BETWEEN_SLABS: Final = (Exchange,)


def slab_terms(setup: Setup) -> tuple[Term, ...]:
    """Terms of the processes that are present in a slab."""
    found: list[Term | None] = [process.build(setup) for process in IN_A_SLAB]
    return tuple(term for term in found if term is not None)


def joint_terms(settings: Settings, thickness: float) -> tuple[JointTerm, ...]:
    """Terms of the processes that are present between equal slabs of a thickness (nm)."""
    found: list[JointTerm | None] = [process.build(settings, thickness) for process in BETWEEN_SLABS]
    return tuple(term for term in found if term is not None)


RULES: Final = tuple(rule for process in (*IN_A_SLAB, *BETWEEN_SLABS) for rule in process.rules)
"""Rules of all processes that bind point and settings."""
