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
Prange-Kadanoff equation. On a lattice far wider than the gap equation's window the cells above that are convolved
in `blocks`, with the same rates.

These coherence factors are averaged over the two branches of normal-state energies, +-sqrt(E^2 - Delta^2), that
make up a quasiparticle energy (`averaged`). The paper's text uses E~ on one of them: u^2 - v^2 = q / rho instead
of zero, 2 u v = p / rho, u^2 + v^2 = 1, and

    rho rho' M1 = rho rho' - p p' + q q',    rho rho' M2 = rho rho' + p p' - q q',    q^2 = rho^2 - p^2,

`printed` (with u v' for the second u u' of its M2, a misprint: only then is it symmetric and energy conserved). On
the whole axis q is odd and enters like p with the opposite sign. In the normal state this doubles scattering and
removes recombination: unphysical, but as printed. Above the window q = 1, so here the whole axis stays on one ring.
"""

import math
from dataclasses import dataclass

import numba as nb
import numpy as np

from ..constants import HBAR
from ..kinetics import Change, Film, Process, Setup, State
from ..lattice import WORKSPACE, Array, Complex
from ..pairing.coherence import NO_STATES
from ..settings import Coherence

RATE = 2 * math.pi / HBAR
"""2 pi / hbar, 1/(meV ps)."""


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
        f_gain=RATE * (1.0 - f) * C2,
        f_loss=RATE * f * C1,
        n_gain=film.phonon_rate * (n + 1.0) * created,
        n_loss=film.phonon_rate * n * absorbed,
    )


def _integrals(
    film: Film, rho: Array, p: Array, f: Array, n: Array, coherence: Coherence
) -> tuple[Array, Array, Array, Array]:
    """C1 and C2 at E_i, meV, shape (N,); X(Omega_j) and X(-Omega_j), meV, shape (M + 1,)."""
    h, N, M = film.lattice.h, film.lattice.N, film.lattice.M
    blocks = None if coherence == "printed" else film.blocks
    ring, exact = (film.ring, N) if blocks is None else (blocks.low, blocks.first)
    cells = ring.lattice.N
    signals, spectra = WORKSPACE.real("signals", 3, ring.L), WORKSPACE.complex("spectra", 3, ring.L // 2 + 1)
    # The filled band, a = 1 at E < 0, would add its round-off to all transforms, so its part is summed exactly.
    ring.occupations(rho[:cells], p[:cells], f[:cells], signals[:2])
    emission = ring.emission(film.alpha2F, n, signals[2])
    empty = _running_sums(emission, M)
    created, absorbed = _with_filled_band(signals[0], f, h, cells, M)
    ring.forward(signals, spectra)
    _multiply(spectra, ring.mirror_phase, h / ring.L)
    C1, C2 = np.empty(N), np.empty(N)
    _collect(ring.inverse(spectra, signals), rho, p, empty, h, exact, C1, C2, created, absorbed)
    if blocks is not None:
        blocks.add(film.alpha2F, f, n, empty, C1, C2, created, absorbed)
    if coherence == "printed":
        more = _one_branch(film, rho, p, f, n, empty)
        C1, C2, created, absorbed = (a + b for a, b in zip((C1, C2, created, absorbed), more, strict=True))
    return C1, C2, created, absorbed


@nb.njit(cache=True, error_model="numpy")
def _multiply(spectra: Complex, mirror_phase: Complex, factor: float) -> None:
    """Transforms of a, c and alpha2F (n + 1) into those of both parts of C1 and of X, times `factor`."""
    for k in range(mirror_phase.size):
        A, C = spectra[0, k], spectra[1, k]
        G = factor * (spectra[2, k] * mirror_phase[k])
        spectra[0, k], spectra[1, k] = G * np.conj(A), -G * np.conj(C)
        spectra[2, k] = factor * (A * A + C * C)


@nb.njit(cache=True, error_model="numpy")
def _collect(
    signals: Array, rho: Array, p: Array, empty: Array, h: float, cells: int, C1: Array, C2: Array,
    created: Array, absorbed: Array,
) -> None:  # fmt: skip
    """C1, C2 (N,) at the first E_i from the convolutions (3, L); X(Omega_j), X(-Omega_j) added to `created`,
    `absorbed`."""
    N, M, L = rho.size, created.size - 1, signals.shape[1]
    for i in range(cells):
        # as `pair_ratio`
        ratio = 1.0 if rho[i] < NO_STATES else p[i] / rho[i]
        up, down = _into_empty_band(empty, h, N, M, i)
        C1[i] = signals[0, i] + up - ratio * signals[1, i]
        C2[i] = signals[0, L - 1 - i] + down + ratio * signals[1, L - 1 - i]
    # E_i + E_k = Omega_(i+k+1): X(Omega_j) stands at j - 1, X(-Omega_j) at -j - 1
    for j in range(1, M + 1):
        created[j] += signals[2, j - 1]
        absorbed[j] += signals[2, L - 1 - j]


def _one_branch(
    film: Film, rho: Array, p: Array, f: Array, n: Array, empty: Array
) -> tuple[Array, Array, Array, Array]:
    """Contribution of q q' to C1, C2, X(Omega) and X(-Omega); q is odd like p, q q' has the sign of rho rho'."""
    ring, h, N, M = film.ring, film.lattice.h, film.lattice.N, film.lattice.M
    q = np.sqrt(np.maximum(rho * rho - p * p, 0.0))
    ratio = np.divide(q, rho, out=np.zeros(N), where=rho > NO_STATES)
    signal = ring.from_halves(q * f, -q * (1.0 - f), np.empty(ring.L))
    # as with rho, less the filled band, which here is -1 at E < 0
    signal[ring.L - N :] += 1.0
    D, G = ring.forward(signal), ring.forward(ring.emission(film.alpha2F, n)) * ring.mirror_phase
    C_q, X = h / ring.L * ring.inverse(np.stack([-G * np.conj(D), -D * D]))
    created, absorbed = _with_filled_band(-signal, f, h, N, M)
    up, down = _all_into_empty_band(empty, h, N, M)
    created[1:] += -X[:M]
    absorbed[1:] += -X[ring.L - M - 1 : ring.L - 1][::-1]
    C1 = ratio * (ring.positive(C_q) + up)
    C2 = -ratio * (ring.negative(C_q) + down)
    return C1, C2, -created, -absorbed


