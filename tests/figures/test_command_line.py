"""`photogap plot --figure` and `photogap movie` on a cube of two quick points; sliders."""

import base64
import importlib
import inspect
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from photogap.sweeps import figures
from photogap.sweeps.ask.config import override, parse, read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.drive.sweep import prepare
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.figures import FIGURES, draw
from photogap.sweeps.figures.explore import explore, pictures
from photogap.sweeps.figures.pictures import plot, table
from photogap.sweeps.figures.registry import FigureRow
from photogap.sweeps.figures.spectrum import alpha2F_in
from photogap.sweeps.notebook import cube as made
from photogap.sweeps.store.place import place
from photogap.sweeps.text import load_yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
name: tiny
preset: complete
axes: {material: [mine], F0: [0.1, 0.3], omega_pump: [170], T: [30], tau_esc: [0.02]}
materials: {mine: mine.yaml}
settings:
  pump_channels: scattering
  spacing: 1.0
  t_start: -0.2
  t_stop: 0.2
  n_times: 5
  energies: {linspace: [1, 400, 50]}
  frequencies: {linspace: [1, 200, 50]}
"""
MINE = (
    "name: other\nextends: K3C60\nspectrum: {phonons: {omega: [0, 2, 206.1], F: [0, 1, 1], source: chosen here}}\n"
)


def cli(*args):
    return CliRunner().invoke(app, [str(a) for a in args])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cube")
    (folder / "tiny.yaml").write_text(CONFIG)
    (folder / "mine.yaml").write_text(MINE)
    ds = made(folder / "tiny.yaml", folder / "tiny.zarr")
    assert ds.attrs["points_ok"] == 2
    return folder / "tiny.zarr"


def test_each_figure_is_in_the_help_and_has_a_function():
    told = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", cli("plot", "--help").output).replace("│", " ").split())
    for name, row in FIGURES.items():
        assert re.search(rf"\b{name}\b", told)
        module, function = row.draws.split(":")
        found = getattr(importlib.import_module(f"photogap.sweeps.figures.{module}"), function)
        assert getattr(figures, function) is found
        taken = set(inspect.signature(found).parameters)
        assert {*row.options, *filter(None, [row.needs])} <= taken, name


def test_the_command_line_starts_without_matplotlib():
    code = "import sys, photogap.sweeps.cli.main; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_figures_that_pages_and_configs_name_exist():
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("configs/*.yaml")]
    named = {name for p in pages for name in re.findall(r"--figure (\w+)", p.read_text())}
    assert len(named) > 3
    assert named - {"NAME"} <= FIGURES.keys()


def test_new_figure_needs_a_file_and_a_row(store, tmp_path, monkeypatch):
    mine = types.ModuleType("photogap.sweeps.figures.mine")
    mine.drawn = lambda ds: draw(ds, "fig8")
    monkeypatch.setitem(sys.modules, mine.__name__, mine)
    monkeypatch.setitem(FIGURES, "mine", FigureRow(draws="mine:drawn", shows="a test"))
    told = cli("plot", store, "--figure", "mine", "--out", tmp_path / "mine.png")
    assert told.exit_code == 0, told.output
    assert (tmp_path / "mine.png").stat().st_size > 10_000


def test_a_figure_named_as_its_module_is_refused():
    """Importing the module would replace the function in `photogap.figures`."""
    with pytest.raises(ValueError, match=r"`draws` must be .* two different names; .* Got 'mine:mine'"):
        FigureRow(draws="mine:mine", shows="a test")


@pytest.mark.parametrize(
    ("figure", "at"),
    [
        ("fig3", ()),
        ("fig8", ()),
        ("fig4", ("--at", "F0=0.3")),
        ("fig9", ("--at", "F0=0.3")),
        ("fig1c", ("--at", "material=mine")),
    ],
)
def test_plot_figure(store, figure, at, tmp_path):
    out = tmp_path / f"{figure}.png"
    told = cli("plot", store, "--figure", figure, *at, "--out", out)
    assert told.exit_code == 0, told.output
    with Image.open(out) as picture:
        assert (np.asarray(picture.convert("L")) < 200).mean() > 0.01


def test_figure_is_next_to_the_cube_by_default(store):
    told = cli("plot", store, "--figure", "fig3", "--at", "F0=0.1,0.3", "--json")
    assert told.exit_code == 0, told.output
    assert (store.parent / "tiny_fig3.png").exists()


def test_spectrum_of_a_material_defined_in_the_config(store):
    spectrum = alpha2F_in(place(str(store)), "mine")
    assert spectrum is not None
    assert float(spectrum.idxmax()) == pytest.approx(170, abs=1)
    assert alpha2F_in(place(str(store)), "no such") is None


def test_movie(store, tmp_path):
    told = cli("movie", store, "--at", "F0=0.3", "--out", tmp_path / "film.gif")
    assert told.exit_code == 0, told.output
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 5


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("plot", "--figure", "fig99"), r"`--figure` must be one of fig1c, fig2a"),
        (("plot", "--figure", "fig4"), r"shows one point: select F0 with `--at`"),
        (
            ("plot", "--figure", "fig2c"),
            r"needs `dR_R0_seen`.*; set `omega_probe` and `tau_probe` under `settings`",
        ),
        (("plot", "--out", "a.xyz"), r"`--out` must be a file that ends in .png, .pdf or .svg. Got 'a.xyz'"),
        (("plot", "--out", "folder"), r"`--out` must be a file that ends in"),
        (("plot", "--y", "Delta"), r"`--y` must be a variable of the cube. Did you mean `Delta0`\? Got 'Delta'"),
        (("plot", "--y", "message"), r"`--y` must be a numeric variable"),
        (("show", "--y", "G"), r"`--y` must name an axis.*Got 'G'"),
        (("show", "--x", "T", "--y", "F0", "--at", "T=30"), r"`--at T` fixes an axis of the picture"),
        (("plot", "--at", "T=30", "--at", "T=60"), r"`--at` may give T only once. Got it again in 'T=60'"),
        (
            ("plot", "--figure", "phase_diagram", "--x", "T", "--y", "T"),
            r"`--y` must differ from `--x`. Got 'T'",
        ),
        (("plot", "--at", "F0=0.1"), r"`--at F0` fixes an axis of the picture"),
        (("show", "--y", "F0"), r"`--y` must differ from `--x`. Got 'F0'"),
        (("show", "--variable", "gap"), r"`--variable` must be a variable of the cube.* Got 'gap'"),
        (("plot", "--figure", "fig3", "--hue", "F0"), r"`--hue` does not belong to `--figure fig3`"),
        (("plot", "--figure", "fig3", "--at", "F0=7"), r"`--at F0` must be one of 0.1, 0.3"),
        (("movie",), r"shows one point"),
        (("movie", "--at", "F0=0.3", "--out", "film.avi"), r"must be a file that ends in .gif or .mp4"),
    ],
)
def test_impossible_picture_ends_with_one_message(store, args, message):
    command, *rest = args
    told = cli(command, store, *rest)
    assert told.exit_code == 2
    assert re.search(message, " ".join(told.stderr.split()))


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A cube of which no point is computed yet."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "tiny.yaml").write_text(CONFIG)
    (folder / "mine.yaml").write_text(MINE)
    prepare(resolve(read(folder / "tiny.yaml")), place(folder / "begun.zarr"))
    return folder / "begun.zarr"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("plot",), "nothing to draw: Delta0 has no value there. Points of the cube: 2 missing"),
        (("plot", "--figure", "fig3"), "needs a successful point"),
        (("plot", "--figure", "fig8"), "needs a successful point"),
        (("plot", "--figure", "phase_diagram"), "needs a successful point"),
        (("movie", "--at", "F0=0.1"), "needs a successful point"),
    ],
)
def test_cube_without_a_finished_point_raises(begun, args, message):
    command, *rest = args
    told = cli(command, begun, *rest)
    assert told.exit_code == 2, told.output
    assert message in " ".join(told.stderr.split())
    assert not list(begun.parent.glob("*.png"))


def test_omitted_values_are_counted(tmp_path):
    (tmp_path / "tiny.yaml").write_text(CONFIG)
    (tmp_path / "mine.yaml").write_text(MINE)
    wide = override(load_yaml(CONFIG, "tiny"), "axes.F0={geomspace: [0.1, 1, 20]}")
    prepare(resolve(parse(wide, folder=str(tmp_path))), place(tmp_path / "wide.zarr"))
    shown = CliRunner().invoke(app, ["show", str(tmp_path / "wide.zarr")], env={"COLUMNS": "80"})
    assert "F0 across (one value in 3; all with --out)" in shown.stdout, shown.output


def test_replay_prints_units(store):
    told = cli("replay", store, "F0=0.1").stdout
    for line in (r"wall_time: [\d.]+ s\n", r"peak_memory: \d+ MiB\n", r"Delta0 \(meV\): .* last .*, 5 values\n"):
        assert re.search(line, told), told
    assert "message" not in told


def test_a_caption_begins_with_the_material(store, tmp_path):
    assert cli("plot", store, "--out", tmp_path / "p.svg").exit_code == 0
    texts = re.findall(r"<!-- (.*?) -->", (tmp_path / "p.svg").read_text())
    assert any(text.startswith("mine, ") for text in texts), texts


def test_lines_differ_and_those_left_out_are_counted(cube, tmp_path):
    ds = cube(F0=[0.1, 1, 10], T=np.linspace(5, 100, 50))
    drawing = plot(ds, tmp_path / "many.svg", hue="T").read_text()
    strokes = re.findall(r'style="fill: none; stroke: (#\w+); stroke-width: 1.3', drawing)
    assert len(set(strokes)) == 40
    assert "40 of 50 lines" in drawing


def test_some_labels_of_an_axis_are_kept(cube, tmp_path):
    ds = cube(F0=[0.1, 1, 10], T=[10, 20, 30])
    kept = table(ds, "F0", "T", "Delta0", {"T": "10,30", "F0": "1,10"})
    assert [name.rsplit("at ")[-1] for name in kept[0]] == ["F0 (mJ cm^-2)", "T = 10 K", "T = 30 K"]
    assert [row[0] for row in kept[1]] == ["1", "10"]
    with pytest.raises(ConfigError, match=r"`--at T` must be one of 10, 20, 30. Got '40'"):
        table(ds, "F0", "T", "Delta0", {"T": "10,40"})


def test_a_file_that_cannot_be_written_ends_with_one_message(store, tmp_path):
    (tmp_path / "file").write_text("")
    under_a_file = cli("plot", store, "--out", tmp_path / "file" / "a.png")
    assert under_a_file.exit_code == 2
    assert "must be in an existing folder" in under_a_file.stderr
    (tmp_path / "a.png").symlink_to(tmp_path / "no" / "a.png")
    told = cli("plot", store, "--out", tmp_path / "a.png")
    assert told.exit_code == 5, told.output
    assert "cannot be read or written: " in told.stderr
    assert "Traceback" not in told.output


def test_sliders_mark_a_point_without_a_value(cube):
    ds = cube(F0=[0.1, 1], tau_esc=[0.01, 0.1])
    ds["Delta0"] = ds["Delta0"].where(ds["F0"] != 0.1)
    (figure,) = pictures(ds, {"F0": 0, "tau_esc": 1}, "F0", "tau_esc", "Delta0")
    assert "no value here" in figure.texts[0].get_text()


def test_sliders_move_the_pictures(cube):
    ds = cube(F0=[0.1, 1, 10], tau_esc=[0.01, 0.1], T=[30, 60])
    box = explore(ds)
    sliders = box.children[:-1]
    assert [s.description for s in sliders] == ["F0 mJ/cm²", "T K", "tau_esc ps"]
    image = box.children[-1].children[0]
    before = image.value
    sliders[0].value = 2
    assert image.value[:4] == b"\x89PNG"
    assert image.value != before
    bundle = box._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == box.children[-1].children[1].value
    assert "application/vnd.jupyter.widget-view+json" in bundle
    drawn = pictures(ds, {"F0": 2, "T": 0, "tau_esc": 1}, "F0", "tau_esc", "Delta0")
    assert len(drawn) == 2
    line = drawn[0].axes[0].lines[-1].get_ydata()
    np.testing.assert_array_equal(line, ds["Delta0"].isel(F0=2, T=0, tau_esc=1).squeeze().values)
    assert len(pictures(ds.isel(tau_esc=0), {"F0": 0}, "F0", "tau_esc", "Delta0")) == 1


def test_missing_cube_is_created_and_existing_one_opened(store):
    path = Path(store)
    before = sorted(p.stat().st_mtime_ns for p in path.rglob("c/*"))
    made(path.parent / "tiny.yaml", path)
    assert sorted(p.stat().st_mtime_ns for p in path.rglob("c/*")) == before
