"""The front door is true: its sweep runs, its notebook lines draw, its files exist."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from support.patience import PATIENCE

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def block(language, containing):
    blocks = re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)
    (found,) = (text for text in blocks if containing in text)
    return found


def photogap(*arguments, cwd):
    code = "from photogap.sweeps.cli.main import app; app()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE
    )


@pytest.fixture(scope="module")
def first_sweep(tmp_path_factory):
    """The README's sweep as it stands, but for fewer fluences and one temperature."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "first.yaml").write_text(block("yaml", "name: first"))
    fewer = ("--set", "axes.F0=[0.03,0.1]", "--set", "axes.T=[30]")
    done = photogap("run", "first.yaml", "--store", "first.zarr", *fewer, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout + done.stderr


@pytest.mark.slow
def test_first_sweep_names_its_cube_and_picture(first_sweep):
    folder, said = first_sweep
    assert "first.zarr" in said
    assert list(folder.glob("*.png"))


@pytest.mark.slow
def test_notebook_lines_draw_the_curve(first_sweep, monkeypatch):
    folder, _ = first_sweep
    monkeypatch.chdir(folder)
    matplotlib.use("Agg")
    (folder / "lines.py").write_text(block("python", "xr.open_zarr"))
    import matplotlib.pyplot as plt

    plt.close("all")
    cube = runpy.run_path(str(folder / "lines.py"))["cube"]
    assert cube.Delta0.attrs["units"] == "meV"
    ax = plt.gca()
    x, y = ax.lines[0].get_data()
    assert list(x) == [0.03, 0.1]
    assert 0 < y[0] < y[1]
    assert ax.get_xscale() == "log"
    plt.close("all")


@pytest.mark.slow
def test_status_and_plot_of_the_first_sweep(first_sweep):
    folder, _ = first_sweep
    assert "2 ok" in photogap("status", "first.zarr", cwd=folder).stdout
    assert photogap("plot", "first.zarr", "--x", "F0", "--hue", "T", "--out", "p.png", cwd=folder).returncode == 0
    assert (folder / "p.png").stat().st_size > 10_000


@pytest.mark.slow
def test_lines_of_python_run_as_they_stand(tmp_path):
    lines = block("python", "photogap.run(").replace("[0.01, 1, 8]", "[0.03, 0.1, 2]")
    (tmp_path / "mine.py").write_text(lines)
    done = subprocess.run(
        [sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "mine.zarr").is_dir()


PAGES = [ROOT / "README.md", ROOT / "REPRODUCTION.md", *sorted(ROOT.glob("docs/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page):
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", prose):
        assert (page.parent / target).exists(), target


def test_every_command_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make (\w+)`|^make (\w+)", TEXT, flags=re.MULTILINE):
        assert re.search(rf"^{''.join(target)}:", makefile, flags=re.MULTILINE), target
