"""A setting states itself once: cubes, figures, checks and the plan read that declaration."""

import dataclasses
import itertools
import json
import math
import re
import typing
from typing import Any

import pytest
from typer.testing import CliRunner

from photogap.core.declaration import (
    NOT_NEGATIVE_OR_INFINITE,
    POSITIVE_OR_INFINITE,
    Joint,
    check_fields,
    choices,
    declarations,
    declare,
    described,
    whole,
)
from photogap.core.material import Material
from photogap.core.quantities import AXES
from photogap.core.settings import Point, Settings
from photogap.core.settings_rules import SETTINGS_RULES
from photogap.core.simulate import RULES
from photogap.core.units import printed, typed
from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.figures import style
from photogap.sweeps.materials.library import load
from photogap.sweeps.model import resolve as model_of


@pytest.mark.parametrize("owner", [Point, Settings])
def test_every_field_declares_itself(owner: Any) -> None:
    fields = [f.name for f in dataclasses.fields(owner)]
    assert list(declarations(owner)) == fields
    for name, found in declarations(owner).items():
        assert found.doc.endswith(".")
        assert found.long_name
        assert f"    {name}: {found.doc}" in str(owner.__doc__)
        hint = typing.get_type_hints(owner)[name]
        numeric = hint in (float, int, float | None, int | None, tuple[float, ...])
        assert (found.rule is not None) or not numeric, name


def test_labels_and_units_of_cubes_and_figures_are_the_declarations() -> None:
    plan = resolve(parse({"name": "a", "axes": {"material": ["Pb"], "F0": [1], "T": [4], "tau_esc": [1]}}))
    for name, found in {**declarations(Settings), **AXES}.items():
        assert (plan.units(name), plan.long_name(name)) == (found.unit, found.long_name)
        assert style.symbol(name) == (found.symbol or name.replace("_", " "))


@pytest.mark.parametrize("name", [n for n, d in declarations(Settings).items() if d.rule])
def test_a_broken_rule_names_key_rule_unit_and_value(name: str) -> None:
    found, optional = declarations(Settings)[name], Settings.__dataclass_fields__[name].default is None
    bad = next(v for v in (-1.0, math.nan, (2.0, 1.0)) if not _keeps(found, v))
    with pytest.raises(ValueError, match=rf"^`{name}` must be ") as refused:
        Settings(**{name: bad})
    assert f"Got {bad!r}." in str(refused.value)
    assert found.unit == "1" or f"in {typed(found.unit)}" in str(refused.value)
    if optional:
        Settings(**{name: None})


NUMBERS = [
    (owner, name)
    for owner in (Point, Settings, Material)
    for name in declarations(owner)
    if typing.get_type_hints(owner)[name] in (float, float | None)
]


