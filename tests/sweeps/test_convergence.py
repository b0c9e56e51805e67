"""How far numbers can be trusted: what is said to be their error, against numerics finer than any of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.lookup import find
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.drive.numerical_error import converge
from photogap.sweeps.figures import draw
from photogap.sweeps.front import open as open_cube
from photogap.sweeps.numbers import margin
from support.fake_config import tree

COARSE: dict[str, Any] = {
    "name": "coarse",
    "axes": {"material": ["K3C60"], "F0": [0.1], "omega_pump": [170], "T": [30], "tau_esc": [0.02]},
    "settings": {"spacing": 1.0, "t_start": -0.4, "t_stop": 0.1, "n_times": 6},
}


def photogap(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def numbers_of(settings: dict[str, Any]) -> dict[str, float]:
    """Values of the one point with other settings."""
    plan = resolve(parse(COARSE | {"settings": COARSE["settings"] | settings}))
    labels = plan.grid.labels((0,) * len(plan.grid.axes))
    data = plan.model.simulate(plan.point(labels), plan.settings_at(labels)).data
    return {name: float(np.ravel(values)[np.argmax(np.abs(values))]) for name, values in data.items()}


@pytest.mark.slow
def test_errors_are_those_against_much_finer_numerics(tmp_path: Path) -> None:
    path = tmp_path / "coarse.yaml"
    path.write_text(yaml.safe_dump(COARSE))
    done = photogap("converge", path, "F0=0.1", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["variables"]
    exact = numbers_of({"spacing": 0.25, "rtol": 1e-3, "atol": 1e-5})
    for name in ("Delta0_peak", "U_absorbed", "U_qp", "U_ph", "U_escaped", "mu_star"):
        missed = abs(found[name]["value"] - exact[name])
        assert missed < found[name]["error"] < 0.1 * abs(exact[name]), name
    assert set(found["Delta0"]["changes"]) == {"spacing / 2", "window x 2", "rtol, atol / 10", "gap_tol / 10"}


def _errors_are_drawn(store: Path, found: dict[str, Any]) -> None:
    """The cube knows the errors of the point that `converge` computed, and figures draw them there."""
    ds = open_cube(store)
    error = ds["U_absorbed_error"].squeeze()
    assert float(error.sel(damping="full")) == found["U_absorbed"]["error"] > 0
    assert np.isnan(error.sel(damping="real"))
    series = draw(ds, "fig3", variable="U_absorbed").axes[0]
    bands = [c for c in series.collections if c.get_alpha() == 0.2]
    (half,) = {round(float(np.ptp(p.vertices[p.vertices[:, 0] == 0.1, 1])) / 2, 9) for p in bands[0].get_paths()}
    assert len(bands) == 1
    assert half == pytest.approx(found["U_absorbed"]["error"], rel=1e-3)
    peaks = draw(ds, "fig8", variable="U_absorbed").axes[0]
    assert len(peaks.containers) == 1
    assert draw(ds.drop_vars("U_absorbed_error"), "fig8", variable="U_absorbed").axes[0].containers == []
    plain = photogap(
        "plot", store, "--y", "U_absorbed", "--x", "time", "--hue", "damping", "--out", store.with_suffix(".png")
    )
    assert plain.exit_code == 0, plain.output


@pytest.mark.slow
def test_the_error_of_an_equilibrium_is_that_against_a_much_finer_lattice() -> None:
    coarse = json.loads(photogap("equilibrium", "Pb", "--T", 4, "--spacing", 0.2, "--json").stdout)
    fine = photogap("equilibrium", "Pb", "--T", 4, "--spacing", 0.025, "--window", 120, "--no-errors", "--json")
    exact = json.loads(fine.stdout)
    assert "error" not in exact
    for name in ("Delta0_meV", "gap_edge_meV", "mu_star", "Z0"):
        assert abs(coarse[name] - exact[name]) < coarse["error"][name] < 0.1 * abs(exact[name]), name


def test_table_of_errors_and_failed_computations(tmp_path: Path) -> None:
    settings = {"spacing": 4.0, "t_start": -0.1, "t_stop": 0.1, "n_times": 3}
    config = COARSE | {"settings": settings, "axes": COARSE["axes"] | {"damping": ["full", "real"]}}
    path, store = tmp_path / "c.yaml", tmp_path / "c.zarr"
    path.write_text(yaml.safe_dump(config))
    assert photogap("run", path, "--store", store, "-n", 0).exit_code == 0
    assert "U_absorbed_error" not in open_cube(store)
    done = photogap("converge", store, "damping=full", "--json")
    assert done.exit_code == 0, done.output
    _errors_are_drawn(store, json.loads(done.stdout)["variables"])
    done = photogap("converge", path, "damping=full")
    assert done.exit_code == 0, done.output
    assert "Delta0_peak" in done.output
    footer = "±: 2 times the sum of the changes with finer numerics, 3.4 times for gap_duration; --json"
    assert footer in " ".join(done.output.split())
    assert photogap("converge", store, "damping=half").exit_code == 2
    # half of this spacing has no room for as many steps
    path.write_text(yaml.safe_dump(config | {"settings": settings | {"max_steps": 30}}))
    done = photogap("converge", path, "damping=full")
    assert done.exit_code == 1
    assert "rtol, atol / 10: too_many_steps" in done.output


def test_errors_of_a_point_with_an_accuracy(tmp_path: Path) -> None:
    """Its cube states the error of the gap's duration; `converge` refines the lattice that the accuracy chose."""
    settings = {"spacing": 2.0, "t_start": -0.1, "t_stop": 0.1, "n_times": 3, "accuracy": 0.5}
    path, store = tmp_path / "c.yaml", tmp_path / "c.zarr"
    path.write_text(yaml.safe_dump(COARSE | {"settings": settings}))
    assert photogap("run", path, "--store", store, "-n", 0).exit_code == 0
    error = open_cube(store)["gap_duration_error"].squeeze()
    assert error.attrs["units"] == "ps"
    assert float(error) >= 0.0
    done = photogap("converge", store, "F0=0.1", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["variables"]
    assert found["U_qp"]["changes"]["spacing / 2"] > 0.0
    assert found["gap_duration_error"]["changes"]["spacing / 2"] is None
    # its error falls as the root of the spacing, others linearly at least
    for name, factor in (("gap_duration", 1 / (1 - 0.5**0.5)), ("U_qp", 2.0)):
        assert found[name]["error"] == pytest.approx(factor * sum(found[name]["changes"].values()), rel=1e-12)


def test_failing_point_and_model_without_finer_numerics_raise() -> None:
    plan = resolve(parse(tree({"F0": [1.0]})))
    with pytest.raises(ValueError, match=r"needs a model that defines finer numerics. Got 'fake'"):
        converge(plan, plan.grid.labels(find(plan, "F0=1")))
    with pytest.raises(ValueError, match=r"POINT must give axes of the cube\. .* Got 'F1'"):
        find(plan, "F1=1")


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.35127, 0.0018, "1.351 ± 0.002"),
        (1147.2, 6.0, "1147 ± 6"),
        (-3.21e-5, 2e-7, "-3.21e-05 ± 2e-07"),
        (4.2e9, 3e7, "4.20e+09 ± 3e+07"),
        (0.70523, 9.9e-5, "0.7052 ± 0.0001"),
        (8.0, 0.0, "8"),
        (0.02, 0.3, "0.0 ± 0.3"),
        (float("nan"), 0.1, "failed"),
    ],
)
def test_no_more_digits_than_are_known(value: float, error: float, text: str) -> None:
    assert margin(value, error) == text