@nb.njit(cache=True, error_model="numpy")
def _running_sums(emission: Array, M: int) -> Array:
    """Sums of alpha2F (n + 1) (L,) from -M to below each j, shape (2 M + 2,)."""
    L = emission.size
    below = np.empty(2 * M + 2)
    below[0] = 0.0
    for j in range(-M, M + 1):
        below[j + M + 1] = below[j + M] + emission[j if j >= 0 else L + j]
    return below


@nb.njit(cache=True, error_model="numpy", inline="always")
def _into_empty_band(below: Array, h: float, N: int, M: int, i: int) -> tuple[float, float]:
    """alpha2F (n + 1) convolved with the empty states 0 < E < W, at E_i and at -E_i, from its `_running_sums`."""
    # Sum over -M <= j <= M with 0 <= i - j < N
    up = h * (below[min(i, M) + M + 1] - below[max(i - N + M + 1, 0)])
    return up, h * below[M - i] if i < M else 0.0


@nb.njit(cache=True, error_model="numpy")
def _all_into_empty_band(below: Array, h: float, N: int, M: int) -> tuple[Array, Array]:
    """`_into_empty_band` at every E_i, both (N,)."""
    up, down = np.empty(N), np.empty(N)
    for i in range(N):
        up[i], down[i] = _into_empty_band(below, h, N, M, i)
    return up, down


@nb.njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def _sum(f: Array) -> float:
    total = 0.0
    for i in range(f.size):
        total += f[i]
    return total


@nb.njit(cache=True, error_model="numpy")
def _with_filled_band(excess: Array, f: Array, h: float, cells: int, M: int) -> tuple[Array, Array]:
    """X(Omega_j), X(-Omega_j) of the filled band, with itself and with a's excess over it, both (M + 1,).

    The excess (L,) holds `cells` cells; above them it is f.
    """
    L, N = excess.size, f.size
    created, absorbed = np.empty(M + 1), np.empty(M + 1)
    # Sum over m < l <= m + N of the excess at l, m = j - 1 or -j - 1
    above = 0.0
    for i in range(M, cells):
        above += excess[i]
    above += _sum(f[cells:])
    window = above
    for j in range(M - 1, -1, -1):
        window += excess[j]
    rest = window
    for j in range(M + 1):
        created[j], absorbed[j] = 2.0 * h * rest, 2.0 * h * window + h * j
        rest -= excess[j]
        top = N - 1 - j
        window += excess[L - 1 - j] - (excess[top] if top < cells else f[top])
    created[0] = absorbed[0] = 0.0
    return created, absorbed


@nb.njit(cache=True, error_model="numpy")
def _add(
    phonon_rate: Array, f: Array, n: Array, C1: Array, C2: Array, created: Array, absorbed: Array,
    df: Array, dn: Array,
) -> None:  # fmt: skip
    """Add the differences of the gross rates to df/dt (N,) and dn/dt (M + 1,)."""
    for i in range(f.size):
        df[i] += RATE * ((1.0 - f[i]) * C2[i] - f[i] * C1[i])
    for j in range(n.size):
        dn[j] += phonon_rate[j] * ((n[j] + 1.0) * created[j] - n[j] * absorbed[j])


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
        C1, C2, created, absorbed = _integrals(state.film, state.rho, state.p, state.f, state.n, self.coherence)
        _add(state.film.phonon_rate, state.f, state.n, C1, C2, created, absorbed, change.f, change.n)

    def fastest_rate(self, t: float, state: State) -> float:
        """Largest rates of scattering far above the gap and of pair breaking by phonons of any energy."""
        film = state.film
        emitted = film.lattice.h * float(np.dot(film.alpha2F, 2.0 * np.abs(state.n) + 1.0))
        phonons = 2.0 * float((film.phonon_rate * film.lattice.Omega).max())
        branches = 2.0 if self.coherence == "printed" else 1.0
        return branches * (1.3 * RATE * emitted + phonons)

    def relaxation(self, t: float, state: State, rates: Change) -> None:
        """See `Term.relaxation`: (2 pi / hbar) (C1 + C2), and the absorption of phonons minus their emission."""
        C1, C2, created, absorbed = _integrals(state.film, state.rho, state.p, state.f, state.n, self.coherence)
        rates.f += RATE * (C1 + C2)
        rates.n += state.film.phonon_rate * (absorbed - created)
