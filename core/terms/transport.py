r"""Exchange of phonons between slabs: kinetic flux between neighbours, with instantaneous mixing in each slab.

Phonons of energy Omega that move isotropically with velocity v cross a plane, from one side, at a rate per area of
their density times the mean of v cos(theta) over the directions that lead across, Int_0^1 dmu v mu / 2 = v / 4. The
face between two slabs of one material does not reflect, so the net flux from slab i to slab i + 1 is (v / 4) (n_i -
n_{i+1}) for each mode, and over the thickness dz of a slab

    dn_i/dt = (v / (4 dz)) [(n_{i-1} - n_i) + (n_{i+1} - n_i)].

There is no flux through the two outer faces here: phonons leave the film with tau_esc, as without transport. The
sum over the slabs vanishes at each Omega, so energy is conserved to round-off.

Each slab has one distribution, uniform and isotropic. Its thickness is thus the path after which phonons lose their
direction: over many slabs the chain diffuses with D = v dz / 4, and the D = v l / 3 of kinetic theory gives a mean
free path l = 3 dz / 4. More slabs then mean a shorter path rather than a finer grid: choose `slabs` for dz near 4 l
/ 3.

The eigenvectors are cos(pi k (i + 1/2) / K), k = 0..K-1, for K slabs, with rates -(v / dz) sin^2(pi k / (2 K)).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..declaration import Joint
from ..kinetics import Change, JointProcess, State
from ..lattice import Array
from ..settings import Point, Settings


def _refuse_exchange(point: Point, settings: Settings) -> None:
    """Refuse exchange without slabs, or with a rate defined for one slab."""
    if settings.phonon_velocity > 0 and settings.slabs == 1:
        raise ValueError(
            "`phonon_velocity` above 0 needs `slabs` above 1, between which phonons pass. "
            f"Got {settings.phonon_velocity!r}."
        )
    if settings.phonon_velocity > 0 and settings.pump_rate == "constant":
        raise ValueError(
            "`phonon_velocity` above 0 needs `pump_rate: envelope`: slabs have no separate Gamma. "
            f"Got {settings.phonon_velocity!r} with `pump_rate: constant`."
        )


@dataclass(frozen=True, kw_only=True)
class Exchange(JointProcess):
    """Exchange of phonons between neighbouring slabs of equal thickness.

    Args:
        velocity: Velocity of phonons v, nm/ps.
        thickness: Thickness of each slab dz, nm.
    """

    rules: ClassVar[tuple[Joint, ...]] = (Joint(("phonon_velocity", "slabs", "pump_rate"), _refuse_exchange),)

    velocity: float
    thickness: float

    @classmethod
    def build(cls, settings: Settings, thickness: float) -> "Exchange | None":
        """The term between slabs of a thickness (nm); None if phonons stay in their slabs."""
        velocity = settings.phonon_velocity
        return cls(velocity=velocity, thickness=thickness) if velocity > 0 else None

    def __call__(self, n: Array) -> Array:
        """dn/dt by exchange, 1/ps, of occupations n, both shape (slabs, M + 1)."""
        flux = self.velocity / (4 * self.thickness) * -np.diff(n, axis=0)
        out = np.zeros(n.shape)
        out[:-1] -= flux
        out[1:] += flux
        return out

    def add(self, t: float, states: Sequence[State], changes: Sequence[Change]) -> None:
        """See `JointTerm.add`."""
        for change, flow in zip(changes, self(np.stack([state.n for state in states])), strict=True):
            change.n += flow

    def fastest_rate(self, t: float, states: Sequence[State]) -> float:
        """Bound for a chain of any length, v / dz, 1/ps."""
        return self.velocity / self.thickness

    def relaxation(self, t: float, states: Sequence[State], rates: Sequence[Change]) -> None:
        """See `Term.relaxation`; an inner slab loses phonons to both sides."""
        for rate in rates:
            rate.n += self.velocity / (2 * self.thickness)
