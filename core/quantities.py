"""The five axes of every point and the dims of its outputs: meaning, unit and symbol.

Uses the standard library alone, so that every front end can import it.
"""

from typing import Final

from .declaration import NOT_NEGATIVE, NOT_NEGATIVE_OR_INFINITE, POSITIVE, Declaration

AXES: Final = {
    "material": Declaration(
        doc="The film: a name of `photogap materials`, of the config's `materials`, or a YAML file.",
        long_name="superconducting film",
        example="K3C60",
    ),
    "F0": Declaration(
        doc="Incident fluence of the pump.",
        long_name="incident fluence of the pump",
        unit="mJ cm^-2",
        symbol="$F_0$",
        rule=NOT_NEGATIVE,
        example=0.3,
    ),
    "omega_pump": Declaration(
        doc="Photon energy of the pump; without this axis, that of each material.",
        long_name="photon energy of the pump",
        unit="meV",
        symbol=r"$\hbar\omega_\mathrm{pump}$",
        rule=POSITIVE,
        example=170.0,
    ),
    "T": Declaration(
        doc="Temperature of the bath and of the film before the pulse.",
        long_name="temperature of the bath",
        unit="K",
        symbol="$T$",
        rule=POSITIVE,
        example=30.0,
    ),
    "tau_esc": Declaration(
        doc="Time for phonons to escape into the substrate; 0 keeps them at the bath temperature, `.inf` keeps "
        "them in the film.",
        long_name="escape time of phonons",
        unit="ps",
        symbol=r"$\tau_\mathrm{esc}$",
        rule=NOT_NEGATIVE_OR_INFINITE,
        remedy="0 keeps phonons at the bath temperature, .inf keeps them in the film",
        example=0.02,
    ),
}
"""Axes of every point, in the cube's order."""

DIMS: Final = {
    "time": Declaration(
        doc="Time after the maximum of the pump pulse.",
        long_name="time after the maximum of the pump pulse",
        unit="ps",
        symbol="Time $t$",
    ),
    "energy": Declaration(
        doc="Quasiparticle energy.", long_name="quasiparticle energy", unit="meV", symbol="Energy $E$"
    ),
    "frequency": Declaration(
        doc="Phonon energy.", long_name="phonon energy", unit="meV", symbol=r"Phonon energy $\hbar\omega$"
    ),
    "depth": Declaration(
        doc="Depth of the slab's middle below the film's surface.",
        long_name="depth of the slab's middle below the film's surface",
        unit="nm",
        symbol="Depth $z$",
    ),
}
"""Dims of outputs that are not axes of a sweep."""
