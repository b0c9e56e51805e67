r"""Collision integrals of quasiparticles and phonons, Eqs. (1, 2; 4, 5) of arXiv:2603.18182, as three convolutions.

On the whole axis (rho even, p odd, f(-E) = 1 - f(E), alpha2F odd, n(-Omega) = -1 - n(Omega)) scattering up,
scattering down, recombination and pair breaking are one expression,

    df/dt(E)     = -(2 pi / hbar) { f C1 - (1 - f) C2 },
    C1(E)        = Int dOmega alpha2F (n + 1) [rho' (1 - f') - (p / rho) p' (1 - f')],        f' = f(E - Omega),
    C2(E)        = Int dOmega alpha2F n       [rho' f' - (p / rho) p' f'] = C1(-E),
    dn/dt(Omega) = (4 pi / hbar) (N0 / N_ion) (alpha2F / F) { (n + 1) X(Omega) - n X(-Omega) },
    X(Omega)     = Int dE [rho rho' - p p'] f(E + Omega) (1 - f(E)) = (a * a + c * c)(Omega),  a = rho f, c = p f.

The factor 4 pi is the paper's 8 pi halved: the whole-axis integral counts scattering twice and ordered pairs once.
Since 1 - f(E) = f(-E), every product is a convolution of a, c and alpha2F (n + 1) or their mirror images: three
forward and three inverse real transforms give all rates. States outside the window are neglected (rho = 0), so
U_qp = 4 N0 Int_0 dE E rho f plus U_ph = N_ion Int dOmega F Omega n is conserved to round-off, and Fermi and Bose
functions of one temperature are a fixed point term by term. Delta = 0 (rho = 1, p = 0) is the normal state's
Prange-Kadanoff equation.

These coherence factors are averaged over the two branches of normal-state energies, +-sqrt(E^2 - Delta^2), that
make up a quasiparticle energy (`averaged`). The paper's text uses E~ on one of them: u^2 - v^2 = q / rho instead
of zero, 2 u v = p / rho, u^2 + v^2 = 1, and

    rho rho' M1 = rho rho' - p p' + q q',    rho rho' M2 = rho rho' + p p' - q q',    q^2 = rho^2 - p^2,

`printed` (with u v' for the second u u' of its M2, a misprint: only then is it symmetric and energy conserved). On
the whole axis q is odd and enters like p with the opposite sign. In the normal state this doubles scattering and
removes recombination: unphysical, but as printed.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import fft

from ..constants import HBAR
from ..kinetics import Change, Film, Process, Setup, State
from ..lattice import Array, Complex, Ring
from ..pairing.coherence import pair_ratio
from ..settings import Coherence


@dataclass(frozen=True, eq=False)
class Rates:
    """Gross rates of gain and loss; the collision integrals are their differences.

    Args:
        f_gain, f_loss: Quasiparticles, 1/ps, shape (N,).
        n_gain, n_loss: Phonons, 1/ps, shape (M + 1,).
    """

    f_gain: Array
    f_loss: Array
    n_gain: Array
    n_loss: Array


def collision_rates(
    film: Film, rho: Array, p: Array, f: Array, n: Array, coherence: Coherence = "averaged"
) -> Rates:
    """Gain and loss by electron-phonon collisions.

    Args:
        film: Spectrum and densities.
        rho, p: Spectral weights at E_i, dimensionless, shape (N,).
        f: Quasiparticle occupation at E_i, shape (N,).
        n: Phonon occupation at Omega_j, shape (M + 1,).
        coherence: `averaged` over branches, or `printed`.
    Returns:
        Gross rates, 1/ps.
    """
    C1, C2, created, absorbed = _integrals(film, rho, p, f, n, coherence)
    return Rates(
        f_gain=2 * np.pi / HBAR * (1.0 - f) * C2,
        f_loss=2 * np.pi / HBAR * f * C1,
        n_gain=film.phonon_rate * (n + 1.0) * created,
        n_loss=film.phonon_rate * n * absorbed,
    )


def _integrals(
    film: Film, rho: Array, p: Array, f: Array, n: Array, coherence: Coherence
) -> tuple[Array, Array, Array, Array]:
    """C1 and C2 at E_i, meV, shape (N,); X(Omega_j) and X(-Omega_j), meV, shape (M + 1,)."""
    ring, h, N, M = film.ring, film.lattice.h, film.lattice.N, film.lattice.M
    signals = np.empty((3, ring.L))
    signals[:2] = ring.occupations(rho, p, f)
    signals[2] = ring.emission(film.alpha2F, n)
    # The filled band, a = 1 at E < 0, would add its round-off to all transforms, so its part is summed exactly.
    signals[0, ring.L - N :] -= 1.0
    A, C, G = fft.rfft(signals)
    G = G * ring.mirror_phase
    C1_rho, C1_p, X = h * fft.irfft(np.stack([G * np.conj(A), -G * np.conj(C), A * A + C * C]), ring.L)
    up, down = _into_empty_band(ring, h, signals[2])
    ratio = pair_ratio(rho, p)
    C1 = ring.positive(C1_rho) + up - ratio * ring.positive(C1_p)
    C2 = ring.negative(C1_rho) + down + ratio * ring.negative(C1_p)
    # E_i + E_k = Omega_(i+k+1): X(Omega_j) stands at j - 1, X(-Omega_j) at -j - 1
    created, absorbed = _with_filled_band(ring, h, signals[0])
    created[1:] += X[:M]
    absorbed[1:] += X[ring.L - M - 1 : ring.L - 1][::-1]
    if coherence == "printed":
        more = _one_branch(ring, h, rho, p, f, G, up, down)
        C1, C2, created, absorbed = (a + b for a, b in zip((C1, C2, created, absorbed), more, strict=True))
    return C1, C2, created, absorbed


def _one_branch(
    ring: Ring, h: float, rho: Array, p: Array, f: Array, G: Complex, up: Array, down: Array
) -> tuple[Array, Array, Array, Array]:
    """Contribution of q q' to C1, C2, X(Omega) and X(-Omega): q is odd like p, its sign that of rho rho'."""
    N, M = ring.lattice.N, ring.lattice.M
    q = np.sqrt(np.maximum(rho * rho - p * p, 0.0))
    ratio = np.divide(q, rho, out=np.zeros(N), where=rho > 1e-14)
    signal = ring.from_halves(q * f, -q * (1.0 - f), np.empty(ring.L))
    # as with rho, less the filled band, which here is -1 at E < 0
    signal[ring.L - N :] += 1.0
    D = fft.rfft(signal)
    C_q, X = h * fft.irfft(np.stack([-G * np.conj(D), -D * D]), ring.L)
    created, absorbed = _with_filled_band(ring, h, -signal)
    created[1:] += -X[:M]
    absorbed[1:] += -X[ring.L - M - 1 : ring.L - 1][::-1]
    C1 = ratio * (ring.positive(C_q) + up)
    C2 = -ratio * (ring.negative(C_q) + down)
    return C1, C2, -created, -absorbed


def _into_empty_band(ring: Ring, h: float, emission: Array) -> tuple[Array, Array]:
    """alpha2F (n + 1) convolved with the empty states 0 < E < W, at E_i and at -E_i, both (N,)."""
    N, M = ring.lattice.N, ring.lattice.M
    below = np.concatenate([[0.0], np.cumsum(np.concatenate([emission[ring.L - M :], emission[: M + 1]]))])
    i = np.arange(-N, N)
    # Sum over -M <= j <= M with 0 <= i - j < N
    sums = h * (below[np.clip(i + M + 1, 0, 2 * M + 1)] - below[np.clip(i - N + M + 1, 0, 2 * M + 1)])
    return sums[N:], sums[:N][::-1]


def _with_filled_band(ring: Ring, h: float, excess: Array) -> tuple[Array, Array]:
    """X(Omega_j), X(-Omega_j) of the filled band, with itself and with a's excess over it (L,), both (M + 1,)."""
    N, M = ring.lattice.N, ring.lattice.M
    below = np.concatenate([[0.0], np.cumsum(np.concatenate([excess[ring.L - N :], excess[:N]]))])
    j = np.arange(M + 1)
    # Sum over m < l <= m + N of the excess at l, m = j - 1 or -j - 1
    created = 2 * h * (below[2 * N] - below[N + j])
    absorbed = 2 * h * (below[2 * N - j] - below[N - j]) + h * j
    created[0] = absorbed[0] = 0.0
    return created, absorbed


