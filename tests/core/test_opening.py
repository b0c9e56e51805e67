"""The gap equation is never silently normal: where the normal state is unstable there is a gap, or an error."""

import dataclasses

import numpy as np
import pytest

from photogap.core.constants import KB
from photogap.core.lattice import Lattice
from photogap.core.pairing.eliashberg import Coupling
from photogap.core.pairing.gap import gap_map, normal_state
from photogap.core.pairing.tc import LinearGap, critical_temperature
from photogap.core.pairing.tracking import GapError, GapTracker
from photogap.core.simulate import build_coupling
from photogap.core.spectra import Peak, Spectrum
from photogap.core.thermal import bose, fermi
from photogap.sweeps.materials import library as materials
from support import matsubara


def on_lattice(spectrum, h, window, mu_star=0.0, cutoff=0.0):
    Omega, alpha2F, _ = spectrum.on_lattice(h)
    return Coupling(Lattice(h=h, N=round(window / h), M=Omega.size - 1), alpha2F, mu_star, cutoff)


def single_mode(width, coupling_lambda):
    return Spectrum.from_peaks([Peak(centre=10.0, width=width, lambda_=coupling_lambda)])


@pytest.mark.parametrize(("width", "coupling_lambda"), [(0.25, 2.0), (0.3, 3.0)])
def test_narrow_modes_have_their_gap_up_to_tc(width, coupling_lambda):
    """Reported as Delta0 = 0 at 0.95 Tc (lambda = 2), and at 0.90, 0.95 and 0.98 Tc (lambda = 3)."""
    spectrum = single_mode(width, coupling_lambda)
    coupling = on_lattice(spectrum, 0.05, 160.0)
    Tc = critical_temperature(coupling, guess=20.0)
    for t in (0.5, 0.9, 0.95, 0.98, 0.99):
        gap = GapTracker(coupling, "full", 1e-6).solve_equilibrium(t * Tc)
        reference = matsubara.real_axis(spectrum, t * matsubara.critical_temperature(spectrum), reach=20)
        # lattice and window leave 1e-3 of the edge at 0.9 Tc; near Tc a square root magnifies it
        assert gap.Z[0].real * gap.Delta0 == pytest.approx((reference.Z[0] * reference.Delta[0]).real, rel=3e-3)


def test_gap_closes_as_a_square_root():
    """Delta0^2 / (1 - t) tends to a constant: no zero however close Tc is; what is left is O(1 - t)."""
    coupling = on_lattice(single_mode(0.5, 3.0), 0.1, 160.0)
    Tc = critical_temperature(coupling, guess=20.0, xtol=1e-12)
    tracker = GapTracker(coupling, "full", 1e-6)
    far, near, nearest = (
        tracker.solve_equilibrium((1.0 - off) * Tc).Delta0 ** 2 / off for off in (1e-2, 1e-3, 1e-4)
    )
    assert near == pytest.approx(nearest, rel=5e-3)
    assert far == pytest.approx(nearest, rel=5e-2)


def test_largest_eigenvalue_among_complex_pairs():
    """Without lifetimes a strong coupler's leading eigenvalues are complex pairs, here 1.0031 +- 0.099 i and
    0.9966 +- 1.27 i; the second was taken for the largest, and an unstable normal state for a stable one."""
    modes = ((24.8814, 0.9129, 2.8730), (28.9375, 2.2160, 5.1270))
    spectrum = Spectrum.from_peaks([Peak(centre=c, width=w, lambda_=x) for c, w, x in modes])
    coupling = on_lattice(spectrum, 0.8447, 675.7)
    kernel = coupling.kernel(bose(coupling.lattice.Omega, 30.08))
    linear = LinearGap.around(kernel, fermi(coupling.lattice.E, 30.08), "real")
    matrix = np.stack([linear(unit) for unit in np.eye(coupling.lattice.N)], axis=1)
    largest = float(np.linalg.eigvals(matrix).real.max())
    for tol in (1e-8, 1e-6):
        assert linear.largest_eigenvalue(tol=tol)[0] == pytest.approx(largest, abs=1e-5)


