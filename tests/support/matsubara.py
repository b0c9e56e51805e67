"""Isotropic Eliashberg equations on the imaginary axis, continued to the real one: the solver's reference.

Nothing here is shared with `photogap.core` but the spectrum. Energies in meV, temperatures in K.

Imaginary axis, with w_m = (2m + 1) pi T, a_m = Delta_m / sqrt(w_m^2 + Delta_m^2) and b_m = w_m / sqrt(...):

    Z_n w_n     = w_n + pi T sum_m lambda(n - m) b_m
    Z_n Delta_n = pi T sum_m [lambda(n - m) - mu*] a_m,     lambda(l) = 2 Int B W / (W^2 + (2 pi T l)^2)

The sum over b_m = sgn(w_m) is done exactly (it telescopes), so that what is left falls as w^-4.

Real axis: F. Marsiglio, M. Schossmann, J. P. Carbotte, Phys. Rev. B 37, 4965 (1988), with B(-W) = -B(W),
N(-W) = -1 - N(W) to write both of their integrals as one over the whole axis, x = w - z:

    phi(w) = pi T sum_m [lambda(w - i w_m) - mu*] a_m + i pi Int dz B(z) [N(z) + f(-x)] Delta(x) / R(x)
    w Z(w) = w + i pi T sum_m lambda(w - i w_m) b_m   + i pi Int dz B(z) [N(z) + f(-x)] x / R(x)
    lambda(w - i w_m) = -Int dz B(z) / (w - z - i w_m),      R = sqrt(x^2 - Delta^2), retarded

The Matsubara sum is taken first, as a function of x; the integral over z is then a convolution, done by FFT.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.signal import fftconvolve
from scipy.sparse.linalg import LinearOperator, eigsh
from scipy.special import digamma

from photogap.core.spectra import Spectrum

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

KB = 8.617333262e-2
"""meV / K, typed in again on purpose."""
DENSE = 400
"""Most frequencies for which the linearised equations are a matrix."""


@dataclass(frozen=True, kw_only=True)
class RealAxis:
    """Gap function at E = (i + 1/2) h, renormalisation, gap edge and last change in the lower half."""

    E: Array
    Delta: Complex
    Z: Complex
    edge: float
    residual: float


def lattice(spectrum: Spectrum, h: float | None) -> tuple[Array, Array, float]:
    """Phonon lattice from 0: energies, alpha2F, spacing; a tenth of the narrowest peak unless given."""
    if h is None:
        narrow = min((p.width for p in spectrum.peaks), default=10 * float(np.diff(spectrum.omega).min()))
        h = min(narrow / 10, spectrum.omega_log / 500)
    W, B, _ = spectrum.on_lattice(h)
    return W, B, h


def coupling(W: Array, B: Array, kT: float, count: int) -> Array:
    """lambda(l) for l = 0..count-1."""
    h = W[1] - W[0]
    nu2 = (2 * np.pi * kT * np.arange(count)) ** 2
    return np.array([2 * h * np.sum(B[1:] * W[1:] / (W[1:] ** 2 + x)) for x in nu2])


def kernels(W: Array, B: Array, kT: float, N: int) -> tuple[Array, Array, Array]:
    """lambda(n - m), lambda(n + m + 1) and lambda(0) + 2 sum_(l <= n) lambda(l), for n, m = 0..N-1."""
    lam = coupling(W, B, kT, 2 * N)
    n = np.arange(N)
    return lam[abs(n[:, None] - n)], lam[n[:, None] + n + 1], np.cumsum(2 * lam[:N]) - lam[0]


def screened(kT: float, cutoff: float, N: int) -> Array:
    """Share of each frequency that lies below the cut-off of mu*, so that Tc is continuous in it."""
    return np.clip(cutoff / (2 * np.pi * kT) - np.arange(N), 0.0, 1.0)


def frequencies(W: Array, kT: float, cutoff: float, reach: float) -> int:
    """Number of positive Matsubara frequencies up to `reach` times the highest phonon, or the cut-off."""
    return max(16, int(np.ceil(max(reach * W[-1], cutoff) / (2 * np.pi * kT))) + 1)


def eigenvalue(
    spectrum: Spectrum,
    T: float,
    mu_star: float = 0.0,
    cutoff: float = 0.0,
    *,
    reach: float = 10.0,
    h: float | None = None,
) -> float:
    """Largest eigenvalue of the linearised equations, symmetrised; it exceeds one below Tc."""
    W, B, _ = lattice(spectrum, h)
    kT = KB * T
    N = frequencies(W, kT, cutoff, reach)
    if N > DENSE:
        return _iterated_eigenvalue(coupling(W, B, kT, 2 * N), mu_star, screened(kT, cutoff, N))
    minus, plus, diagonal = kernels(W, B, kT, N)
    pairing = minus + plus
    weight = screened(kT, cutoff, N)
    pairing -= 2 * mu_star * np.sqrt(np.outer(weight, weight))
    scale = 1 / np.sqrt(2 * np.arange(N) + 1 + diagonal)
    return float(np.linalg.eigvalsh(pairing * scale[:, None] * scale)[-1])


def _iterated_eigenvalue(lam: Array, mu_star: float, weight: Array) -> float:
    """The same by Lanczos' iteration, the sums over frequencies by FFT."""
    N = weight.size
    both, root = np.concatenate([lam[:0:-1], lam]), np.sqrt(weight)
    scale = 1 / np.sqrt(2 * np.arange(N) + 1 + np.cumsum(2 * lam[:N]) - lam[0])

    def apply(x: Array) -> Array:
        y = scale * x.ravel()
        phonons = fftconvolve(both, np.concatenate([y[::-1], y]))[3 * N - 1 : 4 * N - 1]
        return np.asarray(scale * (phonons - 2 * mu_star * root * (root @ y)))

    operator = LinearOperator((N, N), matvec=apply, dtype=np.float64)
    return float(eigsh(operator, k=1, which="LA", v0=scale, tol=1e-11, return_eigenvectors=False)[0])


