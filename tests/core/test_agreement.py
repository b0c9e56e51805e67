"""One module against another where physics says that they agree, for occupations far from any temperature."""

import numpy as np
import pytest

from photogap.core.constants import HBAR
from photogap.core.optics.nam import at_frequencies, conductivity
from photogap.core.pairing.coherence import pair_ratio, spectral_weights
from photogap.core.pairing.eliashberg import Coupling
from photogap.core.pairing.lifetimes import quasiparticle_lifetimes
from photogap.core.simulate import build_film
from photogap.core.terms.pump import Pump
from support import direct


def driven(film):
    """Occupations with a hump at 150 meV and hot 50 meV phonons."""
    E, Omega = film.lattice.E, film.lattice.Omega
    n = 0.5 * np.exp(-Omega / 80) + 0.7 * np.exp(-(((Omega - 50) / 10) ** 2))
    n[0] = 0.0
    return 0.4 * np.exp(-((E / 60) ** 2)) + 0.2 * np.exp(-(((E - 150) / 25) ** 2)), n


def weights(film, Delta):
    return spectral_weights(film.lattice.E + 0j, np.full(film.lattice.N, Delta, dtype=complex))


def test_self_energies_equal_direct_sums(k3c60):
    """Re S to 1e-3 of its largest, as the sums meet the filled band's edge (half of it seen, falling with h);
    Re phi, a sum in both, to 1e-4; Z(0), where 1e-3 meV of S are of order one, to 1e-3."""
    film = build_film(k3c60, 2.0, 600.0)
    E, (f, n) = film.lattice.E, driven(film)
    coupling = Coupling(film.lattice, film.alpha2F, 0.0, 600.0)
    rho, p = spectral_weights(E + 0j, 10.25 * np.exp(-E / 100) * (1 + 0.5 * np.sin(E / 30)) + 0j)
    kernel = coupling.kernel(n)
    S, phi = kernel.self_energies(rho, p, f)
    # the direct sums end with the window: without mu_star the tail of p is c2 / E^3 alone
    phi = phi - kernel.asymptote(p, f)[1] * kernel.tail[1]
    some = np.array([0, 5, 25, 80, 120, 200])
    S_direct, phi_direct = direct.self_energies(coupling, n, rho, p, f, E[some])
    assert np.abs(S.real[some] - S_direct).max() < 1e-3 * np.abs(S.real).max()
    assert np.abs(phi.real[some] - phi_direct).max() < 1e-4 * np.abs(phi.real).max()
    assert S.real[0] == pytest.approx(S_direct[0], rel=1e-3)


@pytest.mark.parametrize("Delta", [0.0, 10.25])
def test_lifetimes_are_the_imaginary_parts_of_the_self_energies(k3c60, Delta):
    """1 / tau = -(2 / hbar) (Im S + (p / rho) Im phi): to h^2, as sums meet integrals of a linear alpha2F."""
    errors = []
    for h in (2.0, 1.0):
        film = build_film(k3c60, h, 600.0)
        (f, n), (rho, p) = driven(film), weights(film, Delta)
        S, phi = Coupling(film.lattice, film.alpha2F, 0.0, 600.0).kernel(n).self_energies(rho, p, f)
        rate = sum(quasiparticle_lifetimes(film, rho, p, f, n))
        width = -2 / HBAR * (S.imag + pair_ratio(rho, p) * phi.imag)
        # near the window's end collisions find no states above it, the self-energies do
        inside = film.lattice.E + film.lattice.Omega[-1] < 600.0 - h
        errors.append(np.abs(rate - width)[inside].max() / rate.max())
    assert errors[1] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("omega", [15.0, 30.0, 170.0, 170.3])
@pytest.mark.parametrize("Delta", [0.0, 10.25])
def test_pump_absorption_follows_the_conductivity(k3c60, Delta, omega):
    """Both channels with stimulated emission: power at unit Gamma = 2 N0 omega^2 sigma1 / sigma_n, below and above
    2 Delta and between lattice points; 1e-4, what differs between the two lattice sums."""
    film = build_film(k3c60, 1.0, 600.0)
    (f, _), (rho, p) = driven(film), weights(film, Delta)
    pump = Pump(
        omega_pump=omega, tau_pump=0.3, U=1.0, channels="scattering+pair-breaking", stimulated_emission=True
    )
    power = film.quasiparticle_energy(rho, pump.unit_rate(film.lattice, rho, p, f))
    sigma = conductivity(np.full(f.size, Delta + 0j), f, film.lattice.h)
    sigma1 = float(at_frequencies(sigma, film.lattice.h, omega).real)
    assert power == pytest.approx(2 * film.N0 * omega**2 * sigma1, rel=1e-4)


def test_the_pump_saturates_at_one_half(k3c60):
    """With stimulated emission f = 1/2 neither absorbs nor emits: infinite temperature, to round-off."""
    film = build_film(k3c60, 1.0, 600.0)
    rho, p = weights(film, 10.25)
    for channels in ("scattering", "scattering+pair-breaking"):
        pump = Pump(omega_pump=170.3, tau_pump=0.3, U=1.0, channels=channels, stimulated_emission=True)
        assert np.abs(pump.unit_rate(film.lattice, rho, p, np.full(rho.size, 0.5))).max() < 1e-15
