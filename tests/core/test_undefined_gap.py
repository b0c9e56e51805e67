"""Delta0 = Re phi(0) / Re Z(0) where Re Z(0) passes through zero: two strong, narrow modes near Tc."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

import photogap
from photogap.core.batched.trajectories import Scalar, Trial, simulate_all
from photogap.core.equilibrium import solve_to_accuracy
from photogap.core.material import Material
from photogap.core.result import Outcome
from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate
from photogap.core.spectra import Peak, Spectrum
from photogap.sweeps.cli.main import app

T = 66.0
"""0.96 Tc, K; Re Z(0) = -0.2 there on the material's lattice."""


@pytest.fixture(scope="module")
def crossing() -> Material:
    modes = [Peak(centre=c, width=0.02 * c, lambda_=strength) for c, strength in ((5.8, 0.2), (37.0, 1.4))]
    spectrum = Spectrum.from_peaks(modes)
    top = float(spectrum.omega[-1])
    return Material(
        name="crossing", spectrum=spectrum, N_ion=1.0, N0=1e-3, rho_N=1.0, Tc0=68.0, cutoff=4 * top,
        window=8 * top, spacing=0.12, tau_pump=1.0, omega_pump=top, mu_star=0.0,
    )  # fmt: skip


def test_delta0_is_nan_and_the_edge_remains(crossing):
    state = photogap.equilibrium(crossing, T)
    assert state.gap.Z[0].real < 0.1
    assert math.isnan(state.gap.Delta0)
    assert 5.0 < state.gap.edge < 6.0
    assert "Delta0=undefined (Re Z(0) = " in repr(state)
    assert np.isnan(state.to_xarray()["Delta0"])
    assert photogap.equilibrium(crossing, 75.0).gap.Delta0 == 0.0


def test_an_undefined_delta0_does_not_stop_the_choice_of_a_lattice(crossing):
    found = solve_to_accuracy(crossing, [T], rtol=0.05)
    if math.isnan(found.states[0].gap.Delta0):
        assert math.isnan(found.errors()["Delta0_meV"])
    assert found.errors()["gap_edge_meV"] < 0.05 * found.states[0].gap.edge


@pytest.mark.parametrize("options", [("--no-errors",), ()])
def test_the_command_says_that_it_is_undefined(crossing, tmp_path, options):
    omega, alpha2F = crossing.spectrum.omega, crossing.spectrum.alpha2F
    np.savetxt(tmp_path / "x.dat", np.column_stack([omega, alpha2F]))
    top = str(crossing.window)
    given = ("--units", "meV", "--mu-star", "0", "--spacing", "0.12", "--window", top, *options)
    arguments = ["equilibrium", str(tmp_path / "x.dat"), "--T", f"{T},75", *given]
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    assert "undefined: Re Z(0) = " in shown.output
    record = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert record["Delta0_meV"] == [None, 0.0]


def test_a_driven_point_is_refused_with_the_reason(crossing):
    point = Point(material=crossing, F0=0.0, omega_pump=60.0, T=T, tau_esc=1.0)
    settings = Settings(t_start=-0.1, t_stop=0.1, n_times=3)
    result = simulate(point, settings)
    assert result.outcome is Outcome.NOT_CONVERGED
    assert "Delta0 = Re phi(0) / Re Z(0) needs Re Z(0) of at least 0.1. Got -0." in result.message
    pumped = Trial(Point(material=crossing, F0=0.01, omega_pump=60.0, T=T, tau_esc=1.0), settings)
    assert dict(simulate_all([pumped])) == {0: Scalar("Re Z(0)")}