def critical_temperature(
    spectrum: Spectrum,
    mu_star: float = 0.0,
    cutoff: float = 0.0,
    *,
    reach: float = 10.0,
    h: float | None = None,
) -> float:
    """Tc in K: the largest eigenvalue of the linearised equations reaches one."""

    def excess(T: float) -> float:
        return eigenvalue(spectrum, T, mu_star, cutoff, reach=reach, h=h) - 1

    # kTc < 0.1827 sqrt(lambda <w^2>) is Allen and Dynes' asymptote, a rigorous upper bound.
    top = 0.19 * np.sqrt(spectrum.coupling_lambda) * spectrum.omega_2 / KB
    low = top
    while excess(low) < 0:
        low /= 1.5
        if low < top * 1e-3:
            raise ValueError(f"no superconductor above {low:.3g} K for `mu_star` = {mu_star}")
    return float(brentq(excess, low, 1.5 * low, rtol=1e-8))


def imaginary_axis(
    spectrum: Spectrum,
    T: float,
    mu_star: float = 0.0,
    cutoff: float = 0.0,
    *,
    reach: float = 10.0,
    h: float | None = None,
    rtol: float = 1e-11,
) -> tuple[Array, Array, Array]:
    """Positive Matsubara frequencies, Delta_n and Z_n there."""
    W, B, _ = lattice(spectrum, h)
    kT = KB * T
    N = frequencies(W, kT, cutoff, reach)
    lam = coupling(W, B, kT, 2 * N)
    diagonal = np.cumsum(2 * lam[:N]) - lam[0]
    weight = 2 * mu_star * screened(kT, cutoff, N)
    w = (2 * np.arange(N) + 1) * np.pi * kT
    Delta = spectrum.omega_log / (1 + (w / W[-1]) ** 2)
    both = np.concatenate([lam[:0:-1], lam])

    def over_all(values: Array, sign: float) -> Array:
        """sum_m lambda(n - m) values(m) over positive and negative frequencies, at n = 0..N-1."""
        return np.asarray(fftconvolve(both, np.concatenate([sign * values[::-1], values])))[3 * N - 1 : 4 * N - 1]

    step = np.zeros(N)
    # the repulsion's sum reaches mu_star ln(cutoff / kT), beyond which an undamped iteration diverges
    share = 1 / (1 + mu_star * np.log1p(cutoff / kT))
    for i in range(20000):
        root = np.hypot(w, Delta)
        wZ = w + np.pi * kT * (diagonal + over_all(w / root - 1, -1.0))
        new = np.pi * kT * (over_all(Delta / root, 1.0) - weight @ (Delta / root)) * w / wZ
        before, step = step, share * (new - Delta)
        change = np.abs(step).max() / share
        Delta = Delta + step
        if change < rtol * np.abs(Delta).max() or np.abs(Delta).max() < 1e-12:
            return w, np.sign(Delta[0]) * Delta, wZ / w
        # near Tc one mode is left that decays slowly: Aitken's extrapolation of it
        ratio = float(step @ before) / max(float(before @ before), 1e-300)
        if i % 6 == 5 and 0.0 < ratio < 1.0:
            # at most twenty steps at once: the ratio is known roughly
            Delta = Delta + step * min(20.0, ratio / (1 - ratio))
            step = np.zeros(N)
    raise RuntimeError(f"imaginary axis at {T} K did not converge: {change}")


def _retarded(x2: Complex, Z: Complex) -> Complex:
    """Square root with Im(R Z) >= 0, the sheet on which a quasiparticle decays; Re R > 0 above the gap."""
    R = np.sqrt(x2 + 0j)
    return np.where((R * Z).imag < 0, -R, R)


