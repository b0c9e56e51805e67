"""Trajectories: energy, bounds, the pump's share, and what K3C60 does above Tc0."""

import dataclasses
import math

import numpy as np
import pytest

from photogap.core.constants import HBAR, KB
from photogap.core.equations import Equations, joint_problem
from photogap.core.integrators import METHODS
from photogap.core.pairing.coherence import spectral_weights
from photogap.core.result import Outcome, coordinates, variables
from photogap.core.settings import Point, Settings
from photogap.core.simulate import build_film, check, simulate
from photogap.core.terms.collisions import Collisions
from photogap.core.terms.pump import Pump, pulse_spectrum
from photogap.core.thermal import bose, fermi


def point(material, **changes):
    return Point(**({"material": material, "F0": 0.1, "omega_pump": 170.0, "T": 30.0, "tau_esc": 0.02} | changes))


def run(material, settings=None, **changes):
    result = simulate(point(material, **changes), settings or Settings())
    assert result.outcome is Outcome.OK, result.message
    return result


@pytest.mark.parametrize("gap", [0.0, 2.0])
@pytest.mark.parametrize("name", METHODS)
def test_energy_is_kept_without_pump_and_escape(k3c60, name, gap):
    """Delta fixed, 1,000 steps, 1e-12: the sum of a thousand round-offs."""
    film = build_film(k3c60, 2.0, 600.0)
    E, Omega = film.lattice.E, film.lattice.Omega
    equations = Equations(film=film, terms=(Collisions(),))
    rho, p = spectral_weights(E + 0j, np.full(E.size, gap, dtype=complex))
    y = equations.pack(0.3 * np.exp(-(((E - 150.0) / 20.0) ** 2)) + fermi(E, 300.0), bose(Omega, 150.0))

    def energy(y):
        f, n = equations.split(y)
        return film.quasiparticle_energy(rho, f) + film.phonon_energy(n)

    start, radius = energy(y), equations.spectral_radius(0.0, y, rho, p)
    problem = joint_problem([equations], (), [(rho, p)], np.full(y.size, 1e-8))
    for _ in range(1000):
        y = METHODS[name].step(problem, 0.0, y, 1.0 / radius, radius).y
    assert energy(y) == pytest.approx(start, rel=1e-12)
    f, n = equations.split(y)
    assert f.min() > -1e-12
    assert f.max() < 1
    assert n.min() > -1e-12


@pytest.mark.parametrize("omega_pump", [170.0, 170.1, 55.0])
@pytest.mark.parametrize("channels", ["scattering", "scattering+pair-breaking"])
@pytest.mark.parametrize("emission", [True, False])
def test_pump_conserves_number_and_charges_whole_photons(k3c60, omega_pump, channels, emission):
    """Per absorbed photon the energy is omega_pump; a photon moves a quasiparticle or makes two."""
    film = build_film(k3c60, 0.5, 600.0)
    lattice = film.lattice
    rho, p = spectral_weights(lattice.E + 0j, np.full(lattice.N, 3.0 + 0j))
    f = np.exp(-lattice.E / 30.0) * 0.4
    pump = Pump(omega_pump=omega_pump, tau_pump=0.3, U=1.0, channels=channels, stimulated_emission=emission)
    g = pump.unit_rate(lattice, rho, p, f)
    number, energy = lattice.h * rho @ g, lattice.h * (rho * lattice.E) @ g
    if channels == "scattering":
        # a mean over two shifts still moves, never makes
        assert abs(number) < 1e-12 * lattice.h * np.abs(rho * g).sum()
    else:
        assert number > 0
    assert energy > 0
    whole = Pump(omega_pump=170.0, tau_pump=0.3, U=1.0, channels=channels, stimulated_emission=emission)
    thermal = fermi(lattice.E, 170.0 / KB / 3)
    assert lattice.h * (rho * lattice.E) @ whole.unit_rate(lattice, rho, p, thermal) > 0


