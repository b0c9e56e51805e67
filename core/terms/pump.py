r"""Absorption of the pump pulse: quasiparticles move by one photon, E -> E + omega_pump.

At unit rate, with f(-E) = 1 - f(E), rho even and p odd,

    g(E) = (1 - f(E)) f(E - w) rho(E - w) M - f(E) (1 - f(E + w)) rho(E + w) M,   M = 1 + p p' / (rho rho'),

and df/dt = Gamma(t) g(E). The paper keeps E - w > 0 (`scattering`: a photon moves a quasiparticle);
`scattering+pair-breaking` takes the whole axis, where E - w < 0 means that the photon breaks a pair and M
automatically has the pair-breaking sign. `pair_breaking_share` scales this part, equally for both members of a
pair, so that energy is conserved: 0 is `scattering`, 1 `scattering+pair-breaking`. With stimulated emission each
process also has its reverse. A photon energy between two lattice shifts is shared between them, so that its mean is
exact.

A share of the energy (`phonon_share`, 0 in the paper) may go into phonons instead (`phonon_drive`).

The absorbed energy is F0 chi / d_eff (`optics.film`). The part U that quasiparticles absorb fixes Gamma: `envelope`
takes, at each time, the Gamma that deposits the pulse's own power P(t) = U S(t) / Int S; `constant` (the paper)
takes Gamma(t) = Gamma_0 S(t) with the one Gamma_0 for which the whole pulse deposits U; S = exp(-4 ln 2
(t/tau_pump)^2).

Continuous light (`pump_shape`) rises like a pulse and stays on: S = 1 from t = 0. Each tau_pump then brings F0, P =
U S / tau_pump, and `envelope` finds the Gamma that absorbs it.
"""

import math
from dataclasses import dataclass

import numba as nb
import numpy as np

from ..constants import HBAR
from ..lattice import Array, Lattice
from ..pairing.coherence import NO_STATES
from ..settings import PumpChannels, PumpShape

_DECAY = -4 * math.log(2)
"""Logarithm of S one duration from its maximum."""
_EDGE = math.sqrt(12 * math.log(10) / (4 * math.log(2)))
"""Durations from the maximum to where S is 1e-12."""
_AREA = math.sqrt(math.pi / (4 * math.log(2)))
"""Int S, in durations."""


@nb.njit(cache=True, error_model="numpy", inline="always")
def _gain_and_loss(
    f: float, rho: float, p: float, partner: float, rho_partner: float, p_partner: float
) -> tuple[float, float]:
    """Rates into and out of a cell by a photon between it and its partner, from f, rho and p of both."""
    # as `pair_ratio`
    ratio = 1.0 if rho < NO_STATES else p / rho
    weight = rho_partner + ratio * p_partner
    return (1.0 - f) * partner * weight, f * (1.0 - partner) * weight


@nb.njit(cache=True, error_model="numpy")
def _add_shift(out: Array, f: Array, rho: Array, p: Array, k: int, share: float,
               pairs: float, emission: bool) -> None:  # fmt: skip
    """Add share times g(E) for a photon of k lattice spacings, pair breaking scaled by `pairs`."""
    N, back = f.size, 1.0 if emission else 0.0
    rate = np.zeros(N)
    # absorption leads from below, 0 to N - k, to above, k to N; emission is its reverse
    both = max(N - k, 0)
    f_low, rho_low, p_low = f[:both], rho[:both], p[:both]
    f_high, rho_high, p_high, rate_high = f[N - both :], rho[N - both :], p[N - both :], rate[N - both :]
    for i in range(both):
        gain, loss = _gain_and_loss(f_low[i], rho_low[i], p_low[i], f_high[i], rho_high[i], p_high[i])
        rate[i] = gain * back - loss
    for i in range(both):
        gain, loss = _gain_and_loss(f_high[i], rho_high[i], p_high[i], f_low[i], rho_low[i], p_low[i])
        rate_high[i] += gain - loss * back
    if pairs > 0.0:
        for i in range(max(0, k - N), min(k, N)):
            # a photon from E_i - w = -E_j breaks a pair: f(-E) = 1 - f(E), p is odd
            j = k - 1 - i
            gain, loss = _gain_and_loss(f[i], rho[i], p[i], 1.0 - f[j], rho[j], -p[j])
            rate[i] += gain * pairs - loss * pairs * back
    for i in range(N):
        out[i] += share * rate[i]


