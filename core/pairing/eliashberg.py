r"""Self-energies of the real-axis Migdal-Eliashberg equations for any occupations f(E) and n(Omega).

With B = alpha2F odd on the whole axis, K(x) = Int dOmega B (n + 1) / (x - Omega + i0) and
Q(x) = Int dOmega B / (x - Omega + i0),

    S(w)   =  Int dw' rho(w') [K(w - w') - f(w') Q(w - w')],         w Z = w - S
    phi(w) = -Int dw' p(w')   [K(w - w') - f(w') Q(w - w')] - mu_star Int_0^wc dw' p(w') (1 - 2 f(w')).

Both integrals are convolutions on one ring. B (n + 1) is piecewise linear between lattice points, so its Hilbert
transform has closed weights (the second difference of m ln|m|). Two tails are exact: rho -> 1 and f -> 1 (w' < 0)
are split off and integrated over the infinite axis, and Delta -> Delta_inf + c2 / w^2 (Delta_inf from mu_star
alone, c2 from the moments of p) is integrated from the window to infinity. Re S is odd and Im S even, so both come
out of one real transform of Re S + Im S; likewise Re phi (even) and Im phi (odd).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numba as nb
import numpy as np

from ..lattice import WORKSPACE, Array, Complex, Lattice, Ring


def hilbert_weights(k: Array) -> Array:
    """Principal value of Int hat(u) / (k - u) du for a hat of half width 1: the second difference of k ln|k|."""

    def klogk(x: Array) -> Array:
        return x * np.log(np.abs(np.where(x == 0, 1.0, x)))

    near = klogk(k + 1) + klogk(k - 1) - 2 * klogk(k)
    inverse = 1.0 / np.where(np.abs(k) < 2, 2.0, k)
    far = (k + 1) * np.log1p(inverse) + (k - 1) * np.log1p(-inverse)
    return np.where(np.abs(k) < 10, near, far)


def _log_weights(x: Array) -> Array:
    """Int hat(u) ln|x - u| du for a hat of half width 1: the second difference of x^2 (ln|x| - 3/2) / 2."""

    def g(y: Array) -> Array:
        return 0.5 * y * y * (np.log(np.abs(np.where(y == 0, 1.0, y))) - 1.5)

    return g(x + 1) + g(x - 1) - 2 * g(x)


@dataclass(frozen=True, eq=False)
class Coupling:
    """An electron-phonon spectrum on a lattice, with the constants that depend on neither f nor n.

    Args:
        lattice: Energies.
        alpha2F: Eliashberg function at Omega_j, dimensionless, shape (M + 1,), zero at j = 0.
        mu_star: Coulomb pseudopotential.
        cutoff: Its cut-off wc, meV.
    """

    lattice: Lattice
    alpha2F: Array
    mu_star: float
    cutoff: float

    def with_mu_star(self, mu_star: float) -> "Coupling":
        """The same spectrum with another mu_star; cached transforms do not depend on it and are shared."""
        other = replace(self, mu_star=mu_star)
        vars(other).update({key: value for key, value in vars(self).items() if key not in vars(other)})
        return other

    @cached_property
    def ring(self) -> Ring:
        """Ring of the self-energies."""
        return Ring.for_self_energies(self.lattice)

    @cached_property
    def _transfer(self) -> Complex:
        """Transform that takes B on the ring to Re + Im of Int B / (x - Omega + i0)."""
        weights = hilbert_weights(self.ring.lags.astype(float))
        return np.asarray(np.fft.rfft(weights) - np.pi, dtype=complex)

    @cached_property
    def _Q(self) -> Complex:
        """Transform of Re Q + Im Q."""
        B = self.ring.emission(self.alpha2F, np.zeros_like(self.alpha2F))
        B[self.ring.L - self.lattice.M :] = -self.alpha2F[:0:-1]
        return np.asarray(np.fft.rfft(B) * self._transfer, dtype=complex)

    @cached_property
    def _filled(self) -> Complex:
        """Int_w^inf Q(x) dx at E_i, complex, shape (N,): contribution of the filled states at w' < 0."""
        lat = self.lattice
        x = self.ring.lags + 0.5
        B = np.zeros(self.ring.L)
        B[: lat.M + 1] = self.alpha2F
        B[self.ring.L - lat.M :] = -self.alpha2F[:0:-1]
        spectrum = np.asarray(np.fft.rfft(B) * np.fft.rfft(_log_weights(np.asarray(x, dtype=float))), dtype=complex)
        log_part = np.fft.irfft(spectrum, self.ring.L)[: lat.N]
        # Int_E^inf of the piecewise linear B: whole hats above, and the parts of the two hats around E
        above = np.concatenate([np.cumsum(self.alpha2F[::-1])[::-1], np.zeros(lat.N - lat.M + 1)])[: lat.N + 1]
        B_right = np.concatenate([self.alpha2F, np.zeros(lat.N - lat.M + 1)])[: lat.N + 1]
        integral = above[1:] - B_right[1:] / 8 + B_right[:-1] / 8
        return np.asarray(lat.h * (-log_part - 1j * np.pi * integral), dtype=complex)

    @cached_property
    def _tail(self) -> Complex:
        """Transforms of Int_W^inf dE / (E^m (E + x)), m = 1 and 3, at x = E_i on the ring, W the window."""
        W = self.lattice.window
        y = (self.ring.lags + 0.5) * self.lattice.h / W
        log = np.log(np.abs(1 + y))
        series = sum((-y) ** k / (k + 3) for k in range(8))
        cubic = np.where(np.abs(y) < 0.02, series, (log - y + 0.5 * y * y) / y**3)
        return np.asarray(np.fft.rfft(np.stack([log / y / W, cubic / W**3])), dtype=complex)

    @cached_property
    def _first_moment(self) -> float:
        """Int_0 alpha2F Omega dOmega, meV^2."""
        return float(self.lattice.h * np.dot(self.alpha2F, self.lattice.Omega))

    @cached_property
    def pseudopotential_weights(self) -> Array:
        """h times the share of each cell below the cut-off wc, meV, shape (N,)."""
        h = self.lattice.h
        return np.clip(self.cutoff - self.lattice.E + 0.5 * h, 0.0, h)

    @cached_property
    def beyond_window(self) -> tuple[float, float]:
        """Int dE / E and Int dE / E^3 (1/meV^2) from the window to the cut-off; 0 for one inside it."""
        W, wc = self.lattice.window, max(self.cutoff, self.lattice.window)
        return float(np.log(wc / W)), 0.5 * (W**-2 - wc**-2)

    def kernel(self, n: Array) -> "Kernel":
        """Kernels that depend on the phonon occupation n, shape (M + 1,)."""
        ring, lattice = self.ring, self.lattice
        emission = ring.emission(self.alpha2F, n, WORKSPACE.real("emission", ring.L))
        G = ring.forward(emission)
        tails = WORKSPACE.complex("spectra", 2, G.size)
        np.multiply(np.conj(G), self._tail, out=tails)
        signals = ring.inverse(tails, WORKSPACE.real("signals", 2, ring.L))
        tail = np.empty((2, lattice.N))
        _even(signals, lattice.h / ring.L, tail)
        return Kernel(
            coupling=self,
            K=np.asarray(G * self._transfer, dtype=complex),
            width=float(np.pi * lattice.h * emission.sum()),
            tail=tail,
        )