@pytest.mark.parametrize("emission", [True, False])
def test_share_of_pair_breaking_ends_in_the_two_channels_and_is_linear_between(k3c60, emission):
    film = build_film(k3c60, 0.5, 600.0)
    E = film.lattice.E
    rho, p = spectral_weights(E + 0j, np.full(E.size, 3.0 + 0j))

    def rate(channels, share):
        pump = Pump(
            omega_pump=170.1, tau_pump=0.3, U=1.0, channels=channels, stimulated_emission=emission,
            pair_breaking_share=share,
        )  # fmt: skip
        return pump.unit_rate(film.lattice, rho, p, np.exp(-E / 30.0) * 0.4)

    moved, both = (rate(c, None) for c in ("scattering", "scattering+pair-breaking"))
    assert not np.array_equal(moved, both)
    for channels in ("scattering", "scattering+pair-breaking"):
        assert np.array_equal(rate(channels, 0.0), moved)
        assert np.array_equal(rate(channels, 1.0), both)
    np.testing.assert_allclose(rate("scattering", 0.3), 0.7 * moved + 0.3 * both, rtol=1e-9, atol=1e-14)


def test_pump_between_lattice_shifts_has_the_mean_photon(k3c60):
    film = build_film(k3c60, 0.5, 600.0)
    lattice = film.lattice
    rho, p, f = np.ones(lattice.N), np.zeros(lattice.N), np.exp(-lattice.E / 30.0) * 0.4
    rates = [
        Pump(omega_pump=w, tau_pump=0.3, U=1.0, channels="scattering", stimulated_emission=True).unit_rate(
            lattice, rho, p, f
        )
        for w in (170.0, 170.125, 170.5)
    ]
    assert rates[1] == pytest.approx(0.75 * rates[0] + 0.25 * rates[2])


def test_pulse_deposits_its_energy():
    pump = Pump(omega_pump=170.0, tau_pump=0.3, U=2.5, channels="scattering", stimulated_emission=True)
    t = np.linspace(-1.5, 1.5, 3001)
    assert np.trapezoid([pump.U * pump.rate(x) for x in t], t) == pytest.approx(2.5, rel=1e-9)
    assert pump.U * pump.arrived(1.5) == pytest.approx(2.5, rel=1e-9)
    assert pump.envelope(0.15) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({}, {}),
        ({"tau_esc": math.inf, "F0": 0.03}, {"damping": "real"}),
        ({"T": 7.0, "F0": 0.01}, {"pump_channels": "scattering+pair-breaking"}),
        ({"T": 7.0, "F0": 0.01}, {"pair_breaking_share": 0.01}),
        ({"F0": 1.0, "tau_esc": 1.0}, {"damping": "real"}),
        ({}, {"pump_rate": "constant"}),
        ({}, {"integrator": "dopri5"}),
        ({"F0": 1.0, "tau_esc": 1.0}, {"phonon_share": 0.4}),
        ({"tau_esc": math.inf}, {"phonon_share": 0.4, "pump_rate": "constant"}),
        ({"tau_esc": math.inf}, {"phonon_share": 1.0}),
    ],
)
def test_ledger_closes(k3c60, changes, settings):
    """To 1e-3 of the absorbed energy, with the moving gap's share integrated on its own."""
    result = run(k3c60, Settings(**settings), **changes)
    data = result.data
    assert data["ledger_error"] < 1e-3
    U = data["absorbed_energy_density"]
    # the pulse starts at -2 tau_pump with 3e-6 of its energy missing; steps and secants leave the rest
    assert data["U_absorbed"][-1] == pytest.approx(U, rel=2e-3)
    if changes.get("tau_esc") == math.inf:
        assert data["U_escaped"][-1] == 0.0
        assert data["U_qp"][-1] + data["U_ph"][-1] == pytest.approx(U + data["U_gap"][-1], rel=2e-3)


@pytest.mark.parametrize("F0", [1e-4, 1e-2])
def test_a_weak_pulse_deposits_its_energy_between_two_samples(k3c60, F0):
    """f hardly moves, and no sample shortens the steps: 1e-3, as each of the ten that matter errs by 1e-4."""
    data = run(k3c60, Settings(t_start=-0.7, t_stop=0.7, n_times=2, spacing=0.5), F0=F0, tau_esc=math.inf).data
    assert data["U_absorbed"][-1] == pytest.approx(data["absorbed_energy_density"], rel=1e-3)


