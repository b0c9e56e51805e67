"""Anderson acceleration of a fixed point, the one iteration of the gap equation's solvers."""

import numba as nb
import numpy as np

from ..lattice import Array


class Anderson:
    """Anderson acceleration (type II) of x <- x + r, its least squares solved by the history's Gram matrix."""

    def __init__(self, depth: int, size: int) -> None:
        self.dR, self.dS = np.empty((depth, size)), np.empty((depth, size))
        self.gram = np.zeros((depth, depth))
        self.last: tuple[Array, Array] | None = None
        self.filled = self.oldest = 0

    def next(self, x: Array, r: Array) -> Array:
        """Next iterate from x and its residual r = g(x) - x."""
        products = np.zeros((2, len(self.dR)))
        if self.last is not None:
            k = self.oldest
            self.filled = max(self.filled, k + 1)
            self.oldest = (k + 1) % len(self.dR)
            _remember(x, r, *self.last, self.dR, self.dS, k, self.filled, products)
            self.gram[k] = self.gram[:, k] = products[0]
            self.gram[k, k] *= 1 + 1e-12
        self.last = (x, r)
        new = x + r
        if m := self.filled:
            gamma = np.linalg.lstsq(self.gram[:m, :m], products[1, :m], rcond=1e-14)[0]
            new -= gamma @ self.dS[:m]
        return np.asarray(new)


@nb.njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _remember(
    x: Array, r: Array, last_x: Array, last_r: Array, dR: Array, dS: Array, k: int, filled: int, products: Array
) -> None:
    """Write the last changes of r and of x + r into row k of the history; products of its rows with dr and with r."""
    for i in range(x.size):
        dR[k, i] = r[i] - last_r[i]
        dS[k, i] = x[i] - last_x[i] + dR[k, i]
    for j in range(filled):
        with_change, with_residual = 0.0, 0.0
        for i in range(x.size):
            with_change += dR[j, i] * dR[k, i]
            with_residual += dR[j, i] * r[i]
        products[0, j], products[1, j] = with_change, with_residual
