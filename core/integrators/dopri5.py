"""Dormand-Prince 5(4), J. Comput. Appl. Math. 6, 19 (1980): accurate, for short times and as a reference."""

import math
from dataclasses import dataclass

import numpy as np

from ..lattice import Array
from .protocol import RightHandSide, Step

_C = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_B4 = (5179 / 57600, 0.0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40)


@dataclass(frozen=True)
class DormandPrince:
    """The explicit pair of orders 5 and 4."""

    order: int = 5
    error_order: int = 5
    defect: float = math.inf
    implicit: bool = False

    def step(self, F: RightHandSide, t: float, y: Array, dt: float, spectral_radius: float) -> Step:
        """See `Method.step`."""
        k = [F(t, y)]
        for c, row in zip(_C[1:], _A[1:], strict=True):
            stage = y + dt * sum((a * ki for a, ki in zip(row, k, strict=True)), np.zeros_like(y))
            k.append(F(t + c * dt, stage))
        weights = [a - b for a, b in zip((*_A[6], 0.0), _B4, strict=True)]
        error = dt * sum((w * ki for w, ki in zip(weights, k, strict=True)), np.zeros_like(y))
        return Step(stage, error, len(k))

    def largest_step(self, spectral_radius: float) -> float:
        """See `Method.largest_step`."""
        return 3.3 / spectral_radius
