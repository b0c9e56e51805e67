"""Figures show what the cube holds: lines, labels with units, holes where points failed; files open as pictures."""

import shutil
import subprocess
import sys

import imageio_ffmpeg
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from PIL import Image

from photogap.sweeps.figures import FIGURES, alpha2F_of, draw, movie, save, select
from photogap.sweeps.figures.canvas import legend
from photogap.sweeps.figures.style import RC, line_style


@pytest.fixture
def look(tmp_path):
    """Write the figure and check that the picture is no blank sheet."""

    def write(figure: Figure):
        path = save(figure, tmp_path / "figure.png")
        pixels = np.asarray(Image.open(path).convert("L"))
        assert pixels.shape[1] > 900
        assert 0.02 < (pixels < 200).mean() < 0.95
        return figure

    return write


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in (ax.xaxis.label, ax.yaxis.label)]


def test_fig3_one_line_per_temperature(cube, look):
    ds = cube(T=[30, 60, 120])
    figure = look(draw(ds, "fig3"))
    (ax,) = figure.axes
    lines = [line for line in ax.lines if line.get_label()[0] != "_"]
    assert [line.get_label() for line in lines] == ["$T$ = 30 K", "$T$ = 60 K", "$T$ = 120 K"]
    np.testing.assert_array_equal(lines[0].get_ydata(), ds["Delta0"].isel(T=0).squeeze().values)
    assert texts(figure) == ["Time $t$ (ps)", r"$\Delta_0$ (meV)"]


def test_fig8_leaves_a_hole_where_a_point_failed(cube, look):
    ds = cube(F0=np.geomspace(0.05, 10, 9), omega_pump=[50, 79, 170])
    ds["Delta0"][{"F0": 4, "omega_pump": 2}] = np.nan
    figure = look(draw(ds, "fig8"))
    (ax,) = figure.axes
    assert ax.get_xscale() == "log"
    assert len(ax.lines) == 3
    assert np.isnan(ax.lines[2].get_ydata()[4])
    assert texts(figure) == ["$F_0$ (mJ/cm²)", r"Peak $\Delta_0$ (meV)"]


@pytest.mark.parametrize("name", ["fig4", "fig10", "fig11"])
def test_populations_next_to_the_spectrum(cube, look, name):
    figure = look(draw(cube(fields=True), name))
    assert r"$\alpha^2F(\omega)$" in texts(figure)
    assert "Phonon energy $\\hbar\\omega$ (meV)" in texts(figure)


def test_populations_without_a_known_material_have_no_spectrum(cube, look):
    ds = cube(fields=True).assign_coords(material=["my film"])
    figure = look(draw(ds, "fig4"))
    assert not figure.axes[3].get_visible()
    given = draw(ds, "fig4", alpha2F=alpha2F_of("CaC6"))
    assert given.axes[3].get_visible()


@pytest.mark.parametrize(("name", "sign"), [("dR_R0", 1), ("dT_T0", -1)])
def test_probe_traces_have_the_papers_sign(cube, look, name, sign):
    ds = cube(T=[2, 4])
    change = -1e-2 * ds["Delta0"]
    ds = ds.assign({name: change, f"{name}_seen": 0.5 * change})
    figure = look(draw(ds, "fig2c"))
    left, right = figure.axes
    assert left.get_ylabel().endswith("(%)")
    np.testing.assert_array_equal(
        left.lines[1].get_ydata(), sign * 100 * ds[f"{name}_seen"].isel(T=0).squeeze().values
    )
    assert right.get_yscale() == "log"
    assert left.get_ylabel().startswith("\N{MINUS SIGN}") == (sign < 0)
    with pytest.raises(ValueError, match=r"the figure needs `dR_R0_seen` in the cube"):
        draw(cube(), "fig2d")


def test_fig9_and_fig6(cube, look):
    before, after, *bars = look(draw(cube(fields=True), "fig9")).axes
    assert [ax.get_title() for ax in (before, after)] == [
        f"{name} the maximum of the pulse" for name in ("before", "after")
    ]
    assert [ax.get_ylabel() for ax in bars] == 2 * ["Time $t$ (ps)"]
    assert len(look(draw(cube(fields=True), "gap_function")).axes) == 3
    figure = look(draw(cube(fields=True, T=[5, 10, 15, 20]).isel(time=[30]), "fig6"))
    assert [ax.get_title() for ax in figure.axes] == [f"$T$ = {T} K" for T in (5, 10, 15, 20)]


def test_phase_diagram_draws_border_failed_points_and_infinite_labels(cube, look):
    ds = cube(
        F0=np.geomspace(0.05, 10, 12),
        tau_esc=[*np.geomspace(1e-3, 10, 9), np.inf],
        T=[30, 60, 90],
        damping=["real", "full"],
    )
    ds["Delta0"][{"F0": 5, "tau_esc": 3, "T": 0}] = np.nan
    figure = look(draw(ds, "phase_diagram"))
    panels = [ax for ax in figure.axes if ax.get_title()]
    assert len(panels) == 6
    assert panels[0].get_title() == "$T$ = 30 K, damping: real"
    assert panels[0].get_yticklabels()[-1].get_text() == "∞"
    assert len(panels[0].collections) == 3  # tiles, and the border twice


