"""Labels of figures, marks of tiles, and files that name their cube."""

import json
import re

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner

from photogap.core.pairing.coherence import between_points, spectral_weights
from photogap.sweeps.cli.main import app
from photogap.sweeps.figures import draw, save
from photogap.sweeps.figures.canvas import _with_power, measured, wrapped
from photogap.sweeps.figures.pictures import plot, table
from photogap.sweeps.figures.style import duration, pulse
from photogap.sweeps.figures.tiles import border, hatch
from photogap.sweeps.figures.words import formula, number, quantity, tick
from photogap.sweeps.store.record import config_hash
from support.canvas import complete

CONFIG = config_hash({"config": {"name": "stand-in"}})
ZIPPED = complete({"F0": [0.1, 1.0], "omega_pump": [50.0, 79.0, 170.0]}, {"T": ("omega_pump", [60.0, 120.0, 30.0])})


@pytest.mark.parametrize(
    ("label", "printed"),
    [
        ("K3C60", "K₃C₆₀"),
        ("LaH10", "LaH₁₀"),
        ("K3C60-all-modes", "K₃C₆₀-all-modes"),
        ("CaC6", "CaC₆"),
        ("Pb", "Pb"),
        ("film2", "film2"),
        ("mine", "mine"),
        ("Xx3", "Xx3"),
    ],
)
def test_formulas_have_lowered_numbers(label, printed):
    assert formula(label) == printed


def test_words_say_which_setting_they_are():
    def told(name, value, units="1"):
        return quantity(xr.DataArray(np.array(value), name=name, attrs={"units": units}))

    assert told("damping", "full") == "damping: full"
    assert told("stimulated_emission", False) == "stimulated emission: off"
    assert told("F0", 5e-7, "mJ cm^-2") == "$F_0$ = 5×10⁻⁷ mJ/cm²"
    assert told("tau_esc", np.inf, "ps") == r"$\tau_\mathrm{esc}$ = ∞"
    assert number(True) == "on"


def test_followers_are_named_wherever_a_line_is(tmp_path):
    (ax,) = draw(ZIPPED, "fig8").axes
    names = [line.get_label() for line in ax.lines]
    assert names[2] == r"$\hbar\omega_\mathrm{pump}$ = 170 meV, $T$ = 30 K"
    head, rows = table(ZIPPED, "F0", "omega_pump", "Delta0", {})
    assert head[1:] == [
        f"Delta0 (meV) at omega_pump = {w} meV, T = {T} K" for w, T in ((50, 60), (79, 120), (170, 30))
    ]
    head, rows = table(ZIPPED, "omega_pump", "F0", "Delta0", {})
    assert head[:2] == ["omega_pump (meV)", "T (K)"]
    assert [row[:2] for row in rows] == [["50", "60"], ["79", "120"], ["170", "30"]]
    assert tick(ZIPPED["omega_pump"], 1) == "79\n120"
    text = plot(ZIPPED, tmp_path / "p.svg", x="F0", hue="omega_pump").read_text()
    assert "60 K" in text
    across = draw(ZIPPED, "phase_diagram", x="omega_pump", y="F0").axes[0]
    assert across.get_xlabel() == "$\\hbar\\omega_\\mathrm{pump}$ (meV)\n$T$ (K)"
    assert across.get_xticklabels()[2].get_text() == "170\n30"


def test_a_follower_chosen_as_hue_names_its_leader(tmp_path):
    head, _ = table(ZIPPED, "F0", "T", "Delta0", {})
    assert "omega_pump = 50 meV" in head[1]
    assert "T = 60 K" in head[1]


def test_a_border_runs_between_tiles():
    inside = xr.DataArray(
        [[0.0, 1.0], [0.0, 0.0], [np.nan, 1.0]], dims=("y", "x"), coords={"y": [1.0, 2.0, 3.0], "x": [1.0, 3.0]}
    )
    ax = Figure().subplots()
    assert border(ax, inside) == 3
    segments = {tuple(map(tuple, s)) for s in ax.collections[0].get_segments()}
    assert segments == {((2.0, 0.5), (2.0, 1.5)), ((2.0, 1.5), (4.0, 1.5)), ((2.0, 2.5), (4.0, 2.5))}
    hatch(ax, inside == 1)
    assert ax.collections[-1].get_hatch()


def test_phase_diagram_says_gapless_and_no_gap():
    plane = complete({"F0": [0.1, 1.0, 10.0], "tau_esc": [0.01, 1.0], "T": [30.0, 120.0]})
    closed = plane.assign(Delta0=plane["Delta0"].where(plane["T"] < 100, 0.0).assign_attrs(units="meV"))
    gapless = closed.assign(gap_edge=closed["gap_edge"].where(closed["F0"] < 5, 0.0))
    figure = draw(gapless, "phase_diagram")
    first, second = figure.axes[:2]
    assert [t.get_text() for t in first.texts] == []
    assert [t.get_text() for t in second.texts] == ["no gap"]
    assert any(c.get_hatch() for c in first.collections)
    assert not any(c.get_hatch() for c in second.collections)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["gapless"]


