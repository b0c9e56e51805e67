"""The reference of keys and the JSON Schemas agree with the declarations, the checks, and the shipped files."""

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from photogap.core.declaration import declarations
from photogap.core.material import Material
from photogap.core.settings import Point, Settings
from photogap.sweeps.ask.config import Config, parse, read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.reference.json_schema import SCHEMAS
from photogap.sweeps.reference.keys import sections
from photogap.sweeps.text import load_yaml

ROOT = Path(__file__).parents[2]
SHIPPED = [
    *(("config", path) for path in sorted((ROOT / "configs").glob("*.yaml"))),
    *(("material", path) for path in sorted((ROOT / "configs" / "materials").glob("*.yaml"))),
    *(("material", path) for path in sorted((ROOT / "core" / "data").glob("*.yaml"))),
    *(("cluster", path) for path in sorted((ROOT / "configs" / "clusters").glob("*.yaml"))),
]
KEYS = [(section, key) for section, keys in sections().items() for key in keys]
BASE: dict[str, Any] = {
    "name": "base",
    "axes": {"material": ["K3C60"], "F0": [0.1], "omega_pump": [170], "T": [30], "tau_esc": [0.02]},
}


def complaints(kind: str, tree: Any) -> list[str]:
    return [e.message for e in jsonschema.Draft7Validator(SCHEMAS[kind]()).iter_errors(tree)]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_schema_in_configs_is_the_present_one(kind: str) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMAS[kind]())
    kept = json.loads((ROOT / "configs" / "schema" / f"{kind}.json").read_text())
    assert kept == SCHEMAS[kind](), f"run: photogap schema {kind} --out configs/schema/{kind}.json"


@pytest.mark.parametrize(("kind", "path"), SHIPPED, ids=[path.stem for _, path in SHIPPED])
def test_a_shipped_file_satisfies_its_schema(kind: str, path: Path) -> None:
    text = path.read_text()
    assert complaints(kind, load_yaml(text, path.name)) == []
    if ROOT / "configs" in path.parents:
        where = text.splitlines()[0].partition("$schema=")[2]
        assert (path.parent / where).resolve() == ROOT / "configs" / "schema" / f"{kind}.json"


@pytest.mark.parametrize("path", [path for kind, path in SHIPPED if kind == "config"], ids=lambda path: path.stem)
def test_the_large_sweep_of_a_config_resolves(path: Path) -> None:
    if "full" in load_yaml(path.read_text(), path.name):
        assert resolve(read(path, full=True)).grid.size > 1


@pytest.mark.parametrize(
    "change",
    [
        {"nam": "x"},
        {"zip": [["T"]]},
        {"preset": "papers"},
        {"limits": {"losses": -1}},
        {"refine": {"variable": "Delta0_peak", "axis": "F0"}},
        {"refine": {"variable": "Delta0_peak", "axis": "F0", "tolerance": 1, "scale": "square"}},
        {"settings": {"dampin": "full"}},
        {"settings": {"damping": "half"}},
        {"settings": {"n_times": 1}},
        {"settings": {"phonon_share": 1.5}},
        {"settings": {"energies": [-1.0]}},
        {"axes": {**BASE["axes"], "F00": [1]}},
        {"axes": {**BASE["axes"], "F0": [-1]}},
        {"axes": {**BASE["axes"], "F0": {"geomspace": [1, 2]}}},
        {"axes": {**BASE["axes"], "F0": {"logspace": [1, 2, 3]}}},
        {"axes": {**BASE["axes"], "F0": {"values": [1], "units": "eV"}}},
        {"axes": {**BASE["axes"], "n_times": [53]}},
        {"axes": {"material": ["Pb"]}},
    ],
    ids=str,
)
def test_the_schema_refuses_only_what_a_run_refuses(change: dict[str, Any]) -> None:
    assert complaints("config", BASE) == []
    assert complaints("config", {**BASE, **change})
    with pytest.raises(ConfigError):
        resolve(parse({**BASE, **change}))


def test_the_schema_leaves_the_settings_of_another_model_alone() -> None:
    assert complaints("config", {**BASE, "model": "mine", "settings": {"anything": 1}}) == []


@pytest.mark.parametrize("owner", [Point, Settings, Material])
def test_limits_of_a_rule_follow_from_it(owner: Any) -> None:
    for name, found in declarations(owner).items():
        if found.rule is None or not found.rule.limits:
            continue
        for value in (-1.0, 0.0, 0.5, 1.0, 1.5, 7.0, math.inf):
            try:
                jsonschema.validate(value, dict(found.rule.limits))
            except jsonschema.ValidationError:
                with pytest.raises(ValueError, match=name):
                    found.refuse(name, value)


def test_each_key_has_a_meaning_and_a_kind() -> None:
    assert [f"{section}.{key.name}" for section, key in KEYS if len(key.meaning) <= 5 or not key.kind] == []


def test_the_reference_has_every_field() -> None:
    rows = {section: {key.name for key in keys} for section, keys in sections().items()}
    assert rows["settings"] == set(declarations(Settings))
    assert rows["config"] == (Config.model_fields.keys() | {"full"}) - {"folder", "root"}


APART = ({"pump_shape"}, {"pump_rate", "energy_match"}, {"accuracy"})
"""Settings whose examples exclude those of others."""
TOGETHER = {key.name for key in sections()["settings"]} - set().union(*APART)


def with_examples(names: Any) -> Any:
    """Config in which each of these settings, and all other keys, have their examples."""
    rows = sections()
    tree = {key.name: key.example for key in rows["config"] if key.name not in ("model", "cluster", "materials")}
    tree |= {"axes": {key.name: [key.example] for key in rows["axes"]}, "zip": [["omega_pump", "T"]]}
    tree |= {"settings": {key.name: key.example for key in rows["settings"] if key.name in names}}
    tree |= {section: {key.name: key.example for key in rows[section]} for section in ("refine", "limits")}
    return json.loads(json.dumps(tree | {"preset": None, "plot": {"hue": "T"}}))


@pytest.mark.parametrize("names", [TOGETHER, *APART], ids=["together", *(min(names) for names in APART)])
def test_the_examples_are_accepted(names: Any) -> None:
    tree = with_examples(names)
    assert complaints("config", tree) == []
    assert resolve(parse(tree)).grid.size == 1


def test_every_axis_and_setting_has_an_example() -> None:
    rows = sections()
    assert [key.name for key in (*rows["axes"], *rows["settings"]) if key.example is None] == []


def test_settings_describes_one_key() -> None:
    told = " ".join(CliRunner().invoke(app, ["settings", "zip"]).stdout.split())
    assert "advance together" in told
    assert "zip: [[omega_pump, T]]" in told
    (row,) = json.loads(CliRunner().invoke(app, ["settings", "refine.budget", "--json"]).stdout)
    assert (row["type"], row["default"], row["values"]) == ("whole number", 20, "above 0, at most 100,000")
    wrong = CliRunner().invoke(app, ["settings", "refine.budge"])
    assert wrong.exit_code == 2
    assert "`refine.budget`" in wrong.stderr


def test_schema_is_printed_or_written(tmp_path: Path) -> None:
    assert json.loads(CliRunner().invoke(app, ["schema"]).stdout) == SCHEMAS["config"]()
    out = tmp_path / "here" / "cluster.json"
    assert "$schema=" in CliRunner().invoke(app, ["schema", "cluster", "--out", str(out)]).stdout
    assert json.loads(out.read_text()) == SCHEMAS["cluster"]()