def test_phase_diagram_over_words_and_one_value(cube, look):
    look(draw(cube(F0=np.geomspace(0.05, 10, 6), damping=["real", "full"]), "phase_diagram", x="F0", y="T"))


def test_selection_by_label(cube):
    ds = cube(F0=[0.1, 1.0], T=[30, 60], tau_esc=[0.1, np.inf])
    out = select(ds, {"F0": 0.1 * (1 + 1e-7), "T": [60], "material": "k3c60", "tau_esc": np.inf})
    assert out["F0"].item() == 0.1
    assert out.sizes["T"] == 1
    with pytest.raises(ValueError, match=r"`at T` must be one of 30, 60\. Got 45"):
        select(ds, {"T": 45})
    with pytest.raises(ValueError, match=r"`at` must name an axis of the cube: .*\. Got 'fluence'"):
        select(ds, {"fluence": 1})


def test_impossible_figure_gives_the_reason(cube):
    with pytest.raises(ValueError, match=r"`figure` must be one of fig1c, .*\. .*Got 'fig99'"):
        draw(cube(), "fig99")
    with pytest.raises(ValueError, match=r"needs `f` in the cube; set `energies` under .* Got Delta0"):
        draw(cube(), "fig4")
    with pytest.raises(ValueError, match=r"shows one point: select T with `at`\. Got T = \[30\.0, 60\.0\]"):
        draw(cube(fields=True, T=[30, 60]), "fig9")
    with pytest.raises(
        ValueError, match=r"at most 12 lines; select among F0 \(13\), damping \(2\) with `at`\. Got 26"
    ):
        draw(cube(F0=np.geomspace(0.1, 1, 13), damping=["real", "full"]), "fig3")


def test_a_point_that_failed_is_not_drawn(cube):
    ds = cube(fields=True)
    ds["f"][:] = np.nan
    with pytest.raises(ValueError, match="needs a successful point"):
        draw(ds, "fig4")


def test_figures_from_out_of_core_are_the_same(cube):
    ds = cube(F0=np.geomspace(0.05, 10, 9), T=[30, 60])
    lazy, eager = (draw(d, "fig8").axes[0].lines for d in (ds.chunk({"F0": 2, "time": 20}), ds))
    for a, b in zip(lazy, eager, strict=True):
        np.testing.assert_array_equal(a.get_ydata(), b.get_ydata())


def test_movie_has_one_frame_a_time_and_moves(cube, tmp_path):
    path = movie(cube(fields=True, n_times=6), tmp_path / "film.gif", dpi=70)
    with Image.open(path) as film:
        assert film.n_frames == 6
        first = np.asarray(film.convert("L"), dtype=int)
        film.seek(3)
        assert (abs(np.asarray(film.convert("L"), dtype=int) - first) > 60).mean() > 0.002


@pytest.mark.parametrize("whose", ["system", "wheel"])
def test_mp4_plays_back_the_frames(cube, tmp_path, monkeypatch, whose):
    """Written by the system's ffmpeg where there is one, by the wheel's otherwise; read by the wheel's."""
    if whose == "wheel":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    path = movie(cube(fields=True, n_times=6), tmp_path / "film.mp4", dpi=71)
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", path, tmp_path / "%d.png"], check=True
    )
    pictures = [imread(tmp_path / f"{k}.png") for k in range(1, len(list(tmp_path.glob("*.png"))) + 1)]
    assert len(pictures) == 6
    assert all(side % 2 == 0 for side in pictures[0].shape[:2])
    assert (abs(pictures[3] - pictures[0]) > 0.25).mean() > 0.002


def test_movie_endings(cube, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"`out` must end in \.gif or \.mp4"):
        movie(cube(), tmp_path / "film.avi")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(ValueError, match=r"only if ffmpeg is available: .* `pip install 'photogap\[movie\]'`"):
        movie(cube(), tmp_path / "film.mp4")


def test_every_figure_of_the_paper_has_a_name():
    of_the_paper = "1c 2a 2b 2c 2d 3 4 5 6 7a 7b 8 9 10 11"
    assert {name for name, row in FIGURES.items() if row.pane} == {f"fig{n}" for n in of_the_paper.split()}


def test_lines_all_differ():
    assert len({tuple(line_style(i).values()) for i in range(28)}) == 28


def test_legend_has_two_columns_if_they_fit():
    for label, columns in ((r"$\hbar\omega_\mathrm{probe}$ = 20 meV", 2), ("full, scattering+pair-breaking", 1)):
        figure = Figure(figsize=(3.4, 2.6), layout="constrained")
        ax = figure.subplots()
        for i in range(4):
            ax.plot([0, 1], [0, i], label=label)
        with mpl.rc_context(RC):
            legend(figure, ax)
            figure.draw_without_rendering()
        (drawn,) = figure.legends
        assert drawn._ncols == columns
        box = drawn.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
