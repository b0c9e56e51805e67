"""The table of statements reads cubes rightly: cubes with known answers, failed points, missing cubes."""

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.figures.registry import FIGURES
from photogap.sweeps.figures.spectrum import alpha2F_of
from photogap.sweeps.reproduction import abstract, assumptions, equilibrium, k3c60, page, rows, runs, statements
from photogap.sweeps.reproduction.page import PICTURES, write
from photogap.sweeps.reproduction.rows import Verdict
from photogap.sweeps.reproduction.runs import SWEEPS, Cubes


def combos(with_breaking, failed=False):
    """All combinations; a gap of 1 meV wherever no pair is broken, and of `with_breaking` meV elsewhere."""
    names = {
        "damping": ["real", "full"],
        "pump_channels": ["scattering", "scattering+pair-breaking"],
        "stimulated_emission": [True, False],
    }
    coords = {"F0": [0.1, 1.0], "tau_esc": [0.01, 1.0], **{k: np.array(v, object) for k, v in names.items()}}
    coords["time"] = np.linspace(0, 1, 11)
    values = np.ones([len(v) for v in coords.values()])
    values[:, :, :, 1] = with_breaking
    if failed:
        values[0, 0, 0, 0, 0] = np.nan
    Delta0 = xr.DataArray(values, coords=coords, dims=list(coords), attrs={"units": "meV"})
    Delta0["time"].attrs["units"] = "ps"
    return xr.Dataset({"Delta0": Delta0})


@pytest.mark.parametrize(
    ("gap", "words"),
    [(0.0, "depends on leaving out pair breaking"), (1.0, "does not decide it")],
    ids=["ends it", "no matter"],
)
def test_answer_follows_the_cube(gap, words):
    assert words in assumptions.answer(combos(gap))
    verdict = statements.pair_breaking(combos(gap)).verdict
    assert verdict is (Verdict.DIFFERS if gap == 0 else Verdict.AGREES)


def test_failed_points_are_left_out_and_reported():
    text = assumptions.answer(combos(0.0, failed=True))
    assert "A gap exists on 100% of the map without pair breaking and on 0% with it" in text
    assert "Points that failed, 1 of 32, are left out" in text
    lines = assumptions.table(combos(0.0, failed=True))
    assert sum("3 of 3" in row for row in lines) == 1
    assert sum("none" in row for row in lines) == 4


def test_gap_that_opens(cube):
    part = cube(F0=[1.0, 5.0], T=[30, 60])
    cell = k3c60.exists({"F0": 1})(part)
    assert cell.verdict is Verdict.AGREES
    assert "30: " in cell.text
    assert k3c60.exists({"F0": 1})(part * 0).verdict is Verdict.DIFFERS
    assert k3c60.exists({}, compared=False)(part.isel(F0=0)).verdict is Verdict.NO_COMPARISON


def test_steps_and_resonance(cube):
    ds = cube(fields=True, n_times=13)
    assert k3c60.steps("K3C60")(ds).verdict is Verdict.DIFFERS  # a step down, none up
    shape = alpha2F_of("K3C60").interp(frequency=ds["frequency"], kwargs={"fill_value": 0.0})
    peaked = ds.assign(n=ds["n"] * 0 + shape * (ds["time"] - ds["time"][0]))
    assert k3c60.resonant("K3C60", "K3C60")(peaked).verdict is Verdict.AGREES
    flat = ds.assign(n=ds["n"] * 0 + ds["time"])
    assert k3c60.resonant("K3C60", "K3C60")(flat).verdict is Verdict.DIFFERS


@pytest.mark.parametrize(
    ("gap", "verdict"), [(47.0, Verdict.DIFFERS), (48.5, Verdict.AGREES), (59.0, Verdict.DIFFERS)]
)
def test_measured_gap_counts_within_its_error(gap, verdict):
    dims = ("material", "time")
    ds = xr.Dataset({"gap_edge": (dims, [[gap]])}, coords={"material": ["LaH10"], "time": [0.0]})
    cell = equilibrium.measured_gap(ds)
    assert cell.verdict is verdict
    assert "sample's Tc 220 K, against 250 K" in cell.text


def test_experiments_are_not_counted_as_the_papers():
    measured = [row for row in statements.STATEMENTS if row.source]
    assert len(measured) >= 3
    assert all(row.source.startswith("experiment, not the paper: ") and not row.paper for row in measured)


def test_abstract_has_about_150_words():
    page = (Path(__file__).parents[2] / "REPRODUCTION.md").read_text()
    abstract_of_page = page.split("# Reproduction", 1)[1].split("Written by", 1)[0]
    assert 135 <= len(abstract_of_page.split()) <= 165