def test_no_gap_above_tc_and_one_below():
    for coupling_lambda in (0.5, 2.0):
        coupling = on_lattice(single_mode(0.5, coupling_lambda), 0.1, 120.0)
        Tc = critical_temperature(coupling, guess=10.0)
        for off in (1e-3, 1e-2, 0.1):
            assert GapTracker(coupling, "full", 1e-6).solve_equilibrium((1.0 + off) * Tc).is_normal
            assert not GapTracker(coupling, "full", 1e-6).solve_equilibrium((1.0 - off) * Tc).is_normal


def test_strong_coupling_without_lifetimes():
    """K3C60 with every lambda doubled, calibrated to 15 K: reported as normal at 1.5 and 5 K.

    2 Delta = 3.59 kB Tc at low temperatures, little above BCS since mu_star is large; Delta0 falls with T.
    """
    material = materials.load("K3C60")
    material = dataclasses.replace(material, spectrum=material.spectrum.scaled(2.0))
    coupling = build_coupling(material, material.spacing, material.window, "real")
    gaps = [GapTracker(coupling, "real", 1e-6).solve_equilibrium(T) for T in (1.5, 5.0, 10.0, 14.9)]
    assert all(gap.converged for gap in gaps)
    Delta0 = [gap.Delta0 for gap in gaps]
    assert Delta0 == sorted(Delta0, reverse=True)
    assert 2 * Delta0[0] / (KB * 15.0) == pytest.approx(3.59, abs=0.02)
    # Muehlschlegel's BCS table at t = 2 / 3, within what 2 Delta / kB Tc differs from BCS
    assert Delta0[2] / Delta0[0] == pytest.approx(0.862, abs=0.01)


def driven_state(coupling, rng):
    """Occupations far from equilibrium: thermal ones, up to three bumps of quasiparticles, and a heated mode."""
    lattice = coupling.lattice
    T = 15.0 * rng.uniform(0.1, 1.0)
    f = fermi(lattice.E, T)
    for _ in range(rng.integers(0, 4)):
        centre, width = rng.uniform(2.0, 100.0), rng.uniform(0.5, 20.0)
        f += rng.uniform(0.0, 0.01) * np.exp(-0.5 * ((lattice.E - centre) / width) ** 2)
    n = bose(lattice.Omega, T * rng.uniform(1.0, 2.0))
    centre, width = rng.uniform(10.0, 150.0), rng.uniform(3.0, 30.0)
    n += rng.uniform(0.0, 0.3) * np.exp(-0.5 * ((lattice.Omega - centre) / width) ** 2)
    return np.clip(f, 0.0, 1.0), n


@pytest.mark.parametrize("damping", ["full", "real"])
def test_driven_states_are_normal_only_where_the_normal_state_is_stable(damping):
    """From no gap and from another state's gap; what is found solves the equation."""
    material = materials.load("K3C60")
    coupling = build_coupling(material, 0.5, 600.0, damping)
    rng = np.random.default_rng(12)
    followed = GapTracker(coupling, damping, 1e-6)
    gap = followed.solve_equilibrium(5.0)
    unstable = 0
    for _ in range(60):
        f, n = driven_state(coupling, rng)
        kernel = coupling.kernel(n)
        eigenvalue = LinearGap.around(kernel, f, damping).largest_eigenvalue()[0]
        cold = GapTracker(coupling, damping, 1e-6).solve(f, n)
        gap = followed.solve(f, n, gap.self_energy)
        for solution in (cold, gap):
            assert solution.is_normal == (eigenvalue <= 1.0), eigenvalue
            image = gap_map(kernel, f, damping, solution.rho, solution.p)
            change = np.abs(image.phi - solution.self_energy.phi).max()
            # ten times the tolerance: phi is the image of these weights, or that of the ones before
            assert change <= 1e-5 * np.abs(solution.self_energy.phi).max()
        unstable += eigenvalue > 1.05
        assert gap.Delta0 == pytest.approx(cold.Delta0, rel=1e-4, abs=1e-3)
    assert unstable >= 10


