"""A path in any place of a config: a server opens nothing outside its folder, and quotes nothing of a file."""

import copy
import dataclasses
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photogap.core.settings import Settings
from photogap.sweeps.ask.config import Config, parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.client import Client, RefusedError
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.files import LARGEST_SERVED, Files, RefusedPathError
from photogap.sweeps.model import DEFAULT
from photogap.sweeps.server import dry_run
from support.fake_config import tree
from support.serving import serving

SECRET = "sesame4711"
TEXTS = {
    "vault.csv": f"{SECRET},F0\n{SECRET}0,{SECRET}1\n",
    "vault.yaml": f"name: {SECRET}\nextends: {SECRET}.yaml\n{SECRET}: 1\nTc0: {SECRET}\n",
    "vault.a2f": f"{SECRET} 1\n2 {SECRET}\n",
    "vault": f"{SECRET}\n",
}
# Loaded once before, so that its lazy imports are not taken for what a request opened.
BASE = {
    "name": "base",
    "model": DEFAULT,
    "axes": {"material": ["Pb"], "F0": [0.1], "omega_pump": [170], "T": [4], "tau_esc": [0.1]},
    "settings": {"substrate": 1.5},
}

_opened: list[str] | None = None


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _opened is not None and event in ("open", "os.listdir", "os.scandir") and isinstance(args[0], str | bytes):
        _opened.append(os.fsdecode(args[0]))


sys.addaudithook(_hook)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Paths opened in this process while a test runs; one opened below a descriptor by its last part."""
    global _opened
    _opened = []
    yield _opened
    _opened = None


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A served folder with traps in it, and a folder of secrets next to it."""
    base = tmp_path_factory.mktemp("paths")
    served, outside = base / "served", base / "outside"
    for folder in (served, outside, served / ".photogap", served / "films"):
        folder.mkdir()
    for name, text in TEXTS.items():
        (outside / name).write_text(text)
        (served / ".photogap" / name).write_text(text)
        (served / f"own{Path(name).suffix}").write_text(text)
        (served / f"link{Path(name).suffix}").symlink_to(outside / name)
    (served / "away").symlink_to(outside)
    os.mkfifo(served / "pipe.csv")
    os.mkfifo(served / "pipe.yaml")
    for end in ("csv", "yaml"):
        with (served / f"huge.{end}").open("wb") as file:
            file.truncate(LARGEST_SERVED + 1)
        (served / f"device.{end}").symlink_to("/dev/zero")
        (served / f"circle.{end}").symlink_to(served / f"circle.{end}")
    # Files of the served folder that lead on.
    (served / "cells.csv").write_text(f"material,substrate\n{outside}/vault.yaml,{outside}/vault.csv\n")
    (served / "up.csv").write_text("material,substrate\n../outside/vault.yaml,away/vault.csv\n")
    for name, line in {
        "extends": f"extends: {outside}/vault.yaml",
        "extends_up": "extends: ../../outside/vault.yaml",
        "spectrum": f"extends: Pb\nspectrum: {{file: {outside}/vault.a2f, units: meV}}",
        "spectrum_link": "extends: Pb\nspectrum: {file: ../link.a2f, units: meV}",
        "phonons": f"extends: Pb\nspectrum: {{file: ../own.a2f, F_file: {outside}/vault.a2f, units: meV}}",
    }.items():
        (served / "films" / f"{name}.yaml").write_text(f"name: {name}\n{line}\n")
    return served, outside


@pytest.fixture(scope="module")
def client(folders: tuple[Path, Path]) -> Iterator[Client]:
    """A server that queues sweeps and starts none."""
    resolve(parse(BASE))
    with serving(folders[0], at_once=0) as found:
        yield found


def paths(served: Path, outside: Path) -> list[str]:
    """Ways out of the served folder, and files in it that are traps."""
    ends = ("vault.csv", "vault.yaml", "vault")
    return [
        *(
            f"{base}/{end}"
            for base in (outside, "../outside", "away", ".photogap", f"{served}/away")
            for end in ends
        ),
        *(
            f"{name}.{end}"
            for name in ("link", "own", "pipe", "device", "huge", "circle")
            for end in ("csv", "yaml")
        ),
        *(f"films/{path.name}" for path in sorted((served / "films").iterdir())),
        "films",
        "a\0b.csv",
        "\udcff.csv",
        "x" * 300 + ".csv",
    ]