def test_a_pulse_s_bandwidth_is_that_of_its_envelope():
    """Against the transform of the field, whose intensity is the envelope."""
    pump = Pump(omega_pump=170.0, tau_pump=0.3, U=1.0, channels="scattering", stimulated_emission=True)
    t = np.linspace(-3.0, 3.0, 6001)
    field = np.sqrt([pump.envelope(x) for x in t])
    for off in (2.0, 5.0):
        amplitude = np.trapezoid(field * np.cos(off * t / HBAR), t) / np.trapezoid(field, t)
        assert pulse_spectrum(np.array(170.0 + off), 170.0, 0.3) == pytest.approx(amplitude**2, rel=1e-9)


def test_light_drives_the_phonons_of_its_own_energy(k3c60):
    """All of it: n rises there, 50 times as much as 10 meV off; quasiparticles heat up, and no gap opens."""
    frequencies = (50.0, 79.0, 160.0, 170.0, 180.0)
    settings = Settings(phonon_share=1.0, frequencies=frequencies, spacing=0.5)
    data = run(k3c60, settings, F0=1.0, tau_esc=1.0).data
    during = int(np.searchsorted(coordinates(settings)["time"], 0.0))
    rise = data["n"][during] - data["n"][0]
    assert np.argmax(rise) == 3
    assert rise[3] > 50 * rise[[2, 4]].max()
    assert data["Gamma"].max() == 0.0
    assert data["Delta0_peak"] == 0.0
    assert data["U_qp"].max() > 0.05 * data["U_ph"].max()


def test_light_between_the_phonons_drives_none(k3c60):
    point = Point(material=k3c60, F0=1.0, omega_pump=112.0, T=30.0, tau_esc=1.0)
    with pytest.raises(
        ValueError, match=r"`phonon_share` above 0 needs phonons at `omega_pump`.*112 meV.*Got 0\.5"
    ):
        check(point, Settings(phonon_share=0.5))
    check(point, Settings())
    with pytest.raises(ValueError, match=r"`phonon_share` must be between 0 and 1\. Got 1\.5"):
        Settings(phonon_share=1.5)


def test_energies_outside_the_lattice_are_refused(k3c60):
    point = Point(material=k3c60, F0=1.0, omega_pump=170.0, T=30.0, tau_esc=1.0)
    with pytest.raises(
        ValueError, match=r"`energies` must not exceed .*`window`, 599\.875 meV for K3C60\. Got 600"
    ):
        check(point, Settings(energies=(1.0, 600.0)))
    with pytest.raises(ValueError, match=r"`frequencies` must not exceed the highest phonon, 206 meV .* Got 210"):
        check(point, Settings(frequencies=(210.0,)))
    check(point, Settings(energies=(1.0, 599.875), frequencies=(206.0,)))


def test_gap_has_its_own_term_in_the_ledger(k3c60):
    """Breaking pairs in the superconductor, the closing gap's energy counts: without its term nothing closes."""
    data = run(k3c60, Settings(pump_channels="scattering+pair-breaking"), T=7.0, F0=0.03, tau_esc=math.inf).data
    U = float(data["absorbed_energy_density"])
    assert data["Delta0"][0] > 2.0
    assert data["Delta0"][-1] == 0.0
    assert abs(data["U_gap"]).max() > 50 * data["ledger_error"] * U
    assert abs(data["U_gap"]).max() > 1e-4 * U


def test_occupations_stay_physical_without_clipping(k3c60):
    energies, frequencies = tuple(np.arange(0.5, 600.0, 1.0)), tuple(np.arange(1.0, 200.0))
    settings = Settings(energies=energies, frequencies=frequencies, damping="real")
    data = run(k3c60, settings, F0=5.0, tau_esc=1.0).data
    assert data["f"].min() > -1e-10
    assert data["f"].max() < 1.0
    assert data["n"].min() > -1e-10