def test_no_row_of_the_page_is_empty():
    """Every point of every cube of the page that is committed has an answer, and no number is missing."""
    page = (Path(__file__).parents[2] / "REPRODUCTION.md").read_text()
    words = ("every point failed", "not at hand", "has not been run", "no point has been computed", "no cube:")
    assert [word for word in words if word in page] == []
    assert "points are missing or failed" not in page.split("## Pictures")[0]


def test_page_without_cubes_says_so(tmp_path):
    text = write(tmp_path / "R.md", Cubes(tmp_path / "none"), None).read_text()
    assert text.count("no cube: `configs/fig3_k3c60.yaml` has not been run") >= 4
    assert "**agrees**: 20.6 nm" in text
    assert "On which assumption does light-induced superconductivity depend?" in text


def test_a_cube_of_an_older_config_is_made_anew(tmp_path, monkeypatch):
    """A window changed in a config must not end `make reproduce`."""
    config = tmp_path / "configs" / "one.yaml"
    config.parent.mkdir()
    monkeypatch.setattr(runs, "SWEEPS", (runs.PaperSweep("one", rows.ANY),))
    for window in (300, 400):
        config.write_text(
            "name: one\naxes: {material: [K3C60], F0: [0], omega_pump: [170], T: [10], tau_esc: [1]}\n"
            f"settings: {{spacing: 1, window: {window}, n_times: 3}}\n"
        )
        (line,) = runs.compute(config.parent, Cubes(tmp_path), workers=0)
        assert line.startswith("one.zarr: 1 ok, 0 failed of 1")


def test_every_statement_has_its_sweep():
    computed = {(sweep.config, preset) for sweep in SWEEPS for preset in sweep.presets}
    asked = {(row.config, preset) for row in statements.STATEMENTS if row.config for preset in row.presets}
    asked |= {(measured.config, measured.preset) for row in statements.STATEMENTS for measured in row.measured}
    assert asked <= computed


def test_each_pane_of_the_registry_is_on_the_page():
    headings = " ".join(picture.heading for picture in PICTURES)
    panes = [row.pane.removeprefix("Fig. ") for row in FIGURES.values() if row.pane]
    assert [pane for pane in panes if not re.search(rf"\b{pane}", headings)] == []


def test_headline_has_the_lattice_s_error_and_says_what_decides(cube):
    def on_two_lattices(gaps):
        ds = cube(F0=[1.0], n_times=61)[["Delta0"]]
        factor = xr.DataArray(gaps, dims="spacing", coords={"spacing": [0.25, 0.125]})
        return ds.assign(Delta0=(ds["Delta0"] * factor).assign_attrs(units="meV"))

    text = abstract.gap(on_two_lattices([1.0, 1.01]))
    assert "±" in text
    assert text.count("ps") == 1
    both = {"paper": on_two_lattices([1.0, 1.01]), "complete": on_two_lattices([0.0, 0.0])}
    assert "no gap under `complete`" in abstract.headline(both)
    assert "decides between a gap and none" in abstract.headline(both)
    assert "decides" not in abstract.headline({"paper": both["paper"]})
    assert abstract.headline({"paper": "no cube"}) == ""


def test_statements_are_counted_by_preset():
    rows = [row for row in statements.STATEMENTS if row.paper][:4]
    verdicts = dict(zip(rows, [Verdict.AGREES, Verdict.DIFFERS, Verdict.NO_COMPARISON, None], strict=True))
    text = abstract.counted(rows, lambda row, preset: verdicts[row] if preset == "paper" else None)
    assert "1 of 2 hold under `paper`" in text
    assert "complete" not in text


def test_duration_cut_off_by_the_record_is_a_lower_bound(cube):
    part = cube(T=[30, 60])
    cut_off = part.isel(time=part["time"] < 0.1)
    assert "≥" in k3c60.exists({})(cut_off).text
    assert "≥" not in k3c60.exists({})(part).text
    assert "≥" in assumptions.table(combos(0.0))[2]


def test_row_that_needs_failed_points_says_so(cube, monkeypatch):
    whole = cube(T=[30, 60])
    whole = whole.assign(message=whole["status"].copy(data=np.full(whole["status"].shape, "", object)))
    states = whole["status"].values.copy()
    states[..., 1, :, :] = "error"
    holed = whole.assign(status=whole["status"].copy(data=states))
    row = rows.Row("x", (), lambda ds: ds.sel(T=45), "some", ("paper",), "y")

    def cell(ds):
        monkeypatch.setattr(page, "_opened", lambda *_: ds)
        page._cell.cache_clear()
        return page._cell(row, Cubes(None), "paper")

    assert "1 of 2 points are missing or failed" in cell(holed).text
    with pytest.raises(KeyError):
        cell(whole)