def places() -> list[tuple[str, ...]]:
    """Every key of a config, those of groups and of the model's settings included, and some that are none."""
    settings = [f.name for f in dataclasses.fields(Settings)]
    axes = ["material", "F0", "omega_pump", "T", "tau_esc", *settings]
    found: list[tuple[str, ...]] = [("axes", name) for name in axes]
    found += [("settings", name) for name in settings]
    for name, field in Config.model_fields.items():
        found.append((name,))
        inner = getattr(field.annotation, "__args__", [field.annotation])[0]
        found += [(name, key) for key in getattr(inner, "model_fields", {})]
    return [*found, ("materials", "Pb"), ("plot", "at", "T"), ("full", "axes", "F0"), ("extends",), ("file",)]


def forms(path: str) -> list[Any]:
    """Ways to write a path in a place."""
    return [path, [path], {"csv": path}, {"csv": path, "column": "F0"}, {"values": [path]}, {"file": path}]


def put(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The base config with a value in a place."""
    out: dict[str, Any] = copy.deepcopy(BASE)
    here = out
    for key in place[:-1]:
        here = here.setdefault(key, {})
    here[place[-1]] = value
    return out


def attempts(served: Path, outside: Path) -> Iterator[dict[str, Any]]:
    """Every place with one path in every form; the places that hold paths, with every path."""
    for place in places():
        for form in forms(f"{outside}/vault.csv"):
            yield put(place, form)
    for path in paths(served, outside):
        for place in (("materials", "Pb"), ("cluster",), ("settings", "substrate"), ("settings", "cover")):
            yield put(place, path)
        for place in (("axes", "material"), ("axes", "substrate"), ("axes", "F0"), ("axes", "damping")):
            for form in ([path], {"csv": path}, {"csv": path, "column": SECRET[::-1]}):
                yield put(place, form)
    for cells in ("cells.csv", "up.csv", "own.csv"):
        for axis in ("material", "substrate", "cover", "damping", "T", "slabs"):
            for column in ({}, {"column": "material"}, {"column": "substrate"}, {"column": "F0"}):
                yield put(("axes", axis), {"csv": cells, **column})


def check(opened: list[str], answer: str, tried: object) -> None:
    """Nothing of a secret was opened or is told."""
    assert SECRET not in answer, tried
    assert "Traceback" not in answer, tried
    for path in opened:
        real = os.path.realpath(path) if path.startswith("/") else path
        assert "vault" not in os.path.basename(real), (path, tried)
        assert "outside" not in real, (path, tried)
        assert os.path.basename(path) not in ("pipe.csv", "pipe.yaml"), (path, tried)
    opened.clear()


def test_no_place_of_a_config_opens_a_file_outside_the_served_folder(
    client: Client, folders: tuple[Path, Path], opened: list[str]
) -> None:
    tried = refused = 0
    for config in attempts(*folders):
        for route in ("sweeps", "dry-run"):
            if route == "dry-run" and tried % 7:  # each goes the same way into `resolve`
                continue
            status, answer = ask(client, route, {"config": config})
            assert status in (201, 200, 409, 422), (status, answer, config)
            check(opened, answer, config)
            refused += status == 422
        tried += 1
    assert tried > 800
    assert refused > 0.7 * tried


def test_overrides_open_nothing_outside_the_served_folder(
    client: Client, folders: tuple[Path, Path], opened: list[str]
) -> None:
    for place in places():
        for form in forms(f"{folders[1]}/vault.csv"):
            override = f"{'.'.join(place)}={json.dumps(form)}"
            status, answer = ask(client, "sweeps", {"config": BASE, "overrides": [override]})
            assert status in (201, 409, 422), (status, answer, override)
            check(opened, answer, override)


def test_dry_run_process_stays_in_the_folder(
    folders: tuple[Path, Path],
    opened: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    served, outside = folders
    monkeypatch.setattr(sys, "argv", ["dry_run", str(served)])
    for config in (
        put(("axes", "F0"), {"csv": "../outside/vault.csv"}),
        put(("materials", "Pb"), "link.yaml"),
        put(("axes", "material"), {"csv": "cells.csv"}),
        put(("settings", "substrate"), f"{outside}/vault.csv"),
        put(("axes", "damping"), {"csv": "own.csv", "column": SECRET}),
    ):
        config["name"] = "x"
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(config)))
        assert dry_run.main() == 2
        told = capsys.readouterr()
        # The last names the column itself; its cell must not be told.
        check(opened, (told.out + told.err).replace(f"{SECRET!r}", ""), config)


def ask(client: Client, route: str, body: dict[str, Any]) -> tuple[int, str]:
    """Status and text of an answer; a long name keeps one sweep from being in another's way."""
    try:
        return 200, json.dumps(client._json("POST", route, body))
    except RefusedError as error:
        return error.status, error.detail


def test_files_of_the_served_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "mine.yaml").write_text("name: mine\nextends: ../base.yaml\n")
    (tmp_path / "base.yaml").write_text("name: base\nextends: Pb\nspectrum: {file: films/a.a2f, units: meV}\n")
    (tmp_path / "films" / "a.a2f").write_text("\n".join(f"{w} {0.1 * w * (10 - w)}" for w in range(11)))
    (tmp_path / "t.csv").write_text("F0\n0.1\n0.2\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "t.csv")
    given = copy.deepcopy(BASE)
    given["axes"] |= {"material": ["films/mine.yaml"], "F0": {"csv": "link.csv"}}
    plan = resolve(parse(given, folder=str(tmp_path), root=str(tmp_path)))
    assert plan.grid.labels((0,) * 5)["material"] == "mine"
    assert plan.grid.shape[1] == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/etc/passwd", "must be a path inside the served folder"),
        ("../x", "must be a path inside the served folder"),
        (".hidden/x", "no part of it may start with a dot"),
        ("folder", "must be a readable regular file"),
        ("absent", "must be a readable regular file"),
        ("pipe", "must be a readable regular file"),
        ("large", "of at most 16 MiB"),
    ],
)
def test_path_is_checked_when_opened(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST_SERVED + 1)
    files = Files(tmp_path, tmp_path)
    with pytest.raises(RefusedPathError, match=message):
        files.text(files.at(path))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("settings", "substrate"), "/etc/index.csv", r"`settings.substrate`: must be a path inside the served"),
        (("axes", "cover"), [1, "../index.csv"], r"`axes.cover`: must be a path inside the served folder"),
        (("axes", "material"), ["../a.yaml"], r"^`axes.material`: must be a path inside .* Got '../a.yaml'.$"),
        (
            ("materials", "Pb"),
            "bad.yaml",
            r"^`materials.Pb`: the file must contain a material. .* Got 'bad.yaml'.$",
        ),
        (
            ("axes", "F0"),
            {"csv": "bad.csv"},
            r"^`axes.F0.csv`: the file must contain a table with a column of that",
        ),
    ],
)
def test_server_names_the_key_of_a_refused_file(
    tmp_path: Path, place: tuple[str, ...], value: Any, message: str
) -> None:
    for end in ("csv", "yaml"):
        (tmp_path / f"bad.{end}").write_text(f"{SECRET}\n1\n")
    with pytest.raises(ConfigError, match=message) as refused:
        resolve(parse(put(place, value), folder=str(tmp_path), root=str(tmp_path)))
    assert SECRET not in str(refused.value)


def test_setting_from_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n_times\n9\n")
    for spec in ({"csv": "t.csv"}, {"csv": "t.csv", "column": "n_times"}, {"values": [1], "column": "x"}):
        with pytest.raises(ConfigError, match=r"`settings.n_times.c(sv|olumn)`: unknown key"):
            resolve(parse(tree(settings={"n_times": spec}), folder=str(tmp_path)))
    plan = resolve(parse(tree(settings={"energies": {"linspace": [1, 2, 3]}})))
    assert plan.settings.energies == (1.0, 1.5, 2.0)
