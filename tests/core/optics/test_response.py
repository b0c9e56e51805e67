"""A film's response as the command line shows it, and tabulated indices."""

import math

import numpy as np
import pytest

from photogap.core.material import Material
from photogap.core.optics.film import absorbed_energy_density
from photogap.core.optics.kubo import kubo_conductivity
from photogap.core.optics.nam import at_frequencies, conductivity
from photogap.core.optics.response import film_response, optical_response
from photogap.core.spectra import Spectrum

H = 0.05
E = (np.arange(1200) + 0.5) * H
F = np.zeros(1200)
DELTA = np.full(1200, 1.3)


def lead(**changes):
    """A Pb-like film; the optics read its resistivity and thickness only."""
    omega = np.linspace(0.0, 10.0, 11)
    numbers = {
        "name": "Pb",
        "spectrum": Spectrum(omega=omega, alpha2F=omega * 0.1, F=omega * 0.06),
        "N_ion": 33.0,
        "N0": 5.9e-3,
        "rho_N": 350.0,
        "Tc0": 8.0,
        "cutoff": 50.0,
        "window": 60.0,
        "spacing": H,
        "tau_pump": 2.0,
        "omega_pump": 1500.0,
        "thickness": 20.0,
    }
    return Material(**(numbers | changes))


def test_normal_state_is_the_pumps_film():
    out = optical_response(lead(), DELTA, F, H, [5.0, 40.0], n_substrate=1.8)
    chi = [absorbed_energy_density(1.0, w, 350.0, 20.0, 1.8).chi for w in (5.0, 40.0)]
    assert out.normal.chi == pytest.approx(chi, rel=1e-12)  # the same formula through two doors
    assert out.normal.sigma == pytest.approx(1 / 350.0, rel=1e-14)


def test_superconductor_reflects_more_below_its_gap_and_the_same_far_above():
    out = optical_response(lead(), DELTA, F, H, [1.0, 55.0], n_substrate=3.1)
    film, metal = out.superconducting, out.normal
    assert film.R[0] > metal.R[0]
    assert film.chi[0] == pytest.approx(0.0, abs=1e-6)  # no pairs break at T = 0: sigma1 = 0 to the edge's nudge
    # (Delta / omega)^2 ln: 2e-3 at 42 Delta.
    assert film.R[1] == pytest.approx(metal.R[1], rel=5e-3)
    assert film.R + film.T + film.chi == pytest.approx(1, abs=1e-14)


def test_bulk_and_the_materials_thickness():
    bulk = optical_response(lead(), DELTA, F, H, 5.0, thickness=math.inf)
    assert bulk.normal.T == 0
    assert bulk.normal.R > optical_response(lead(), DELTA, F, H, 5.0).normal.R
    same = optical_response(lead(thickness=math.inf), DELTA, F, H, 5.0)
    assert same.superconducting.R == bulk.superconducting.R


def test_frequencies_between_the_lattices_are_interpolated():
    """omega sigma of a condensate is constant: 1e-3 between lattice points at Delta / 2; exact on them."""
    sigma = conductivity(DELTA, F, H)
    assert at_frequencies(sigma, H, 13 * H) == pytest.approx(sigma[13], rel=1e-12)
    middle = at_frequencies(sigma, H, 13.5 * H)
    low, high = sigma[13].imag, sigma[14].imag
    assert middle.imag == pytest.approx(2 / (1 / low + 1 / high), rel=1e-3)


def test_finite_scattering_rate_goes_through_kubo():
    out = optical_response(lead(), DELTA, F, H, [3.0, 3.02], scattering_rate=2.0)
    assert out.normal.sigma[0] == pytest.approx(1 / 350.0 / (1 - 1.5j), rel=1e-12)
    exact = kubo_conductivity(DELTA, F, H, 2.0, k=60) / 350.0
    assert out.superconducting.sigma[0] == pytest.approx(exact, rel=1e-10)
    assert out.superconducting.sigma[1] != out.superconducting.sigma[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"omega": 60.0}, "`omega` must lie in the window, 0.05 to 59.95 meV. Got 60.0"),
        ({"omega": 0.01}, "`omega` must lie in the window"),
        ({"omega": 5.0, "thickness": -1.0}, "`thickness` must be positive"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        optical_response(lead(), DELTA, F, H, **options)


def test_film_response_takes_arrays():
    """Shapes: times along the first axis, photon energies along the second, as a trajectory gives them."""
    sigma = np.array([[1e-3, 1e-3 + 1e-3j], [1e-3, 2e-3], [1e-4, 1e-3]])
    out = film_response(sigma, [5.0, 10.0], 20.0, 1.8)
    assert out.R.shape == out.chi.shape == out.n.shape == (3, 2)
