"""The real-axis equations against the imaginary axis, and in their limits."""

import dataclasses

import numpy as np
import pytest

from photogap.core.constants import KB
from photogap.core.equilibrium import solve_equilibrium
from photogap.core.pairing.eliashberg import Coupling
from photogap.core.pairing.gap import normal_state, solve_gap
from photogap.core.pairing.tc import calibrate_mu_star, critical_temperature
from photogap.core.pairing.tracking import GapTracker
from photogap.core.simulate import build_coupling, build_film
from photogap.core.spectra import Peak, Spectrum
from photogap.core.thermal import bose, fermi
from photogap.sweeps.materials import library as materials
from support import matsubara

WINDOWS = {"Pb": 60.0, "K3C60": 1200.0, "CaC6": 600.0, "LaH10": 3000.0}
"""At mu_star = 0 the transitions lie 1.2 to 4 times higher than Tc0, and K3C60's window must be wide for that."""


def bare_coupling(name, *, refine=1.0, widen=1.0):
    material = materials.load(name)
    film = build_film(material, material.spacing / refine, WINDOWS[name] * widen)
    return Coupling(film.lattice, film.alpha2F, 0.0, material.cutoff)


def einstein(coupling_lambda, omega=20.0, width=0.4):
    return Spectrum.from_peaks([Peak(centre=omega, width=width, lambda_=coupling_lambda)])


def einstein_coupling(coupling_lambda, h, window, omega=20.0, width=0.4):
    material = dataclasses.replace(
        materials.load("K3C60"), spectrum=einstein(coupling_lambda, omega, width), window=window, spacing=h
    )
    film = build_film(material, h, window)
    return Coupling(film.lattice, film.alpha2F, 0.0, window)


@pytest.mark.parametrize("name", WINDOWS)
def test_gap_edge_and_tc_equal_the_imaginary_axis(name):
    spectrum = materials.load(name).spectrum
    coupling = bare_coupling(name)
    Tc = matsubara.critical_temperature(spectrum)
    # 0.3 %: ten times what h and the window leave (halved and doubled below), a tenth of what the trial lost
    assert critical_temperature(coupling, guess=Tc) == pytest.approx(Tc, rel=3e-3)
    tracker = GapTracker(coupling, "full", 1e-6)
    for reduced in (0.1, 0.5, 0.9):
        edge = matsubara.gap_edge(spectrum, reduced * Tc)
        assert tracker.solve_equilibrium(reduced * Tc).edge == pytest.approx(edge, rel=3e-3), reduced


@pytest.mark.parametrize(("refine", "widen"), [(2.0, 1.0), (1.0, 2.0)])
@pytest.mark.parametrize("name", ["Pb", "K3C60", "CaC6", "LaH10"])
def test_gap_does_not_depend_on_the_lattice(name, refine, widen):
    material = materials.load(name)
    T = 0.5 * material.Tc0
    reference = solve_equilibrium(material, T)
    other = solve_equilibrium(material, T, spacing=material.spacing / refine, window=material.window * widen)
    # the 0.3 %; both are calibrated to Tc0 on their own lattice, as a user's are
    assert other.gap.Delta0 == pytest.approx(reference.gap.Delta0, rel=3e-3)
    assert other.gap.edge == pytest.approx(reference.gap.edge, rel=3e-3)


@pytest.mark.parametrize("name", ["Pb", "K3C60", "CaC6", "LaH10"])
@pytest.mark.parametrize("damping", ["full", "real"])
def test_calibrated_tc(name, damping):
    material = materials.load(name)
    if damping == "real" and name in ("Pb", "LaH10"):
        with pytest.raises(ValueError, match=r"`Tc0` must not exceed .* take `damping: full`"):
            build_coupling(material, material.spacing, material.window, "real")
        return
    coupling = build_coupling(material, material.spacing, material.window, damping)
    assert 0.05 < coupling.mu_star < 0.2
    tolerance = 1.0 if name == "LaH10" else 0.1
    assert critical_temperature(coupling, damping, guess=material.Tc0) == pytest.approx(
        material.Tc0, abs=tolerance / 100
    )


@pytest.mark.parametrize("name", ["Pb", "K3C60", "CaC6", "LaH10"])
def test_normal_state_mass_enhancement(name):
    """T -> 0: Z(0) = 1 + lambda. The check that catches a tail cut short: 1e-3 meV in S are of order one here."""
    coupling = bare_coupling(name)
    lattice = coupling.lattice
    kernel = coupling.kernel(np.zeros(lattice.M + 1))
    Z0 = normal_state(kernel, np.zeros(lattice.N), "full").Z[0]
    coupling_lambda = materials.load(name).spectrum.coupling_lambda
    assert Z0.real == pytest.approx(1.0 + coupling_lambda, rel=2e-3)
    assert abs(Z0.imag) < 1e-4


