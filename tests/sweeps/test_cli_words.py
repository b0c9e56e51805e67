"""Small things of the command line: words it suggests, what it draws, what it logs, where it writes."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from photogap.sweeps.cli.main import app
from photogap.sweeps.numbers import pace
from support.driving import go
from support.fake_config import tree


def cli(*args: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in args])


def said(*args: object) -> str:
    done = cli(*args)
    assert done.exit_code not in (0, 1), done.output
    return str(done.stderr)


def config(folder: Path, **more: Any) -> Path:
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump(tree() | more))
    return path


def physical(folder: Path, **more: Any) -> Path:
    path = folder / "p.yaml"
    axes = {"material": ["Pb"], "F0": [1], "T": [4], "tau_esc": [1]}
    path.write_text(yaml.safe_dump({"name": "p", "axes": axes | more.pop("axes", {})} | more))
    return path


@pytest.mark.parametrize(
    ("more", "meant"),
    [
        (
            {"preset": "papr"},
            "`preset`: must be one of paper, undamped, complete. Did you mean `paper`? Got 'papr'.",
        ),
        ({"backend": "gpus"}, "must be one of cpu, gpu. Did you mean `gpu`? Got 'gpus'."),
        ({"axes": {"damping": ["reel"]}}, "`axes.damping`: must be one of full, real. Did you mean `real`?"),
        ({"settings": {"pump_shape": "puls"}}, "Did you mean `pulse`? Got 'puls'."),
        ({"axes": {"material": ["pb2"]}}, "Did you mean `Pb`? Got 'pb2'."),
        ({"settings": {"substrate": "silicn"}}, "Did you mean `silicon`? Got 'silicn'."),
        ({"settings": {"dampin": "full"}}, "Did you mean `damping`? Got 'full'."),
        ({"cluster": "locl"}, "Did you mean `local`? Got 'locl'."),
    ],
)
def test_a_choice_that_does_not_exist_gets_the_likely_one(tmp_path: Path, more: dict[str, Any], meant: str) -> None:
    assert meant in said("run", physical(tmp_path, **more), "--dry-run")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("--figure", "fig33"), "Did you mean `fig3`? Got 'fig33'."),
        (("--style", "papr"), "Did you mean `paper`? Got 'papr'."),
        (("--at", "materal=A"), "Did you mean `material`? Got 'materal'."),
        (("--y", "Delta"), "Did you mean `Delta0`? Got 'Delta'."),
    ],
)
def test_choices_of_plot(tmp_path: Path, arguments: tuple[str, ...], meant: str) -> None:
    go(tmp_path, "a.zarr")
    assert meant in said("plot", tmp_path / "a.zarr", *arguments)


def test_words_of_other_commands(tmp_path: Path) -> None:
    assert "Did you mean `Pb`?" in said("equilibrium", "pb1", "--T", "4")
    cluster = tmp_path / "x.yaml"
    cluster.write_text("kind: slrm\n")
    assert "Did you mean `slurm`? Got 'slrm'." in said("run", config(tmp_path), "--cluster", cluster)


@pytest.mark.parametrize("command", ["run", "retry"])
def test_a_dashboard_without_bokeh(tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go(tmp_path, "a.zarr", settings={"fault": "nan"})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    where = (config(tmp_path), "--store", tmp_path / "b.zarr") if command == "run" else (tmp_path / "a.zarr",)
    message = "`--dashboard` needs bokeh; pip install 'photogap[dashboard]'."
    assert message in " ".join(said(command, *where, "--dashboard").split())
    assert not (tmp_path / "b.zarr").exists()


def test_several_labels_of_several_axes_in_one_option(tmp_path: Path) -> None:
    go(tmp_path, "a.zarr", {"T": [30, 60], "F0": [1.0, 2.0], "damping": ["full", "real"]})
    out = ("--x", "time", "--hue", "damping", "--out", tmp_path / "p.png", "--json")
    done = cli("plot", tmp_path / "a.zarr", "--at", "T=30,F0=1", *out)
    assert done.exit_code == 0, done.stderr
    assert len(json.loads(done.stdout)["columns"]) == 3


@pytest.mark.parametrize(
    "command",
    [
        ("plot", "STORE", "--out"),
        ("plot", "STORE", "--figure", "explore", "--out"),
        ("show", "STORE", "--out"),
        ("movie", "STORE", "--out"),
        ("equilibrium", "Pb", "--T", "4", "--plot"),
    ],
)
def test_pictures_make_no_folders(tmp_path: Path, command: tuple[str, ...]) -> None:
    go(tmp_path, "a.zarr")
    before = sorted(tmp_path.rglob("*"))
    path = tmp_path / "new" / ("p.gif" if command[0] == "movie" else "p.png")
    words = [str(tmp_path / "a.zarr") if word == "STORE" else word for word in command]
    assert f"must be in an existing folder; make '{path.parent}' first" in said(*words, path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("axes", "x"),
    [({}, "F0"), ({"F0": [1.0], "T": [30, 60]}, "T"), ({"F0": [1.0]}, "time")],
    ids=["F0", "T", "time"],
)
def test_run_without_a_plot_draws_the_default_picture(tmp_path: Path, axes: dict[str, Any], x: str) -> None:
    done = cli("run", config(tmp_path, axes=tree(axes)["axes"]), "--store", tmp_path / "a.zarr", "-n", "0")
    assert done.exit_code == 0, done.stderr
    assert "no picture" not in done.stderr
    assert f"picture: {tmp_path / 'a.png'}" in done.stdout
    drawn = cli("plot", tmp_path / "a.zarr", "--json")
    assert json.loads(drawn.stdout)["columns"][0].startswith(x)


def test_a_slow_rate_is_a_time() -> None:
    assert pace(0.0657) == "a point every 15.2 s"
    assert pace(3.21) == "3.21 points/s"


@pytest.fixture
def log() -> Iterator[None]:
    logger = logging.getLogger("photogap")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers = handlers
    logger.setLevel(level)


@pytest.mark.parametrize("where", ["before", "after"])
def test_verbose(tmp_path: Path, log: None, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[object] = ["run", config(tmp_path), "--store", tmp_path / "a.zarr", "-n", "0"]
    words.insert(0 if where == "before" else len(words), "-vv")
    done = cli(*words)
    assert done.exit_code == 0, done.stderr
    assert " INFO photogap.run: run " in done.stderr
    assert done.stderr.count(" DEBUG photogap.run: point ") == 3
    # A progress bar takes standard error over while it is shown.
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)
    logging.getLogger("photogap.run").info("later")
    assert "later" in later.getvalue()


def test_verbose_search_for_a_lattice(log: None) -> None:
    done = cli("equilibrium", "Pb", "--T", "4", "-v")
    assert done.exit_code == 0, done.stderr
    assert " INFO photogap.accuracy: spacing " in done.stderr


def test_quiet_without_it(tmp_path: Path) -> None:
    done = cli("run", config(tmp_path), "--store", tmp_path / "a.zarr", "-n", "0")
    assert "photogap.run" not in done.stderr


def test_unknown_word_after_the_end_of_options_is_no_flag(tmp_path: Path) -> None:
    assert "No cube at" in said("status", "--", tmp_path / "-v")
