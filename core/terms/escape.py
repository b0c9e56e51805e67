"""Escape of phonons into the substrate, at a rate or at once."""

from dataclasses import dataclass

from ..kinetics import Change, Entry, Process, Setup, State
from ..lattice import Array


def escape(n: Array, n_eq: Array, tau_esc: float) -> Array:
    r"""Rate at which phonons leave the film, Eq. (5) of arXiv:2603.18182, last term.

    Args:
        n: Phonon occupation, dimensionless, shape (M + 1,), >= 0.
        n_eq: Bose occupation at the bath temperature, same shape.
        tau_esc: Escape time, ps; `math.inf` for a film that keeps its phonons.
    Returns:
        dn/dt, 1/ps, shape (M + 1,).
    """
    return (n_eq - n) / tau_esc


@dataclass(frozen=True, eq=False)
class Escape(Process):
    """The term of `escape`; its energy is recorded as escaped.

    Args:
        n_eq: Bose occupation of the bath, shape (M + 1,).
        tau_esc: Escape time, ps.
    """

    n_eq: Array
    tau_esc: float

    @classmethod
    def build(cls, setup: Setup) -> "Escape | None":
        """The term of a slab; None if phonons escape instantaneously."""
        return cls(setup.n_eq, setup.point.tau_esc) if setup.point.tau_esc > 0 else None

    def add(self, t: float, state: State, change: Change) -> None:
        """See `Term.add`."""
        leaving = escape(state.n, self.n_eq, self.tau_esc)
        change.n += leaving
        change.ledger[Entry.ESCAPED] -= state.film.phonon_energy(leaving)

    def fastest_rate(self, t: float, state: State) -> float:
        """1 / tau_esc."""
        return 1.0 / self.tau_esc

    def relaxation(self, t: float, state: State, rates: Change) -> None:
        """See `Term.relaxation`."""
        rates.n += 1.0 / self.tau_esc


@dataclass(frozen=True)
class Pinning(Process):
    """The limit tau_esc -> 0: phonons escape as they are emitted, so that n stays that of the bath (Eliashberg,
    1972).

    It removes the rates of all other processes from dn/dt and records them as escaped, so it is the last term.
    """

    @classmethod
    def build(cls, setup: Setup) -> "Pinning | None":
        """The term of a slab; None if escape takes time."""
        return cls() if setup.point.tau_esc == 0 else None

    def add(self, t: float, state: State, change: Change) -> None:
        """See `Term.add`."""
        change.ledger[Entry.ESCAPED] += state.film.phonon_energy(change.n)
        change.n[:] = 0.0

    def relaxation(self, t: float, state: State, rates: Change) -> None:
        """See `Term.relaxation`: phonons do not change."""
        rates.n[:] = 0.0