@pytest.mark.parametrize(("damping", "remedy"), [("full", "spacing"), ("real", "damping: full")])
def test_an_unstable_normal_state_without_a_solution_is_an_error(damping, remedy, monkeypatch):
    """Given one iteration, the tracker raises, and says eigenvalue, residual and remedy."""
    coupling = build_coupling(materials.load("K3C60"), 1.0, 600.0, damping)
    lattice = coupling.lattice
    monkeypatch.setattr("photogap.core.pairing.opening._SETTLE", 1)
    monkeypatch.setattr("photogap.core.pairing.opening._TRIALS", 1)
    monkeypatch.setattr("photogap.core.pairing.opening._PATIENT", 1)
    monkeypatch.setattr(
        "photogap.core.pairing.tracking.solve_gap", lambda kernel, f, start, **_: normal_state(kernel, f, damping)
    )
    reason = rf"the normal state is unstable \(largest eigenvalue 1\.1\d+\) .* residual is .*`.*{remedy}`"
    with pytest.raises(GapError, match=reason):
        GapTracker(coupling, damping, 1e-6).solve(fermi(lattice.E, 7.5), bose(lattice.Omega, 7.5))


def test_lost_gap_raises(monkeypatch):
    """The normal state is stable there, yet a solve that did not converge says nothing of the gap before it."""
    coupling = build_coupling(materials.load("K3C60"), 1.0, 600.0, "full")
    lattice = coupling.lattice
    gap = GapTracker(coupling, "full", 1e-6).solve_equilibrium(7.5)
    monkeypatch.setattr("photogap.core.pairing.opening._SETTLE", 1)
    monkeypatch.setattr("photogap.core.pairing.opening._TRIALS", 1)
    monkeypatch.setattr("photogap.core.pairing.opening._PATIENT", 1)
    monkeypatch.setattr(
        "photogap.core.pairing.tracking.solve_gap", lambda *_, **__: dataclasses.replace(gap, converged=False)
    )
    with pytest.raises(GapError, match=r"stable, but there was a gap \(largest eigenvalue 0\.\d+\)"):
        GapTracker(coupling, "full", 1e-6).solve(fermi(lattice.E, 20.0), bose(lattice.Omega, 20.0), gap.self_energy)


def test_a_step_at_the_fermi_energy_has_no_threshold_without_lifetimes():
    """f(0) below 1/2 makes the eigenvalue grow with ln(1 / h), unless lifetimes end it: why driven thresholds of
    `real` hang on the lattice.
    """
    material = materials.load("K3C60")
    eigenvalues = {}
    for damping in ("real", "full"):
        for h in (1.0, 0.5, 0.25):
            coupling = build_coupling(material, h, 600.0, damping)
            lattice = coupling.lattice
            f = 0.2 * np.exp(-lattice.E / 15.0)
            linear = LinearGap.around(coupling.kernel(bose(lattice.Omega, 120.0)), f, damping)
            eigenvalues[damping, h] = linear.largest_eigenvalue()[0]
    halved, again = (eigenvalues["real", h / 2] - eigenvalues["real", h] for h in (1.0, 0.5))
    assert halved > 0.05
    assert again == pytest.approx(halved, rel=0.1)
    # the width at the Fermi energy is 1 meV: what is left there is of order h^2
    halved, again = (abs(eigenvalues["full", h / 2] - eigenvalues["full", h]) for h in (1.0, 0.5))
    assert again < 0.5 * halved < 0.01


def test_a_damped_iteration_passes_steps_that_stop_the_other_searches():
    """Three modes without lifetimes: steep steps of the self-energies, refused at 0.9 Tc before."""
    spectrum = Spectrum.from_peaks(
        [
            Peak(centre=4.176, width=0.338, lambda_=0.606),
            Peak(centre=14.116, width=2.06, lambda_=0.239),
            Peak(centre=26.241, width=0.915, lambda_=0.658),
        ]
    )
    edges = []
    for h in (0.08, 0.04):
        coupling = on_lattice(spectrum, h, 128.0, mu_star=0.04, cutoff=128.0)
        T = 0.9 * critical_temperature(coupling, "real", guess=18.0)
        gap = GapTracker(coupling, "real", 1e-6).solve_equilibrium(T)
        kernel, f = coupling.kernel(bose(coupling.lattice.Omega, T)), fermi(coupling.lattice.E, T)
        image = gap_map(kernel, f, "real", gap.rho, gap.p)
        assert np.abs(image.phi - gap.self_energy.phi).max() < 1e-5 * np.abs(image.phi).max()
        assert gap.Delta0 > 0.0
        edges.append(gap.edge)
    assert edges[0] == pytest.approx(edges[1], rel=2e-2)
