"""Anderson acceleration of a fixed point, used by all solvers of the gap equation."""

import numba as nb
import numpy as np

from ..lattice import Array


class Anderson:
    """Anderson acceleration (type II) of x <- x + r, with least squares solved by the Gram matrix of the history.

    The history may serve the next of a sequence of similar equations (`restart`): its changes of r with x are
    those of nearly the same map, and no more than the path to the solution depends on them.
    """

    def __init__(self, depth: int, size: int) -> None:
        self.dR, self.dS = np.empty((depth, size)), np.empty((depth, size))
        self.gram = np.zeros((depth, depth))
        self.last: tuple[Array, Array] | None = None
        self.filled = self.oldest = 0

    def restart(self) -> None:
        """Begin another equation, whose first iterate is not a change of the last one."""
        self.last = None

    def forget(self) -> None:
        """Start without a history."""
        self.last, self.filled, self.oldest = None, 0, 0

    def next(self, x: Array, r: Array) -> Array:
        """Next iterate from x and its residual r = g(x) - x."""
        if self.last is not None:
            k = self.oldest
            self.filled = max(self.filled, k + 1)
            self.oldest = (k + 1) % len(self.dR)
            products = np.empty(self.filled)
            _remember(x, r, *self.last, self.dR, self.dS, k, products)
            self.gram[k, : self.filled] = self.gram[: self.filled, k] = products
        self.last = (x, r)
        new = x + r
        if m := self.filled:
            # changes of any length count alike
            gram, scale = self.gram[:m, :m], 1.0 / np.sqrt(self.gram.diagonal()[:m])
            gram = gram * scale * scale[:, None]
            gram.flat[:: m + 1] += _RIDGE
            gamma = scale * np.linalg.solve(gram, scale * (self.dR[:m] @ r))
            new -= gamma @ self.dS[:m]
        return np.asarray(new)


_RIDGE = 1e-12
"""Added to the diagonal of the scaled Gram matrix, which changes that are nearly parallel make singular."""


@nb.njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _remember(
    x: Array, r: Array, last_x: Array, last_r: Array, dR: Array, dS: Array, k: int, products: Array
) -> None:
    """Write the last changes of r and x + r into row k of the history; multiply that of r by all changes of r."""
    for i in range(x.size):
        dR[k, i] = r[i] - last_r[i]
        dS[k, i] = x[i] - last_x[i] + dR[k, i]
    for j in range(products.size):
        total = 0.0
        for i in range(x.size):
            total += dR[j, i] * dR[k, i]
        products[j] = total
