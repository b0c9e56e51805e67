"""The one lattice of energies, and the whole axis as a ring for FFTs.

Quasiparticle energies are cell centres E_i = (i + 1/2) h, i = 0 .. N-1; phonon energies are Omega_j = j h,
j = 0 .. M. Then E_i + Omega_j = E_(i+j) and E_i + E_k = Omega_(i+k+1) hold exactly, so every integral over
energy is a discrete convolution, energy is conserved and detailed balance holds to round-off.

A function on the whole axis lives on a ring of length L: E_i with i = -N .. N-1, or Omega_j with j = -M .. M,
stands at position i mod L. The mirror image a(-E_i) = a_(-i-1) of a real function has the Fourier transform
exp(i q) conj(A_q), q = 2 pi k / L: it needs no transform of its own.
"""

import threading
from dataclasses import dataclass
from functools import cached_property

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from . import transforms

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


@nb.njit(cache=True, error_model="numpy")
def _occupations(rho: Array, p: Array, f: Array, a: Array, c: Array) -> None:
    N, L = rho.size, a.size
    for i in range(N):
        a[i], c[i] = rho[i] * f[i], p[i] * f[i]
    a[N : L - N], c[N : L - N] = 0.0, 0.0
    for i in range(N):
        a[L - 1 - i], c[L - 1 - i] = rho[i] * (1.0 - f[i]) - 1.0, p[i] * (f[i] - 1.0)


@nb.njit(cache=True, error_model="numpy")
def _emission(alpha2F: Array, n: Array, out: Array) -> None:
    M, L = alpha2F.size - 1, out.size
    out[M + 1 : L - M] = 0.0
    for j in range(M + 1):
        out[j] = alpha2F[j] * (n[j] + 1.0)
    for j in range(1, M + 1):
        out[L - j] = alpha2F[j] * n[j]


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """Cell centres for quasiparticles and lattice points for phonons.

    Args:
        h: Spacing, meV.
        N: Number of quasiparticle cells; the window ends at N h.
        M: Index of the highest phonon energy.
    """

    h: float
    N: int
    M: int

    def __post_init__(self) -> None:
        """Refuse a window below the highest phonon energy."""
        if not (self.h > 0 and 0 < self.M < self.N):
            raise ValueError(
                f"a lattice needs h > 0 and a window above the highest phonon energy. "
                f"Got h = {self.h!r} meV, {self.N} cells, {self.M} phonon energies."
            )

    @cached_property
    def E(self) -> Array:
        """Quasiparticle energies, meV, shape (N,)."""
        return np.asarray((np.arange(self.N) + 0.5) * self.h, dtype=float)

    @cached_property
    def Omega(self) -> Array:
        """Phonon energies, meV, shape (M + 1,)."""
        return np.asarray(np.arange(self.M + 1) * self.h, dtype=float)

    @property
    def window(self) -> float:
        """Upper edge of the quasiparticle lattice, meV."""
        return self.N * self.h


def fast_length(least: int) -> int:
    """Ring length of at least `least` points with a fast transform: a multiple of 64 with factors 2, 3 and 5.

    Measured: 5760 = 2^7 45 points take no longer than 5625 = 3^2 5^4, 11520 take 0.9 of 11250's time and 30720
    take 0.87 of 30375's.
    """
    return int(64 * next_fast_len(-(-least // 64), real=True))


class Workspace(threading.local):
    """Arrays that a thread reuses, by name and shape, since allocating large ones is slow.

    No content outlives the function that requested the array.
    """

    def __init__(self) -> None:
        self.arrays: dict[tuple[str, tuple[int, ...]], Array] = {}

    def real(self, name: str, *shape: int) -> Array:
        """An uninitialised real array of a shape."""
        found = self.arrays.get((name, shape))
        if found is None:
            if len(self.arrays) >= _MOST_ARRAYS:
                self.arrays.clear()
            found = self.arrays[name, shape] = np.empty(shape)
        return found

    def complex(self, name: str, *shape: int) -> Complex:
        """An uninitialised complex array of a shape."""
        return self.real(name, *shape[:-1], 2 * shape[-1]).view(complex)


WORKSPACE = Workspace()
_MOST_ARRAYS = 64
"""Arrays that a thread keeps: more than those of a step on two lattices."""


@dataclass(frozen=True)
class Ring:
    """A ring of L points on which functions of the whole axis are convolved."""

    lattice: Lattice
    L: int

    @classmethod
    def for_collisions(cls, lattice: Lattice) -> "Ring":
        """Ring length with a fast FFT and no aliasing for E in [-Nh, Nh) and Omega in [-Mh, Mh]."""
        return cls(lattice, fast_length(2 * lattice.N + lattice.M + 1))

    @classmethod
    def for_self_energies(cls, lattice: Lattice) -> "Ring":
        """Ring long enough for kernels at every lag |E - E'| < 2 N h, Hilbert transformed on it."""
        return cls(lattice, fast_length(4 * lattice.N + 2 * lattice.M + 2))

    @cached_property
    def mirror_phase(self) -> Complex:
        """exp(i q): the transform of a(-E) is this times conj of the transform of a, shape (L // 2 + 1,)."""
        return np.asarray(np.exp(2j * np.pi * np.arange(self.L // 2 + 1) / self.L))

    @cached_property
    def lags(self) -> NDArray[np.int64]:
        """Signed index of each position of the ring, shape (L,)."""
        k = np.arange(self.L)
        return np.where(k <= self.L // 2, k, k - self.L)

    def forward(self, signals: Array, out: Complex | None = None) -> Complex:
        """Real transforms of the rows of `signals` (..., L), shape (..., L // 2 + 1)."""
        return transforms.forward(signals, out)

    def inverse(self, spectra: Complex, out: Array | None = None) -> Array:
        """Signals (..., L) of the rows of `spectra` (..., L // 2 + 1), times L; the caller divides by L.

        The spectra may be overwritten.
        """
        return transforms.inverse(spectra, self.L, out)

    def from_halves(self, positive: Array, negative: Array, out: Array) -> Array:
        """Write a quasiparticle function: `positive` at E_i, `negative` at -E_i, both (N,), into `out` (L,)."""
        N = self.lattice.N
        out[:N] = positive
        out[N : self.L - N] = 0.0
        out[self.L - N :] = negative[::-1]
        return out

    def occupations(self, rho: Array, p: Array, f: Array, out: Array) -> None:
        """Write a = rho f, less the filled band's a = 1 at E < 0, and c = p f on the whole axis into `out` (2, L).

        rho is even, p odd, f(-E) = 1 - f(E).
        """
        _occupations(rho, p, f, out[0], out[1])

    def emission(self, alpha2F: Array, n: Array, out: Array | None = None) -> Array:
        """alpha2F (n + 1) on the whole axis, shape (L,): emission at Omega > 0, absorption at Omega < 0."""
        out = np.empty(self.L) if out is None else out
        _emission(alpha2F, n, out)
        return out

    def positive(self, ring: Array) -> Array:
        """Values at E_i, shape (..., N)."""
        return ring[..., : self.lattice.N]

    def negative(self, ring: Array) -> Array:
        """Values at -E_i, shape (..., N)."""
        return ring[..., self.L - self.lattice.N :][..., ::-1]


def build_lattice(*, h: float, window: float, omega_max: float) -> Lattice:
    """Lattice of spacing h (meV) up to `window` (meV), phonons up to `omega_max` (meV).

    Raises:
        ValueError: if the window does not exceed the phonons.
    """
    return Lattice(h=h, N=round(window / h), M=int(np.ceil(omega_max / h - 1e-9)))