@pytest.mark.parametrize(("owner", "name"), NUMBERS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_is_finite_unless_its_rule_allows_infinity(owner: Any, name: str, bad: float) -> None:
    found = declarations(owner)[name]
    if found.rule in (POSITIVE_OR_INFINITE, NOT_NEGATIVE_OR_INFINITE) and bad == math.inf:
        found.refuse(name, bad)
        return
    unit = f", in {re.escape(typed(found.unit))}" if found.unit != "1" else ""
    with pytest.raises(ValueError, match=rf"^`{name}` must be [a-z0-9 ,]+?{unit}(; .*)?\. Got {bad!r}\.$"):
        found.refuse(name, bad)


def _keeps(found: Any, value: Any) -> bool:
    try:
        found.refuse("x", value)
    except ValueError:
        return False
    return True


def test_words_are_those_of_the_type() -> None:
    assert choices(Settings, "damping") == ("full", "real")
    with pytest.raises(ValueError, match=r"^`damping` must be one of full, real. Got 'half'.$"):
        Settings(damping="half")  # type: ignore[arg-type]


class Watched:
    """Stands for a point or settings and notes what is read of it."""

    def __init__(self, real: Any, seen: set[str]) -> None:
        self._real, self._seen = real, seen

    def __getattr__(self, name: str) -> Any:
        self._seen.add(name)
        return getattr(self._real, name)


@pytest.mark.parametrize("rule", [*SETTINGS_RULES, *RULES], ids=lambda rule: "+".join(rule.of))
def test_a_rule_reads_only_what_it_names(rule: Joint) -> None:
    """Under settings that switch everything on, so that no early return hides what it reads."""
    point = Point(material=load("K3C60"), F0=1.0, omega_pump=170.0, T=30.0, tau_esc=1.0)
    on = {"slabs": 2, "thickness": 50.0, "omega_probe": 5.0, "energies": (1.0,), "frequencies": (1.0,)}
    seen: set[str] = set()
    for more in (
        {},
        {"phonon_share": 0.5},
        {"phonon_velocity": 1.0},
        {"depth_profile": True},
        {"omega_probe": None},
    ):
        given: list[Any] = [Watched(Settings(**(on | more)), seen)]
        if rule not in SETTINGS_RULES:
            given = [Watched(point, seen), *given]
        rule.refuse(*given)
    assert seen <= {*rule.of}


def test_rules_are_those_of_core() -> None:
    model = model_of("photogap.sweeps.solver:MODEL")
    assert [rule.of for rule in model.rules] == [rule.of for rule in (*SETTINGS_RULES, *RULES)]


PB = {"material": ["K3C60"], "F0": [1.0], "T": [30.0], "tau_esc": [1.0]}


@pytest.mark.parametrize(
    ("axes", "settings", "message"),
    [
        (
            {"spacing": [4.0, 0.25], "phonon_share": [0.0, 0.5], "omega_pump": [198.0]},
            {"tau_pump": 3.0},
            "`axes.spacing and axes.phonon_share`: `phonon_share` above 0 needs phonons at",
        ),
        (
            {"slabs": [2, 1], "depth_profile": [False, True]},
            {"thickness": 50.0},
            "`axes.slabs and axes.depth_profile`",
        ),
        ({"window": [600.0, 100.0]}, {}, "`axes.window`: `window` must exceed the highest phonon energy of K3C60"),
        ({"spacing": [0.25, 60.0]}, {}, "`axes.spacing`: `spacing` must resolve the spectrum"),
        ({"spacing": [0.25, 1e-6]}, {}, "`axes.spacing`: `spacing` must be at least `window` / 200000"),
    ],
)
def test_rule_broken_by_one_combination_is_found_before_the_first_task(
    axes: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(parse({"name": "a", "axes": PB | axes, "settings": settings}))


def test_core_accepts_every_accepted_plan() -> None:
    """Every combination of axes that rules bind: those a plan lets through can be made and checked."""
    values = {
        "spacing": [0.25, 4.0], "phonon_share": [0.0, 0.5], "omega_pump": [5.0, 230.0], "tau_pump": [0.1, 3.0],
        "slabs": [1, 2], "thickness": [50.0, math.inf], "omega_probe": [1.0, 30.0],
    }  # fmt: skip
    refused = 0
    for a, b in itertools.combinations(values, 2):
        axes = PB | {a: values[a], b: values[b]}
        try:
            plan = resolve(parse({"name": "a", "axes": axes}))
        except ConfigError:
            refused += 1
            continue
        for index in plan.grid.indices():
            labels = plan.grid.labels(index)
            point, settings = plan.point(labels), plan.settings_at(labels)
            for rule in RULES:
                rule.refuse(point, settings)
    assert 0 < refused < 21


def test_declarations_of_a_custom_dataclass() -> None:
    @described
    @dataclasses.dataclass(frozen=True)
    class Mine:
        """My settings."""

        count: int = dataclasses.field(
            default=1, metadata=declare("How many.", long_name="count", unit="nm", rule=whole(1), remedy="add one")
        )

        def __post_init__(self) -> None:
            check_fields(self)

    assert str(Mine.__doc__).endswith("count: How many. In nm.")
    with pytest.raises(ValueError, match=r"^`count` must be a whole number, at least 1, in nm; add one. Got 0.$"):
        Mine(count=0)


@pytest.mark.parametrize(
    ("unit", "keyboard", "paper"),
    [
        ("mJ cm^-2", "mJ/cm^2", "mJ/cm²"),
        ("mJ cm-2", "mJ/cm^2", "mJ/cm²"),
        ("meV nm^-3", "meV/nm^3", "meV/nm³"),
        ("meV nm-3", "meV/nm^3", "meV/nm³"),
        ("ohm^-1 nm^-1", "1/(ohm nm)", "1/(Ω nm)"),
        ("ps-1", "1/ps", "1/ps"),
        ("nm ps-1", "nm/ps", "nm/ps"),
        ("ohm-1 nm-1", "1/(ohm nm)", "1/(Ω nm)"),
        ("1", "", ""),
        ("", "", ""),
        ("arb. u.", "arb. u.", "arb. u."),
    ],
)
def test_units_as_users_write_them(unit: str, keyboard: str, paper: str) -> None:
    assert (typed(unit), printed(unit)) == (keyboard, paper)


def test_the_command_lists_what_is_declared() -> None:
    found = CliRunner().invoke(app, ["settings", "--json"])
    rows = {row["name"]: row for row in json.loads(found.stdout)}
    assert list(rows) == [*AXES, *declarations(Settings)]
    assert rows["omega_probe"]["outputs"][:2] == ["sigma1", "sigma2"]
    assert (rows["tau_pump"]["unit"], rows["tau_pump"]["default"]) == ("ps", None)
    assert rows["damping"]["values"] == "full | real"
    assert not rows["n_times"]["may_be_an_axis"]
    one = CliRunner().invoke(app, ["settings", "thickness"])
    assert "Film thickness" in " ".join(one.stdout.split())
    wrong = CliRunner().invoke(app, ["settings", "thicknes"])
    assert wrong.exit_code == 2