def test_no_pulse_no_motion(k3c60):
    data = run(k3c60, F0=0.0, T=7.0, tau_esc=math.inf).data
    # each solution stops where an iteration changes it by less than 1e-5, a few times nearer than it is
    assert np.ptp(data["Delta0"]) < 1e-4 * data["Delta0"][0]
    assert not data["U_absorbed"].any()
    # the gap equation is solved to 1e-5: that much of the condensation energy, 0.03 meV/nm^3, may move
    assert abs(data["U_qp"]).max() < 3e-7


def test_tolerance_is_met(k3c60):
    """Ten times finer steps move the gap by less than 0.2 %; so does a method of another kind and order."""
    coarse = run(k3c60).data["Delta0"]
    fine = run(k3c60, Settings(rtol=1e-3, atol=1e-5)).data["Delta0"]
    other = run(k3c60, Settings(integrator="dopri5", rtol=1e-3, atol=1e-5)).data["Delta0"]
    assert np.abs(coarse[-10:] / fine[-10:] - 1).max() < 2e-3
    assert np.abs(other[-10:] / fine[-10:] - 1).max() < 2e-3


def test_driven_gap_does_not_depend_on_the_lattice(k3c60):
    """1 %: three times what is seen, for h halved and for the window widened by a half."""
    reference = run(k3c60).data["Delta0"][-1]
    assert run(k3c60, Settings(spacing=0.125)).data["Delta0"][-1] == pytest.approx(reference, rel=1e-2)
    assert run(k3c60, Settings(window=900.0)).data["Delta0"][-1] == pytest.approx(reference, rel=1e-2)


def test_same_bits_twice(k3c60):
    first, second = run(k3c60).data, run(k3c60).data
    for name in first:
        assert first[name].tobytes() == second[name].tobytes(), name


def test_result_has_every_declared_variable(k3c60):
    settings = Settings(energies=(1.0, 170.0), frequencies=(50.0,), n_times=5)
    data = run(k3c60, settings).data
    sizes = {name: values.size for name, values in coordinates(settings).items()}
    assert set(data) == {v.name for v in variables(settings)}
    for variable in variables(settings):
        assert data[variable.name].shape == tuple(sizes[d] for d in variable.dims), variable.name