def real_axis(
    spectrum: Spectrum,
    T: float,
    mu_star: float = 0.0,
    cutoff: float = 0.0,
    *,
    reach: float = 10.0,
    h: float | None = None,
    top: float | None = None,
    rtol: float = 1e-9,
) -> RealAxis:
    """Gap function on the real axis up to 16 kT above the gap, beyond which no phonon is there to absorb.

    Three times the highest phonon suffices if that is less: the end of the axis reaches low energies only by the
    absorption of three phonons.
    """
    w_m, Delta_m, Z_m = imaginary_axis(spectrum, T, mu_star, cutoff, reach=reach, h=h)
    W, B, h = lattice(spectrum, h)
    kT = KB * T
    root = np.hypot(w_m, Delta_m)
    a, b = Delta_m / root, w_m / root
    n = int(np.ceil((top or 2 * Delta_m[0] + min(16 * kT, 3 * W[-1])) / h))
    E = h * (np.arange(n) + 0.5)
    M = W.size - 1
    # Matsubara sums first, on x = (k + 1/2) h wide enough for every E - z.
    x = h * (np.arange(n + M) + 0.5)
    R_phi, R_Z = np.zeros(x.size), -digamma(0.5 + 0.5j * x / (np.pi * kT)).real
    for am, bm, wm in zip(a, b, w_m, strict=True):
        lorentz = 2 * np.pi * kT / (x**2 + wm**2)
        R_phi -= am * x * lorentz
        R_Z += (bm - 1) * wm * lorentz
    odd = np.concatenate([-B[:0:-1], B])
    phi_0 = h * _conv(_whole(R_phi, -1.0), odd, n).real - 2 * np.pi * kT * mu_star * float(
        a @ screened(kT, cutoff, w_m.size)
    )
    wZ_0 = E + h * _conv(_whole(R_Z, 1.0), odd, n).real
    z = h * np.arange(-M, M + 1)
    with np.errstate(over="ignore"):
        N_z = np.divide(1.0, np.expm1(z / kT), out=np.zeros_like(z), where=z != 0)
    BN = odd * N_z
    BN[M] = kT * B[1] / h  # limit of B N where B is linear
    whole_x = h * (np.arange(-n, n) + 0.5)
    occupied = 1.0 / (1.0 + np.exp(np.clip(-whole_x / kT, -700, 700)))

    lower, upper = E - h / 2, E + h / 2
    Delta = np.full(n, Delta_m[0] + 0j)
    Z = np.full(n, Z_m[0] + 0j)
    residual = np.inf
    for _ in range(3000):
        ra, rb = _retarded(lower**2 - Delta**2, Z), _retarded(upper**2 - Delta**2, Z)
        g_Z = (rb - ra) / h
        g_phi = Delta * np.log((upper + rb) / (lower + ra)) / h
        full_Z, full_phi = _whole(g_Z, 1.0), _whole(g_phi, -1.0)
        rate = np.pi * 1j * h
        phi = phi_0 + rate * (_conv(full_phi, BN, n) + _conv(full_phi * occupied, odd, n))
        wZ = wZ_0 + rate * (_conv(full_Z, BN, n) + _conv(full_Z * occupied, odd, n))
        Z = wZ / E
        new = phi / Z
        # at low temperature the end of the axis may not settle; without phonons to absorb it reaches nothing below
        residual = float(np.abs(new - Delta)[: n // 2].max() / np.abs(Delta).max())
        Delta = new
        if residual < rtol:
            break
    return RealAxis(E=E, Delta=Delta, Z=Z, edge=_edge(E, Delta.real), residual=residual)


def _whole(half: Complex | Array, sign: float) -> Complex | Array:
    """Values at x > 0 continued to x < 0 as sign times the complex conjugate."""
    return np.concatenate([sign * half[::-1].conj(), half])


def _conv(values: Complex | Array, kernel: Array, n: int) -> Complex:
    """sum_x kernel(w - x) values(x) at the first n positive w; values on the whole axis, kernel on -M..M."""
    start = kernel.size // 2 + values.size // 2
    return np.asarray(fftconvolve(values, kernel, mode="full"))[start : start + n]


def _edge(E: Array, Delta: Array) -> float:
    """Highest energy at which Re Delta(E) = E, interpolated linearly; nan if there is none."""
    above = np.flatnonzero((Delta[:-1] >= E[:-1]) & (Delta[1:] < E[1:]))
    if not above.size:
        return float("nan")
    i = above[-1]
    d0, d1 = Delta[i] - E[i], Delta[i + 1] - E[i + 1]
    return float(E[i] + (E[i + 1] - E[i]) * d0 / (d0 - d1))


def gap_edge(
    spectrum: Spectrum,
    T: float,
    mu_star: float = 0.0,
    cutoff: float = 0.0,
    *,
    reach: float = 10.0,
    h: float | None = None,
) -> float:
    """Gap edge Re Delta(E) = E at temperature T, meV."""
    return real_axis(spectrum, T, mu_star, cutoff, reach=reach, h=h).edge
