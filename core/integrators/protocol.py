"""What a time stepping method offers."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ..lattice import Array

RightHandSide = Callable[[float, Array], Array]


class Step(NamedTuple):
    """A trial step.

    Args:
        y: Solution at its end, shape (K,).
        error: Estimate of the local error, shape (K,).
        evaluations: Evaluations of the right-hand side.
    """

    y: Array
    error: Array
    evaluations: int


class Method(Protocol):
    """A one-step method with an embedded error estimate."""

    @property
    def order(self) -> int:
        """Order of the solution that is kept."""
        ...

    @property
    def error_order(self) -> int:
        """The error estimate falls as dt to this power."""
        ...

    def step(self, F: RightHandSide, t: float, y: Array, dt: float, spectral_radius: float) -> Step:
        """Step from (t, y) by dt; `spectral_radius` bounds |dF/dy|, 1/ps."""
        ...

    def largest_step(self, spectral_radius: float) -> float:
        """Largest stable step, ps, for a real negative spectrum of that radius (1/ps)."""
        ...