def pulse_spectrum(omega: Array, omega_pump: float, tau_pump: float, least: float = 0.0) -> Array:
    """Intensity of a pulse of duration tau_pump (FWHM, ps) at energies omega (meV), normalised to 1 at omega_pump.

    Its width (FWHM) is 4 ln 2 hbar / tau_pump, 6.1 meV for 0.3 ps, or `least` (meV) if larger.
    """
    width = max(4 * math.log(2) * HBAR / tau_pump, least)
    return np.asarray(np.exp(-4 * math.log(2) * ((omega - omega_pump) / width) ** 2))


@dataclass(frozen=True, kw_only=True)
class Pump:
    """A Gaussian pump pulse, or light that rises like one and stays on.

    Args:
        omega_pump: Photon energy, meV.
        tau_pump: Duration (FWHM), ps; the maximum is at t = 0.
        U: Energy density that quasiparticles absorb, meV/nm^3; with continuous light, in each interval of tau_pump.
        U_ph: Energy density that phonons of the photon's energy absorb, meV/nm^3.
        channels: `scattering` or `scattering+pair-breaking`.
        stimulated_emission: Whether each process also has its reverse.
        shape: `pulse`, or `continuous`: S stays one from t = 0 on.
        pair_breaking_share: Weight of pair breaking relative to the golden rule's, 0 to 1; None takes `channels`.
    """

    omega_pump: float
    tau_pump: float
    U: float
    channels: PumpChannels
    stimulated_emission: bool
    U_ph: float = 0.0
    shape: PumpShape = "pulse"
    pair_breaking_share: float | None = None

    @property
    def pairs(self) -> float:
        """Weight of pair breaking relative to the golden rule's, 0 to 1."""
        if self.pair_breaking_share is not None:
            return float(self.pair_breaking_share)
        return 1.0 if self.channels == "scattering+pair-breaking" else 0.0

    @property
    def total(self) -> float:
        """Absorbed energy density, meV/nm^3."""
        return self.U + self.U_ph

    def envelope(self, t: float) -> float:
        """S(t), dimensionless, 1 at t = 0."""
        if self.continuous and t > 0.0:
            return 1.0
        return math.exp(_DECAY * (t / self.tau_pump) ** 2)

    @property
    def begins(self) -> float:
        """Time at which S rises above 1e-12, ps."""
        return -self.tau_pump * _EDGE

    @property
    def ends(self) -> float:
        """Time at which S falls below 1e-12 again, ps; `math.inf` for continuous light."""
        return math.inf if self.continuous else -self.begins

    @property
    def continuous(self) -> bool:
        """Return whether the light stays on."""
        return self.shape == "continuous"

    def rate(self, t: float) -> float:
        """Share of the pulse's energy per time, S(t) / Int S, 1/ps; S / tau_pump if continuous."""
        if self.continuous:
            return self.envelope(t) / self.tau_pump
        return self.envelope(t) / (self.tau_pump * _AREA)

    def arrived(self, t: float) -> float:
        """Share of the pulse's energy that has arrived by t."""
        return 0.5 * math.erfc(-2 * math.sqrt(math.log(2)) * t / self.tau_pump)

    def unit_rate(self, lattice: Lattice, rho: Array, p: Array, f: Array) -> Array:
        """df/dt for Gamma = 1 / ps, 1/ps, shape (N,).

        Args:
            lattice: Energies.
            rho, p: Spectral weights at E_i, shape (N,).
            f: Quasiparticle occupation at E_i, shape (N,).
        """
        out = np.zeros(f.size)
        shift = self.omega_pump / lattice.h
        k = math.floor(shift + 1e-9)
        above = max(shift - k, 0.0) if shift - k > 1e-9 else 0.0
        for steps, share in ((k, 1.0 - above), (k + 1, above)):
            if share > 0.0 and steps > 0:
                _add_shift(out, f, rho, p, steps, share, self.pairs, self.stimulated_emission)
        return out

    def unit_overrun(self, lattice: Lattice, rho: Array, f: Array) -> float:
        """Power, meV/ps in units of 4 N0, that absorption beyond the window would take up at Gamma = 1 / ps.

        Args:
            lattice: Energies.
            rho: Density of states at E_i, shape (N,).
            f: Quasiparticle occupation at E_i, shape (N,).
        """
        first = max(0, lattice.N - round(self.omega_pump / lattice.h))
        return float(lattice.h * np.dot(rho[first:], f[first:]))