def test_bcs_ratio_of_a_weak_einstein_mode():
    """2 Delta / kB Tc -> 3.528 for Tc << omega, up to strong-coupling terms (Tc/omega)^2 ln: below 0.5 % here."""
    coupling = einstein_coupling(0.35, h=0.01, window=60.0)
    Tc = critical_temperature(coupling, guess=5.0)
    assert KB * Tc < 20.0 / 40
    gap = GapTracker(coupling, "full", 1e-7).solve_equilibrium(0.1 * Tc)
    assert 2 * gap.edge / (KB * Tc) == pytest.approx(3.528, rel=1e-2)


def test_strong_coupling_asymptote_of_allen_and_dynes():
    """kB Tc -> 0.1827 sqrt(lambda <omega^2>) from below, mu_star = 0; the window must exceed 2 pi lambda kT."""
    ratios = []
    for coupling_lambda in (5.0, 10.0, 20.0):
        coupling = einstein_coupling(coupling_lambda, h=1.0, window=2000.0, width=3.0)
        Tc = critical_temperature(coupling, guess=130.0)
        spectrum = einstein(coupling_lambda, width=3.0)
        assert pytest.approx(matsubara.critical_temperature(spectrum), rel=3e-3) == Tc
        ratios.append(KB * Tc / (0.1827 * np.sqrt(coupling_lambda) * spectrum.omega_2))
    assert ratios[0] < ratios[1] < ratios[2] < 1.0
    assert ratios[2] > 0.97


def test_mu_star_of_a_stated_tc_is_found_again():
    coupling = dataclasses.replace(bare_coupling("K3C60"), mu_star=0.11)
    Tc = critical_temperature(coupling, guess=15.0)
    assert calibrate_mu_star(coupling, Tc).mu_star == pytest.approx(0.11, abs=1e-5)


def test_a_tc_out_of_reach_is_refused():
    with pytest.raises(ValueError, match=r"`Tc0` must not exceed the Tc of the spectrum .* Got 300"):
        calibrate_mu_star(bare_coupling("K3C60"), 300.0)
    with pytest.raises(ValueError, match=r"`Tc0` is too low .* Got 1e-05"):
        calibrate_mu_star(bare_coupling("Pb"), 1e-5)


def test_gap_is_the_same_from_any_start():
    material = materials.load("K3C60")
    coupling = build_coupling(material, 0.25, 600.0, "full")
    lattice = coupling.lattice
    kernel, f = coupling.kernel(bose(lattice.Omega, 7.0)), fermi(lattice.E, 7.0)
    normal = normal_state(kernel, f, "full").self_energy
    gaps = []
    for height in (0.5, 3.0, 10.0):
        start = dataclasses.replace(normal, phi=np.full(lattice.N, height, dtype=complex))
        solution = solve_gap(kernel, f, start, tol=1e-8)
        assert solution.converged
        gaps.append(solution.Delta0)
    assert np.ptp(gaps) < 1e-6 * gaps[0]


def test_no_gap_above_tc():
    material = materials.load("K3C60")
    assert solve_equilibrium(material, 15.2).gap.is_normal
    assert not solve_equilibrium(material, 14.8).gap.is_normal


def test_calibration_from_a_nearby_guess_gives_the_same_mu_star():
    """Near or far off: a search around a wrong value ends in the whole range."""
    coupling = bare_coupling("Pb")
    alone = calibrate_mu_star(coupling, 8.0).mu_star
    for near in (alone, alone + 1e-3, alone + 0.1, 0.0):
        assert calibrate_mu_star(coupling, 8.0, near=near).mu_star == pytest.approx(alone, abs=2e-7)


def test_couplings_of_one_lattice_share_their_transforms():
    coupling = bare_coupling("Pb")
    lattice = coupling.lattice
    n, f = bose(lattice.Omega, 4.0), fermi(lattice.E, 4.0)
    first = coupling.kernel(n)
    other = coupling.with_mu_star(0.1)
    assert other.mu_star == 0.1
    assert other.ring is coupling.ring
    fresh = Coupling(lattice, coupling.alpha2F, 0.1, coupling.cutoff).kernel(n)
    p = np.exp(-lattice.E)
    assert np.array_equal(other.kernel(n).pairing(p, f), fresh.pairing(p, f))
    assert not np.array_equal(first.pairing(p, f), fresh.pairing(p, f))


def test_calibration_reproduces_tc():
    """It is not solved for again: the eigenvalue is one there by construction."""
    material = materials.load("K3C60")
    state = solve_equilibrium(material, 5.0, spacing=0.5)
    assert state.Tc == material.Tc0
    assert critical_temperature(state.coupling, guess=14.0) == pytest.approx(state.Tc, rel=2e-5)
