"""Spectra: exact lambda, units, normalisation, the lattice, and each refusal."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photogap.core.pairing import allen_dynes
from photogap.core.spectra import Peak, Spectrum
from photogap.core.units import ENERGY
from photogap.sweeps.materials import library as materials

OMEGA = np.linspace(0.0, 12.0, 121)
ALPHA2F = np.exp(-((OMEGA - 5.0) ** 2) / 2) * OMEGA / 5


def lattice_lambda(spectrum, h):
    Omega, alpha2F, _ = spectrum.on_lattice(h)
    return 2 * h * float(np.sum(alpha2F[1:] / Omega[1:]))


# Computed elsewhere from the same peak tables, on another grid: lambda, omega_log and omega_2 (meV), Tc at
# mu* = 0.10 without and with f1 and f2 (K). Rounded there: tolerances of half a unit in the last place.
MOMENTS = {
    "CaC6": (0.8300, 24.705, 62.11, 14.46, 15.30),
    "K3C60": (0.5671, 97.680, 126.94, 21.71, 22.33),
    "LaH10": (3.2650, 75.938, 108.77, 164.31, 237.95),
    "Pb": (1.6859, 4.446, 5.22, 6.52, 7.45),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments_and_allen_dynes(name):
    spectrum = materials.load(name).spectrum
    lambda_, log, second, plain, full = MOMENTS[name]
    assert spectrum.coupling_lambda == pytest.approx(lambda_, rel=1e-4)
    assert spectrum.omega_log == pytest.approx(log, rel=2e-4)
    assert spectrum.omega_2 == pytest.approx(second, abs=5.1e-3)
    # Tc moves three times as much as lambda, whose fourth digit is what differs.
    assert spectrum.allen_dynes_Tc(0.10, factors=False) == pytest.approx(plain, abs=8e-3)
    assert spectrum.allen_dynes_Tc(0.10) == pytest.approx(full, abs=8e-3)


def test_cac6_has_the_published_Tc():
    """Calandra and Mauri: lambda 0.83, omega_log 24.7 meV and mu* = 0.14 give 11 K."""
    assert materials.load("CaC6").spectrum.allen_dynes_Tc(0.14, factors=False) == pytest.approx(11.0, abs=0.05)


def test_allen_dynes_without_attraction():
    assert allen_dynes.critical_temperature(0.1, 10.0, 12.0, 0.2) == 0.0


@given(centre=st.floats(2.0, 50.0), share=st.floats(0.02, 0.3), lambda_=st.floats(0.1, 3.0))
def test_einstein_mode_returns_its_lambda(centre, share, lambda_):
    """Gauss is normalised on omega > 0: lambda is exact even where the tail would reach below zero."""
    spectrum = Spectrum.from_peaks([Peak(centre=centre, width=share * centre, lambda_=lambda_)])
    assert spectrum.coupling_lambda == lambda_
    # Twelve points to a width, linear between: 1/12^2 of the curvature, less where 1 / omega is flat.
    assert allen_dynes.coupling_lambda(spectrum.omega, spectrum.alpha2F) == pytest.approx(lambda_, rel=1e-3)
    assert lattice_lambda(spectrum, share * centre / 2) == pytest.approx(lambda_, rel=1e-12)


@pytest.mark.parametrize("name", MOMENTS)
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_lattice_keeps_lambda_and_atoms(name, factor):
    material = materials.load(name)
    h = factor * material.spacing
    Omega, alpha2F, F = material.spectrum.on_lattice(h)
    assert Omega[0] == alpha2F[0] == F[0] == 0.0
    assert Omega == pytest.approx(h * np.arange(Omega.size), rel=1e-15)
    assert Omega[-2] < material.spectrum.omega[-1] <= Omega[-1] * (1 + 1e-12)
    exact = sum(p.lambda_ for p in material.spectrum.peaks)
    assert lattice_lambda(material.spectrum, h) == pytest.approx(exact, rel=1e-12)
    assert h * F.sum() == pytest.approx(3.0, rel=1e-12)
    assert (F[alpha2F > 0] > 0).all()


@pytest.mark.parametrize("h", [0.013, 0.1, 0.37, 0.9])
def test_columns_keep_lambda_and_mean_on_any_lattice(h):
    """Hat functions add up to one and reproduce omega: lambda and Int alpha2F survive to round-off."""
    spectrum = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV")
    _, alpha2F, F = spectrum.on_lattice(h)
    assert lattice_lambda(spectrum, h) == pytest.approx(spectrum.coupling_lambda, rel=1e-12)
    # What lies under the hat at zero moves up to h: the one place where the mean shifts.
    area = float(np.trapezoid(spectrum.alpha2F, spectrum.omega))
    assert h * alpha2F.sum() == pytest.approx(area, rel=1e-4)
    assert h * F.sum() == pytest.approx(3.0, rel=1e-9)


def test_peak_narrower_than_the_lattice_survives():
    spectrum = Spectrum.from_peaks([Peak(centre=20.1, width=0.01, lambda_=1.0)])
    assert lattice_lambda(spectrum, 0.5) == pytest.approx(1.0, rel=1e-12)
    Omega, alpha2F, _ = spectrum.on_lattice(0.5)
    assert Omega[alpha2F > 1e-9] == pytest.approx([20.0, 20.5])


def test_lattice_too_coarse():
    spectrum = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV")
    with pytest.raises(ValueError, match=r"`h` must resolve the spectrum .* Got 3\.0 meV"):
        spectrum.on_lattice(3.0)
    with pytest.raises(ValueError, match=r"`h` must be positive, in meV. Got -1"):
        spectrum.on_lattice(-1.0)


@pytest.mark.parametrize("units", ENERGY)
def test_units(units):
    """The same numbers in another unit: alpha2F has no dimension, so lambda stays and frequencies scale."""
    spectrum = Spectrum.from_columns(OMEGA / ENERGY[units], ALPHA2F, units=units)
    reference = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV")
    assert spectrum.omega == pytest.approx(reference.omega, rel=1e-14)
    assert spectrum.coupling_lambda == pytest.approx(reference.coupling_lambda, rel=1e-12)


def test_units_are_the_accepted_constants():
    """CODATA 2018: h = 4.135667696e-15 eV s, hc = 1.239841984e-4 eV cm, Ry = 13.605693123 eV."""
    assert ENERGY["THz"] == pytest.approx(4.135667696, rel=1e-9)
    assert ENERGY["cm-1"] == pytest.approx(0.1239841984, rel=1e-9)
    assert ENERGY["Ha"] == pytest.approx(2 * ENERGY["Ry"], rel=1e-12)


def test_F_is_normalised_and_defaults_to_alpha2F():
    F = OMEGA**2
    given_F = Spectrum.from_columns(OMEGA, ALPHA2F, F, units="meV")
    assert np.trapezoid(given_F.F, given_F.omega) == pytest.approx(3.0, rel=1e-12)
    assert given_F.F[60] / given_F.F[30] == pytest.approx(4.0)
    without = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV")
    ratio = without.alpha2F[1:-1] / without.F[1:-1]
    assert ratio == pytest.approx(np.full(ratio.size, ratio[0]))


def test_F_on_a_separate_grid():
    fine = np.linspace(0.0, 3.1, 400)
    spectrum = Spectrum.from_columns(OMEGA, ALPHA2F, 1 + 0 * fine, units="meV", omega_F=fine, units_F="THz")
    # The density ends at 3.1 THz = 12.8 meV, past alpha2F.
    assert spectrum.omega[-1] == pytest.approx(3.1 * ENERGY["THz"])
    assert spectrum.coupling_lambda == pytest.approx(
        Spectrum.from_columns(OMEGA, ALPHA2F, units="meV").coupling_lambda, rel=1e-6
    )


def test_spectrum_is_read_only_and_picklable():
    spectrum = Spectrum.from_columns(OMEGA, ALPHA2F, units="meV")
    with pytest.raises(ValueError, match="read-only"):
        spectrum.alpha2F[3] = 1.0
    again = pickle.loads(pickle.dumps(spectrum))
    assert again.alpha2F.tobytes() == spectrum.alpha2F.tobytes()


def changed(array, index, value):
    out = array.copy()
    out[index] = value
    return out


BAD = [
    ({"omega": OMEGA - 1.0}, r"`omega` must not be negative .* Got -1 in row 0"),
    ({"omega": changed(OMEGA, 7, np.nan)}, r"`omega` must contain finite numbers. Got nan in row 7"),
    ({"omega": changed(OMEGA, 7, 0.1)}, r"`omega` must increase from row to row; sort it. Got 0.1 at 7"),
    (
        {"omega": OMEGA[:5], "alpha2F": ALPHA2F[:5]},
        r"`omega` must be a column of 8 points or more. Got shape \(5,\)",
    ),
    ({"alpha2F": changed(ALPHA2F, 9, -0.1)}, r"`alpha2F` must be finite and >= 0. Got -0.1 at 0.9"),
    ({"alpha2F": changed(ALPHA2F, 9, np.inf)}, r"`alpha2F` must be finite and >= 0. Got inf"),
    ({"alpha2F": 0 * ALPHA2F}, r"`alpha2F` must be positive somewhere"),
    ({"alpha2F": ALPHA2F[:-1]}, r"`alpha2F` must have 121 values, one per frequency. Got \(120,\)"),
    ({"alpha2F": ALPHA2F + 0.1}, r"`alpha2F` must be zero at zero frequency. Got 0.1 at 0"),
    (
        {"omega": OMEGA[50:], "alpha2F": ALPHA2F[50:]},
        r"`alpha2F` must be zero at zero frequency. Got 1 at 5",
    ),
    (
        {"F": np.where(OMEGA < 5, 1.0, 0.0)},
        r"`F` must be positive wherever alpha2F is .* Got 51\.99% of lambda outside, most at 5 meV",
    ),
    ({"F": -ALPHA2F}, r"`F` must be finite and >= 0"),
    ({"units": "kelvin"}, r"`units` must be one of meV, THz, cm-1, Ry, Ha, eV, .*\. Got 'kelvin'"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_refusals(change, message):
    good = {"omega": OMEGA, "alpha2F": ALPHA2F, "units": "meV"}
    with pytest.raises(ValueError, match=message):
        Spectrum.from_columns(**{**good, **change})


def test_refusals_of_peaks():
    with pytest.raises(ValueError, match=r"`lambda` of a peak must be positive. Got 0"):
        Peak(centre=1.0, width=1.0, lambda_=0)
    with pytest.raises(ValueError, match="`peaks` must contain at least one peak"):
        Spectrum.from_peaks([])


def test_refusals_of_the_dataclass():
    with pytest.raises(ValueError, match=r"`F` must integrate to 3 per atom; `from_columns` normalises. Got 1"):
        Spectrum(omega=OMEGA, alpha2F=ALPHA2F, F=np.full(OMEGA.size, 1 / 12))


def test_separate_F_keeps_alpha2F_and_makes_their_ratio_resonant():
    peaks = [Peak(centre=50.0, width=2.5, lambda_=0.2), Peak(centre=170.0, width=3.0, lambda_=0.3)]
    plain = Spectrum.from_peaks(peaks)
    given = plain.with_phonons([0, 2, 188], [0, 1, 1])
    assert plain.one_matrix_element
    assert not given.one_matrix_element
    Omega, alpha2F, F = given.on_lattice(0.5)
    _, before, _ = plain.on_lattice(0.5)
    # The same closed form on the same lattice: only the length may differ.
    np.testing.assert_allclose(alpha2F[: before.size], before[: alpha2F.size], rtol=1e-12)
    assert F.sum() * 0.5 == pytest.approx(3.0, rel=1e-12)
    ratio = np.divide(alpha2F, F, out=np.zeros_like(F), where=F > 0)
    # alpha2F is omega times a Gaussian: its top lies width^2 / centre above the centre, 0.1 meV.
    assert Omega[ratio.argmax()] == 170.0
    assert given.scaled(1.3).on_lattice(0.5)[2] == pytest.approx(F, rel=1e-12)


@pytest.mark.parametrize(
    ("omega_F", "F", "message"),
    [
        ([0, 2, 100], [0, 1, 1], "`F` must be positive wherever alpha2F is"),
        ([0, 2, 2, 200], [0, 1, 1, 1], "`omega_F` must be two or more increasing energies"),
        ([0, 2, 200], [0, -1, 1], "`F` must be finite and >= 0"),
    ],
)
def test_invalid_density_of_states_is_refused(omega_F, F, message):
    with pytest.raises(ValueError, match=message):
        Spectrum.from_peaks([Peak(centre=170.0, width=3.0, lambda_=0.3)]).with_phonons(omega_F, F)
