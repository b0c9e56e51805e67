"""A cube that others may have written runs none of their code: its model and its cluster are not followed."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.drive.sweep import plan_of, replay, retry, run
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.model import DEFAULT
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.place import Place, place
from photogap.sweeps.store.seal import sealed
from support.fake_config import tree


@pytest.fixture
def cube(tmp_path: Path) -> Place:
    """A finished cube of the fake model."""
    found = place(tmp_path / "cube.zarr")
    run(resolve(parse(tree())), found, workers=0)
    return found


def rewrite(cube: Place, **config: Any) -> None:
    """Change the config in a cube's record and seal it again, as anyone who may write it can."""
    path = cube.path / "zarr.json"
    found = json.loads(path.read_text())
    record = found["attributes"]["photogap"]
    text = isinstance(record, str)
    record = json.loads(record) if text else record
    record["config"] |= config
    found["attributes"]["photogap"] = json.dumps(record) if text else record
    path.write_bytes(sealed(json.dumps(found).encode()))


@pytest.mark.parametrize("writable", ["zarr.json", "."])
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model": "planted_model:MODEL"}, "the model 'planted_model:MODEL'"),
        ({"model": DEFAULT, "cluster": "tcp://127.0.0.1:1"}, "the cluster 'tcp://127.0.0.1:1'"),
        ({"model": DEFAULT, "cluster": "planted.yaml"}, "the cluster 'planted.yaml'"),
        ({"model": DEFAULT, "cluster": "slurm"}, "the cluster 'slurm'"),
    ],
)
def test_cube_that_others_may_write_is_refused(
    cube: Place, change: dict[str, str], named: str, writable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = cube.path.parent / "planted_model.py"
    planted.write_text(f"open({str(planted)!r} + '.ran', 'w').close()\n")
    monkeypatch.syspath_prepend(str(planted.parent))
    rewrite(cube, **change)
    path = cube.path / writable
    path.chmod(path.stat().st_mode | 0o002)
    for ask in (retry, lambda c: replay(c, "T=30"), lambda c: plan_of(Cube(c, read_only=True))):
        with pytest.raises(ConfigError, match=rf"names {named}, which would run code, .*everyone.*--trust"):
            ask(cube)
    for command in (["retry", "--failed"], ["replay"], ["converge"]):
        args = [command[0], cube.url, *command[1:], *([] if command[0] == "retry" else ["F0=0.1"])]
        said = CliRunner().invoke(app, args)
        assert said.exit_code == 2, said.output
    assert not Path(f"{planted}.ran").exists()
    assert "planted_model" not in sys.modules


def test_trust_allows_a_cube_that_others_may_write(cube: Place) -> None:
    (cube.path / "zarr.json").chmod(0o666)
    with pytest.raises(ConfigError, match="--trust"):
        replay(cube, "F0=0.1")
    assert replay(cube, "F0=0.1", trust=True)[0]["status"] == "ok"
    assert retry(cube, workers=0, trust=True).counts.failed == 0


def test_own_cube_may_name_model_and_cluster(cube: Place) -> None:
    assert replay(cube, "F0=0.1")[0]["status"] == "ok"


def test_built_in_model_is_accepted_in_any_cube(tmp_path: Path) -> None:
    axes = {"material": ["Pb"], "F0": [0.01], "omega_pump": [170], "T": [4], "tau_esc": [0.1]}
    found = place(tmp_path / "cube.zarr")
    plan = resolve(parse({"name": "x", "axes": axes}))
    from photogap.sweeps.drive.sweep import prepare

    prepare(plan, found)
    (found.path / "zarr.json").chmod(0o666)
    assert plan_of(Cube(found, read_only=True)).grid.size == 1


def test_store_of_unknown_owner_is_refused() -> None:
    from photogap.sweeps.clusters.trust import refuse_foreign

    bucket = Place("s3://bucket/cube.zarr")
    with pytest.raises(ConfigError, match="an object store does not say who wrote it"):
        refuse_foreign(bucket, parse(tree()))
    refuse_foreign(bucket, parse(tree(model=DEFAULT)))


@pytest.mark.parametrize("command", [["status"], ["show"], ["verify"]])
def test_no_text_of_a_cube_controls_the_terminal(
    cube: Place, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An escape sequence could set the terminal's title or its clipboard."""
    monkeypatch.setattr("photogap.sweeps.cli.base.OUT._color_system", None)
    evil = "a\x1b]0;title\x07\x9b31mb"
    found = Cube(cube)
    for name, text in (("message", evil), ("status", "error"), ("host", evil), ("point_id", evil)):
        found.array(name)[...] = text
    rewrite(cube, name=evil)
    told = CliRunner().invoke(app, [command[0], cube.url])
    assert not isinstance(told.exception, Exception), told.output
    assert not set(told.output) & set("\x1b\x07\x9b")
    assert "\N{REPLACEMENT CHARACTER}" in told.output or command != ["status"]