def test_the_pulse_is_shaded_where_the_cube_says_how_long_it_is():
    ds = complete({})
    assert duration(ds) == 0.3
    ax = Figure().subplots()
    pulse(ax, ds)
    assert len(ax.collections) == 1
    pulse(ax, ds.drop_attrs())
    assert len(ax.collections) == 1
    record = {"resolved": {"settings": {"tau_pump": None}, "materials": {"K3C60": {"tau_pump": "0.2"}}}}
    assert duration(ds.assign_attrs(photogap=json.dumps(record))) == 0.2
    assert duration(ds.assign_coords(tau_pump=("F0", [0.5]))) == 0.5


def test_lines_along_one_axis_of_numbers_have_a_colour_bar():
    ds = complete({"F0": [0.01, 0.1, 1.0, 10.0]})
    ax, bar = draw(ds, "fig3").axes
    assert bar.get_ylabel() == "$F_0$ (mJ/cm²)"
    assert len({line.get_color() for line in ax.lines[1:]}) == 4
    assert draw(complete({"F0": [0.1, 1.0]}), "fig3").axes[1:] == []


def test_files_name_the_config(tmp_path):
    for style in ("screen", "paper"):
        figure = draw(complete({}), "fig3", style=style)
        png, pdf, svg = (save(figure, tmp_path / f"a.{kind}", dpi=60) for kind in ("png", "pdf", "svg"))
        with Image.open(png) as picture:
            assert f"config {CONFIG}" in picture.text["Keywords"]
            assert picture.text["Title"] == "stand-in, fig3"
        written = pdf.read_bytes()
        assert CONFIG.encode() in written
        assert b"/FontFile2" in written  # TrueType, embedded
        assert b"/Type3" not in written
        assert f"photogap:{CONFIG}" in svg.read_text()
        assert "<text" not in svg.read_text()  # letters are shapes


def test_equal_figures_are_equal_files(tmp_path):
    one, two = (save(draw(complete({}), "fig3"), tmp_path / f"{i}.svg").read_text() for i in (1, 2))
    assert one == two


def test_texts_break_after_commas_then_between_words():
    text = r"K₃C₆₀, $F_0$ = 1 mJ/cm², $\hbar\omega_\mathrm{pump}$ = 170 meV"
    assert wrapped(text, 9.0, 8) == text
    lines = wrapped(text, 1.7, 8).split("\n")
    assert lines == [r"K₃C₆₀, $F_0$ = 1 mJ/cm²,", r"$\hbar\omega_\mathrm{pump}$ = 170 meV"]
    assert all(measured(line, 8) <= 1.7 for line in lines)
    assert wrapped("one two three four", 0.5, 8).count("\n") >= 1


def test_powers_go_into_the_title():
    assert _with_power("$U$ (meV/nm³)", "⁵") == "$U$ (10⁵ meV/nm³)"
    assert _with_power(r"$\Gamma$ (1/ps)", "⁻³") == r"$\Gamma$ (10⁻³/ps)"
    assert _with_power("$f$", "⁻³") == "$f$ (10⁻³)"


def test_density_of_states_between_points():
    """BCS's closed form for a constant gap, and an integral equal to the sum of the solver's weights."""
    h, gap = 0.1, 1.03
    E = (np.arange(200) + 0.5) * h
    phi = np.full(200, gap + 0j)
    at = np.array([0.3, 0.9, 1.04, 1.5, 7.0])
    Delta, Z, rho = between_points(at, E + 0j, phi, h)
    np.testing.assert_allclose(Delta, gap, rtol=1e-12)
    np.testing.assert_allclose(Z, 1.0, rtol=1e-12)
    exact = np.where(at > gap, at / np.sqrt(np.maximum(at**2 - gap**2, 1e-9)), 0.0)
    np.testing.assert_allclose(rho, exact, rtol=1e-9, atol=1e-12)
    # damped, the density is finite and a fine sum converges; hats cover 0 to E_N, half a cell short of the edges
    damped = phi * 1.0
    W = E + 0.05j
    fine = (np.arange(200_000) + 0.5) * (E[-20] / 200_000)
    sum_fine = between_points(fine, W, damped, h)[2].sum() * (E[-20] / 200_000)
    weights = spectral_weights(W, damped)[0]
    assert weights[:-20].sum() * h - sum_fine == pytest.approx(0.0, abs=0.6 * h)


def test_unknown_style_ends_with_one_message(tmp_path):
    told = CliRunner().invoke(app, ["plot", str(tmp_path / "x.zarr"), "--style", "poster"])
    assert told.exit_code == 2
    assert re.search(r"`--style` must be one of screen, paper, slides", " ".join(told.stderr.split()))