@nb.njit(cache=True, error_model="numpy")
def _even(signals: Array, factor: float, out: Array) -> None:
    """Values at E_i plus those at -E_i of each row (L,), times `factor`, into the rows of `out` (N,)."""
    L = signals.shape[1]
    for row in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[row, i] = factor * signals[row, i] + factor * signals[row, L - 1 - i]


@nb.njit(cache=True, error_model="numpy")
def _convolve(spectra: Complex, K: Complex, Q: Complex, mirror_phase: Complex, factor: float) -> None:
    """Transforms of S and of the phonon part of phi from those of a and c, times `factor`; from c, of phi alone.

    rho - 1 = a + its mirror image, p = c - its mirror image.
    """
    last = spectra.shape[0] - 1
    for k in range(K.size):
        C = spectra[last, k]
        spectra[last, k] = factor * (Q[k] * C - K[k] * (C - mirror_phase[k] * np.conj(C)))
    if last == 1:
        for k in range(K.size):
            A = spectra[0, k]
            spectra[0, k] = factor * (K[k] * (A + mirror_phase[k] * np.conj(A)) - Q[k] * A)


@nb.njit(cache=True, error_model="numpy")
def _self_energy(signal: Array, width: float, filled: Complex, S: Complex) -> None:
    """S at E_i (N,) from its convolution (L,): Re S is odd, Im S even."""
    L = signal.size
    for i in range(S.size):
        up, down = signal[i], signal[L - 1 - i]
        S[i] = complex(0.5 * (up - down) - filled[i].real, 0.5 * (up + down) - width - filled[i].imag)


