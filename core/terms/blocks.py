r"""Collisions of quasiparticles above the gap equation's window, block by block.

From the end of that window on, cell G, rho = 1 and p = 0: c vanishes, and the excess of a over the filled band is
odd, a(E) = f(E) and a(-E) - 1 = -f(E). The kernel g = alpha2F (n + 1) extends over M cells. From cell S = G + M on

    C1(E_i) = C1 of the empty band - h Sum_j g_j f_(i-j),      C2(E_i) = h Sum_j g_j f_(i+j),      |j| <= M,

need only f above the window. They are computed by overlap-save: blocks of B cells from S on, each with margins of M
cells, transformed together on rings that fit into a processor's cache. A block takes one transform of f and two
inverse ones; on the whole axis there are twice as many cells, and transforms of c. Cells below S take the
convolutions on a ring of the cells below T = G + 2 M alone (`Blocks.low`).

X(Omega_j) and X(-Omega_j) are sums of a_i a_k + c_i c_k over pairs of cells of the whole axis with i + k = j - 1 or
-j - 1. If one cell of a pair is not on the low ring, both are above the window and on opposite sides: excesses f_i
and -f_l with i - l = +-j, so that such pairs give -2 h Sum_i f_i f_(i-j) in both cases. Regard the low ring (its
cells 0 to T - 1) and the blocks with their margins as intervals; each overlaps the next in 2 M cells (f = 0 beyond
N). Intervals that contain both cells of a pair at a distance of at most M are successive ones, there is at least
one, and there is one more of them than of overlaps that contain both. So every pair is counted once in

    X(+-Omega_j) = X of the low ring - 2 h Sum_blocks { R_j(block with margins) - R_j(its first 2 M cells) }

with the autocorrelation R_j at lag j: a sum of |spectrum|^2 over blocks, and one inverse transform.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numba as nb
import numpy as np

from ..lattice import WORKSPACE, Array, Complex, Lattice, Ring, fast_length

POINTS, LEAST = 5120, 12
"""Points of a block's ring at most: the larger of POINTS and LEAST M. Measured for lead and LaH10: with half or
twice as many points blocks take 4 to 20 % longer."""


@dataclass(frozen=True)
class Blocks:
    """A lattice whose cells above the gap equation's window are convolved in blocks.

    Args:
        lattice: The whole lattice, at least `gap_cells` + 2 M + 1 cells.
        gap_cells: Cells of the gap equation's window, G.
    """

    lattice: Lattice
    gap_cells: int

    @classmethod
    def above(cls, lattice: Lattice, gap_cells: int) -> "Blocks | None":
        """The blocks of a lattice; None if it hardly exceeds the window."""
        return cls(lattice, gap_cells) if gap_cells + 2 * lattice.M < lattice.N else None

    @cached_property
    def low(self) -> Ring:
        """Ring for the whole axis below cell T; its convolutions hold below S."""
        low = Lattice(h=self.lattice.h, N=self.gap_cells + 2 * self.lattice.M, M=self.lattice.M)
        return Ring.for_collisions(low)

    @property
    def first(self) -> int:
        """First cell of the blocks, S."""
        return self.gap_cells + self.lattice.M

    @cached_property
    def count(self) -> int:
        """Number of blocks."""
        M = self.lattice.M
        return math.ceil((self.lattice.N - self.first) / (max(POINTS, LEAST * M) - 3 * M))

    @cached_property
    def cells(self) -> int:
        """Cells of a block without margins, B; the last one may be empty at its end."""
        return math.ceil((self.lattice.N - self.first) / self.count)

    @cached_property
    def ring(self) -> Ring:
        """Ring of a block: B + 2 M cells at lags up to M do not alias on B + 3 M points."""
        return Ring(self.lattice, fast_length(self.cells + 3 * self.lattice.M))

    @cached_property
    def overlaps(self) -> Ring:
        """Ring of the first 2 M cells of a block with margins."""
        return Ring(self.lattice, fast_length(3 * self.lattice.M))

    def add(
        self, alpha2F: Array, f: Array, n: Array, empty: Array, C1: Array, C2: Array, created: Array,
        absorbed: Array,
    ) -> None:  # fmt: skip
        """Write C1 and C2 of the blocks, and add the pairs outside the low ring to X.

        Args:
            alpha2F: Eliashberg function at Omega_j, shape (M + 1,).
            f: Quasiparticle occupation at E_i, shape (N,).
            n: Phonon occupation at Omega_j, shape (M + 1,).
            empty: Sums of alpha2F (n + 1) from -M h on, as `collisions` has them, shape (2 M + 2,).
            C1, C2: Integrals at E_i, meV, shape (N,); those from S on are written.
            created, absorbed: X(Omega_j) and X(-Omega_j), meV, shape (M + 1,), changed in place.
        """
        ring, few, count, h = self.ring, self.overlaps, self.count, self.lattice.h
        signals = WORKSPACE.real("blocks", 2 * count + 1, ring.L)
        spectra = WORKSPACE.complex("spectra of blocks", 2 * count + 1, ring.L // 2 + 1)
        heads = WORKSPACE.real("overlaps", count, few.L)
        head_spectra = WORKSPACE.complex("spectra of overlaps", count, few.L // 2 + 1)
        _cut(f, self.gap_cells, self.cells, self.lattice.M, signals[:count], heads)
        ring.emission(alpha2F, n, signals[count])
        ring.forward(signals[: count + 1], spectra[: count + 1])
        few.forward(heads, head_spectra)
        _multiply(spectra, h / ring.L)
        _add_powers(head_spectra, h / few.L)
        ring.inverse(spectra, signals)
        shared = few.inverse(head_spectra[0], heads[0])
        _collect(signals, shared, empty, h, self.first, self.cells, C1, C2, created, absorbed)


@nb.njit(cache=True, error_model="numpy")
def _cut(f: Array, start: int, cells: int, M: int, blocks: Array, heads: Array) -> None:
    """Write f from cell `start` on into blocks of `cells` + 2 M, `cells` apart, and the first 2 M of each alone."""
    for b in range(blocks.shape[0]):
        source = f[start + b * cells :]
        for row, most in ((blocks[b], cells + 2 * M), (heads[b], 2 * M)):
            end = min(most, source.size)
            row[:end], row[end:] = source[:end], 0.0


@nb.njit(cache=True, error_model="numpy")
def _multiply(spectra: Complex, factor: float) -> None:
    """Transforms of blocks and of g, `count` + 1 rows, into those of -g * f, of R and of C2 (2 `count` + 1 rows),
    times `factor`."""
    count = spectra.shape[0] // 2
    kernel, power = spectra[count], np.zeros(spectra.shape[1])
    for b in range(count):
        minus, plus = spectra[b], spectra[count + 1 + b]
        for k in range(power.size):
            G, F = factor * kernel[k], minus[k]
            # G F and conj(G) F have the same four products
            rr, ii, ri, ir = G.real * F.real, G.imag * F.imag, G.real * F.imag, G.imag * F.real
            minus[k], plus[k] = complex(ii - rr, -ri - ir), complex(rr + ii, ri - ir)
            power[k] += F.real * F.real + F.imag * F.imag
    for k in range(power.size):
        kernel[k] = factor * power[k]


@nb.njit(cache=True, error_model="numpy")
def _add_powers(spectra: Complex, factor: float) -> None:
    """Sum of |spectrum|^2 over rows, times `factor`, into the first row."""
    for k in range(spectra.shape[1]):
        power = 0.0
        for b in range(spectra.shape[0]):
            A = spectra[b, k]
            power += A.real * A.real + A.imag * A.imag
        spectra[0, k] = factor * power


@nb.njit(cache=True, error_model="numpy")
def _collect(
    signals: Array, shared: Array, empty: Array, h: float, first: int, cells: int, C1: Array, C2: Array,
    created: Array, absorbed: Array,
) -> None:  # fmt: skip
    """C1 and C2 from cell `first` on, and both X less twice the pairs of the blocks (see `Blocks.add`)."""
    N, M, count = C1.size, created.size - 1, signals.shape[0] // 2
    everywhere = h * empty[2 * M + 1]
    for b in range(count):
        begin = first + b * cells
        c1, c2 = C1[begin : begin + cells], C2[begin : begin + cells]
        minus, plus = signals[b, M : M + c1.size], signals[count + 1 + b, M : M + c1.size]
        for i in range(c1.size):
            c1[i], c2[i] = everywhere + minus[i], plus[i]
    # less the empty states above the lattice; N - M > `first`
    for i in range(N - M, N):
        C1[i] -= h * empty[i - N + M + 1]
    for j in range(1, M + 1):
        pairs = 2.0 * (signals[count, j] - shared[j])
        created[j] -= pairs
        absorbed[j] -= pairs
