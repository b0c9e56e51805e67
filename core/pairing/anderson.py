"""Anderson acceleration of a fixed point, used by all solvers of the gap equation."""

import numpy as np

from ..lattice import Array


class Anderson:
    """Anderson acceleration (type II) of x <- x + r, its least squares solved by the history's Gram matrix."""

    def __init__(self, depth: int, size: int) -> None:
        self.dX, self.dR = np.empty((depth, size)), np.empty((depth, size))
        self.gram = np.zeros((depth, depth))
        self.last: tuple[Array, Array] | None = None
        self.filled = self.oldest = 0

    def next(self, x: Array, r: Array) -> Array:
        """Next iterate from x and its residual r = g(x) - x."""
        if self.last is not None:
            self._remember(x - self.last[0], r - self.last[1])
        self.last = (x, r)
        new = x + r
        if self.filled:
            m = self.filled
            gamma = np.linalg.lstsq(self.gram[:m, :m], self.dR[:m] @ r, rcond=1e-14)[0]
            new -= gamma @ self.dX[:m]
            new -= gamma @ self.dR[:m]
        return np.asarray(new)

    def _remember(self, dx: Array, dr: Array) -> None:
        k = self.oldest
        self.dX[k], self.dR[k] = dx, dr
        self.filled = max(self.filled, k + 1)
        self.oldest = (k + 1) % len(self.dX)
        self.gram[k, : self.filled] = self.gram[: self.filled, k] = self.dR[: self.filled] @ dr
        self.gram[k, k] *= 1 + 1e-12
