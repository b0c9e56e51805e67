"""Help as a new user reads it: commands in the order of need, every default said, the version known."""

import importlib.metadata
import re

import pytest
import typer
from typer.testing import CliRunner

from photogap.sweeps.cli.base import PANELS
from photogap.sweeps.cli.main import app

COMMANDS = typer.main.get_command(app).commands


def help_of(*command):
    shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "100"})
    assert shown.exit_code == 0, shown.output
    return " ".join(shown.stdout.replace("│", " ").split())


def test_every_command_has_its_place():
    names = [name for names in PANELS.values() for name in names]
    assert sorted(names) == sorted(COMMANDS)
    text = help_of()
    order = [re.search(rf"{re.escape(title)} ─", text).start() for title in PANELS]
    assert order == sorted(order)
    where = [re.search(rf" {name} +[A-Z]", text).start() for name in names]
    assert where == sorted(where)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_is(name):
    assert len(help_of(name)) > 100
    for parameter in COMMANDS[name].params:
        assert parameter.help, f"{name}: {parameter.name} has no help"
        # Rich takes a word in brackets for a style and leaves it out.
        assert "[" not in re.sub(r"=\[[\d,]+\]", "", parameter.help)


@pytest.mark.parametrize(
    ("command", "default"),
    [
        ("run", "[default: (results/NAME.zarr)]"),
        ("run", "[default: (cores)]"),
        ("plot", "[default: (Delta0)]"),
        ("show", "[default: (the next axis with several values)]"),
        ("optics", "[default: (dirty limit)]"),
        ("serve", "[default: (the variable PHOTOGAP_TOKEN, else made for the folder)]"),
    ],
)
def test_defaults_are_shown(command, default):
    assert default in help_of(command)


def test_version():
    told = CliRunner().invoke(app, ["--version"])
    assert told.exit_code == 0
    assert told.stdout == f"photogap {importlib.metadata.version('photogap')}\n"