class TestK3C60AboveTc0:
    """T = 30 K, twice Tc0, 170 meV, 300 fs: what the paper's Fig. 3 is about, under each assumption."""

    def test_gap_opens_with_fluence_and_outlives_the_pulse(self, k3c60):
        """`full` damping, fast escape: none without light, about 1 meV near 0.1 mJ/cm2, still there at the end."""
        dark, bright = run(k3c60, F0=1e-4).data, run(k3c60, F0=0.1).data
        assert dark["Delta0_peak"] == 0.0
        assert 0.7 < bright["gap_edge"][-1] < 2.0
        assert coordinates(Settings())["time"][-1] > 2 * k3c60.tau_pump

    @pytest.mark.parametrize("F0", [0.1, 0.3, 1.0])
    def test_hot_phonons_leave_no_gap(self, k3c60, F0):
        """tau_esc = 1 ps: no gap edge at any time; what orders for a moment is gapless and gone with the pulse."""
        data = run(k3c60, F0=F0, tau_esc=1.0).data
        assert data["gap_edge"].max() == 0.0
        assert data["Delta0"][-1] == 0.0

    def test_without_lifetimes_the_gap_ends_sooner_at_higher_fluence(self, k3c60):
        """`real` damping, tau_esc = 1 ps: the paper's picture."""
        times = coordinates(Settings())["time"]
        ends = []
        for F0 in (1.0, 5.0):
            Delta0 = run(k3c60, Settings(damping="real"), F0=F0, tau_esc=1.0).data["Delta0"]
            assert Delta0.max() > 1.0
            assert Delta0[-1] == 0.0
            ends.append(times[Delta0 > 0].max())
        assert -0.1 < ends[1] < ends[0] < 0.3

    @pytest.mark.parametrize("damping", ["full", "real"])
    @pytest.mark.parametrize("tau_esc", [0.02, 1.0])
    def test_pair_breaking_by_photons_leaves_no_gap(self, k3c60, damping, tau_esc):
        for F0 in (0.03, 0.3):
            settings = Settings(damping=damping, pump_channels="scattering+pair-breaking")
            assert run(k3c60, settings, F0=F0, tau_esc=tau_esc).data["Delta0_peak"] == 0.0

    def test_steps_at_multiples_of_the_photon(self, k3c60):
        """f falls steeply at omega_pump and 2 omega_pump and is flatter between them (the paper's Fig. 10)."""
        energies = tuple(np.arange(5.0, 595.0, 2.0))
        settings = Settings(energies=energies, t_start=-0.6, t_stop=0.0, n_times=2, damping="real")
        f = run(k3c60, settings, F0=1.0, tau_esc=1.0).data["f"][-1]
        slope = -np.gradient(np.log(f), np.array(energies))
        E = np.array(energies)
        for multiple in (1, 2):
            step = slope[np.abs(E - multiple * 170.0) < 20].max()
            plateau = slope[np.abs(E - (multiple - 0.45) * 170.0) < 25].mean()
            assert step > 3 * plateau, multiple


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"F0": -1.0}, r"`F0` must be zero or positive, in mJ/cm\^2. Got -1.0"),
        ({"T": -4.0}, r"`T` must be positive, in K. Got -4.0"),
        ({"tau_esc": -1.0}, r"`tau_esc` must be zero or positive, in ps; 0 keeps .* \.inf keeps .* Got -1.0"),
        ({"omega_pump": math.nan}, r"`omega_pump` must be positive, in meV. Got nan"),
    ],
)
def test_impossible_points_raise(k3c60, changes, message):
    with pytest.raises(ValueError, match=message):
        point(k3c60, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"damping": "none"}, "`damping` must be one of full, real. Got 'none'"),
        ({"spacing": 0.0}, "`spacing` must be positive, in meV. Got 0.0"),
        ({"t_stop": -1.0}, r"`t_stop` must be later than `t_start` \(-0.6 ps\). Got -1.0"),
        ({"n_times": 1}, "`n_times` must be a whole number, at least 2. Got 1"),
        (
            {"energies": (2.0, 1.0)},
            r"`energies` must be .* increasing, in meV. Got \(2.0, 1.0\)",
        ),
    ],
)
def test_impossible_settings_raise(changes, message):
    with pytest.raises(ValueError, match=message):
        Settings(**changes)


def test_instantaneous_escape_is_the_limit_of_fast_escape(k3c60):
    """n - n_eq falls as tau_esc; by 0.1 fs it has left 1 %, of which the gap feels less. n itself never moves."""
    settings = Settings(spacing=1.0, n_times=27, frequencies=(50.0, 100.0))
    at_once = run(k3c60, settings, tau_esc=0.0).data
    gaps = [run(k3c60, settings, tau_esc=tau).data["Delta0"] for tau in (4e-4, 1e-4)]
    off = [np.abs(gap - at_once["Delta0"]).max() for gap in gaps]
    assert off[1] < 0.5 * off[0]
    assert off[1] < 0.02 * at_once["Delta0"].max()
    # the stages' weights add to one to round-off
    assert at_once["n"] == pytest.approx(np.broadcast_to(at_once["n"][0], at_once["n"].shape), rel=1e-12)
    assert np.abs(at_once["U_ph"]).max() < 1e-12 * at_once["U_qp"].max()
    assert at_once["ledger_error"] < 1e-3


def test_running_out_of_steps_is_an_outcome(k3c60):
    result = simulate(point(k3c60), Settings(max_steps=5))
    assert result.outcome is Outcome.TOO_MANY_STEPS
    assert "5 steps did not reach 0.7 ps" in result.message
    assert not result.data


def test_results_do_not_depend_on_what_ran_before(k3c60):
    alone = run(k3c60, F0=0.05).data["Delta0"]
    run(k3c60, Settings(damping="real"), F0=1.0)
    other = dataclasses.replace(k3c60, name="other", mu_star=0.15)
    run(other, F0=0.05)
    assert run(k3c60, F0=0.05).data["Delta0"].tobytes() == alone.tobytes()