@nb.njit(cache=True, error_model="numpy")
def _pairing(signal: Array, tail: Array, Delta_inf: float, c2: float, phi: Complex) -> None:
    """phi at E_i (N,) from its convolution (L,), Re phi even and Im phi odd, and the part above the window."""
    L = signal.size
    for i in range(phi.size):
        up, down = signal[i], signal[L - 1 - i]
        beyond = Delta_inf * (1.0 + tail[0, i]) + c2 * tail[1, i]
        phi[i] = complex(0.5 * (up + down) + beyond, 0.5 * (up - down))


@nb.njit(cache=True, error_model="numpy")
def _moments(p: Array, f: Array, E: Array, weights: Array) -> tuple[float, float, float]:
    """Sums of p E, of p (1 - 2 f), and of p (1 - 2 f) times the pseudopotential's weights."""
    pairs, first, repelled = 0.0, 0.0, 0.0
    for i in range(p.size):
        pair = p[i] * (1.0 - 2.0 * f[i])
        pairs, first, repelled = pairs + pair, first + p[i] * E[i], repelled + pair * weights[i]
    return first, pairs, repelled


@dataclass(frozen=True, eq=False)
class Kernel:
    """Kernels of the self-energies for one phonon occupation.

    Args:
        coupling: The parts that do not depend on n.
        K: Transform of Re K + Im K, shape (L // 2 + 1,).
        width: pi Int alpha2F (n + 1) over the whole axis, meV.
        tail: phi at E_i from a unit Delta_inf and a unit c2 (1/meV^2) above the window, shape (2, N).
    """

    coupling: Coupling
    K: Complex
    width: float
    tail: Array

    def self_energies(self, rho: Array, p: Array, f: Array) -> tuple[Complex, Complex]:
        """S and phi at E_i, meV, complex, both shape (N,).

        Args:
            rho, p: Spectral weights, dimensionless, shape (N,).
            f: Quasiparticle occupation, shape (N,).
        """
        c, S, phi = self.coupling, np.empty(f.size, dtype=complex), np.empty(f.size, dtype=complex)
        s, pairing = self._convolved(rho, p, f)
        _self_energy(s, self.width, c._filled, S)
        _pairing(pairing, self.tail, *self.asymptote(p, f), phi)
        return S, phi

    def pairing(self, p: Array, f: Array) -> Complex:
        """phi alone, meV, complex, shape (N,); linear in p."""
        phi = np.empty(f.size, dtype=complex)
        _pairing(self._convolved(None, p, f)[0], self.tail, *self.asymptote(p, f), phi)
        return phi

    def _convolved(self, rho: Array | None, p: Array, f: Array) -> Array:
        """Convolutions of S and phi on the ring, shape (2, L); without rho, of phi alone, (1, L)."""
        c, ring = self.coupling, self.coupling.ring
        signals, spectra = WORKSPACE.real("signals", 2, ring.L), WORKSPACE.complex("spectra", 2, ring.L // 2 + 1)
        # the filled states at w' < 0 are integrated over the infinite axis, in _filled
        ring.occupations(p if rho is None else rho, p, f, signals)
        if rho is None:
            signals, spectra = signals[1:], spectra[1:]
        ring.forward(signals, spectra)
        _convolve(spectra, self.K, c._Q, ring.mirror_phase, c.lattice.h / ring.L)
        return ring.inverse(spectra, signals)

    def asymptote(self, p: Array, f: Array) -> tuple[float, float]:
        """Delta_inf (meV) and c2 (meV^3) of Delta -> Delta_inf + c2 / E^2 far above the phonons.

        Delta_inf = -mu_star Int_0^wc p (1 - 2 f), its own tail included; c2 collects the next order of
        1 / (w - w' - Omega) in phi, with the moments of p over the window.
        """
        c, lattice = self.coupling, self.coupling.lattice
        first_moment, pairs, repelled = _moments(p, f, lattice.E, c.pseudopotential_weights)
        log, cube = c.beyond_window
        emitted, first = 2.0 * self.width / np.pi, 2.0 * c._first_moment
        # c2 = c2_window + emitted W Delta_inf and Delta_inf = -mu (below + log Delta_inf + cube c2)
        c2_window = -(emitted * lattice.h * first_moment + first * lattice.h * pairs)
        slope = emitted * lattice.window
        below = repelled + cube * c2_window
        Delta_inf = -c.mu_star * below / (1.0 + c.mu_star * (log + cube * slope))
        return float(Delta_inf), float(c2_window + slope * Delta_inf)