@dataclass(frozen=True)
class Collisions(Process):
    """Electron-phonon collisions, which exchange energy between quasiparticles and phonons.

    Args:
        coherence: See `collision_rates`.
    """

    coherence: Coherence = "averaged"

    @classmethod
    def build(cls, setup: Setup) -> "Collisions":
        """The term of a slab."""
        return cls(setup.settings.coherence)

    def add(self, t: float, state: State, change: Change) -> None:
        """See `Term.add`."""
        rates = collision_rates(state.film, state.rho, state.p, state.f, state.n, self.coherence)
        change.f += rates.f_gain - rates.f_loss
        change.n += rates.n_gain - rates.n_loss

    def fastest_rate(self, t: float, state: State) -> float:
        """Scattering far above the gap, and pair breaking by phonons of any energy."""
        film = state.film
        emitted = film.lattice.h * float(np.dot(film.alpha2F, 2.0 * np.abs(state.n) + 1.0))
        phonons = 2.0 * float((film.phonon_rate * film.lattice.Omega).max())
        branches = 2.0 if self.coherence == "printed" else 1.0
        return branches * (1.3 * 2 * math.pi / HBAR * emitted + phonons)

    def relaxation(self, t: float, state: State, rates: Change) -> None:
        """See `Term.relaxation`: (2 pi / hbar) (C1 + C2), and the absorption of phonons minus their emission."""
        C1, C2, created, absorbed = _integrals(state.film, state.rho, state.p, state.f, state.n, self.coherence)
        rates.f += 2 * np.pi / HBAR * (C1 + C2)
        rates.n += state.film.phonon_rate * (absorbed - created)
