"""Protocol of time stepping methods."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from ..lattice import Array

RightHandSide = Callable[[float, Array], Array]


@dataclass(frozen=True, eq=False)
class Problem:
    """A right-hand side, called as F(t, y), with the information for implicit methods.

    Args:
        rate: F.
        scale: Error allowed in each component in a step, shape (K,), > 0.
        relaxation: Rates at which components decay on their own at (t, y), 1/ps, shape (K,); None if unknown.
        invariant: w with w . F = 0 everywhere, shape (K,); None if unknown.
        integrals: Components on which F does not depend, a mask of shape (K,).
    """

    rate: RightHandSide
    scale: Array
    relaxation: RightHandSide | None = None
    invariant: Array | None = None
    integrals: NDArray[Any] | None = None

    def __call__(self, t: float, y: Array) -> Array:
        """F(t, y)."""
        return self.rate(t, y)


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
        """Order of the accepted solution."""
        ...

    @property
    def error_order(self) -> int:
        """The error estimate falls as dt to this power."""
        ...

    @property
    def defect(self) -> float:
        """Largest defect of the energy ledger in a step, relative to the energy absorbed; infinite for no limit."""
        ...

    @property
    def implicit(self) -> bool:
        """Whether the method makes use of a `Problem`, beyond its right-hand side."""
        ...

    def step(self, F: RightHandSide, t: float, y: Array, dt: float, spectral_radius: float) -> Step:
        """Step from (t, y) by dt; `spectral_radius` bounds |dF/dy|, 1/ps. F may be a `Problem`.

        A failed step has an infinite error.
        """
        ...

    def largest_step(self, spectral_radius: float) -> float:
        """Largest stable step, ps, for a real negative spectrum of that radius (1/ps)."""
        ...
