"""Identities hold: over time (golden file), on every processor, and down to the last bit of a float."""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photogap.core.spectra import Spectrum
from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.identity import digest
from photogap.sweeps.ask.plan import Plan, resolve
from photogap.sweeps.materials.library import load
from photogap.sweeps.materials.media import load as load_medium
from support.fake_config import tree
from support.fake_model import MODEL, Settings
from support.identities import CONFIGS, golden_file, identities, plan_of, stored_record


@pytest.fixture(scope="module")
def golden() -> Any:
    path = golden_file(plan_of("plain"))
    assert path.exists(), "a new MODEL_VERSION has no golden file: run `python tests/support/identities.py`"
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", CONFIGS)
def test_points_keep_their_identities(golden: Any, name: str) -> None:
    if name not in golden["points"]:
        pytest.skip("joined after this version's file was written")
    assert identities(plan_of(name)) == golden["points"][name]


def test_a_store_keeps_its_record(golden: Any, tmp_path: Path) -> None:
    assert list(lacking(golden["record"], stored_record("named media", tmp_path))) == []


def lacking(golden: Any, now: Any, place: str = "") -> Any:
    """Places of the golden record that are not as they were; new keys are welcome."""
    if isinstance(golden, dict) and isinstance(now, dict):
        for k, value in golden.items():
            yield from lacking(value, now.get(k), f"{place}.{k}")
    elif golden != now:
        yield f"{place}: {golden!r} -> {now!r}"


def next_float(x: float) -> float:
    return math.nextafter(x, math.inf)


def with_label(x: float) -> Any:
    plan = resolve(parse(tree({"F0": [x]})))
    return plan.point_id(plan.grid.labels((0,) * len(plan.grid.axes)))


def with_setting(x: float) -> Any:
    plan = resolve(parse(tree(settings={"rtol": x})))
    return plan.point_id(plan.grid.labels((0,) * len(plan.grid.axes)))


def with_material(x: float) -> Any:
    return digest(dataclasses.replace(load("Pb"), rho_N=x))


def with_column(x: float) -> Any:
    return digest(Spectrum.from_columns(np.arange(9.0), [0, 1, 2, x, 3, 2, 1, 1, 0], units="meV"))


def with_index(x: float) -> Any:
    medium: Any = load_medium("diamond")
    table = medium.parts[0]
    return digest(dataclasses.replace(medium, parts=(dataclasses.replace(table, n=(x, *table.n[1:])),)))


@pytest.mark.parametrize("identity", [with_label, with_setting, with_material, with_column, with_index])
def test_the_last_bit_of_a_number_makes_another_identity(identity: Callable[[float], Any]) -> None:
    for x in (0.1 + 0.2, 1 / 3, 1.0):
        assert identity(x) == identity(x) != identity(next_float(x))


@pytest.mark.parametrize("name", ["Pb", "K3C60", "LaH10", "CaC6"])
def test_a_material_has_one_identity_on_every_processor(name: str) -> None:
    """`exp` and sums differ in their last bits between processors: the digest goes by what they were made from."""
    material, elsewhere = load(name), load(name)
    assert material.spectrum.stated
    for key in ("omega", "alpha2F", "F"):
        moved = np.nextafter(getattr(elsewhere.spectrum, key), np.inf)
        object.__setattr__(elsewhere.spectrum, key, moved)
    assert digest(elsewhere) == digest(material)


def test_spectrum_with_other_arrays_is_different() -> None:
    spectrum = load("Pb").spectrum
    other = dataclasses.replace(spectrum, F=1.0 * spectrum.F)
    assert other.stated == {}
    assert len({digest(spectrum), digest(other), digest(spectrum.scaled(1.1)), digest(spectrum.scaled(1.2))}) == 4
    phonons = [spectrum.with_phonons([0, x, 50], [0, 1, 1]) for x in (1.0, 2.0)]
    assert digest(phonons[0]) != digest(phonons[1])


@dataclasses.dataclass(frozen=True, kw_only=True)
class MoreSettings(Settings):
    extra: float = dataclasses.field(default=1.0, metadata={"later": True})


def test_setting_added_later_keeps_identities() -> None:
    def ids(plan: Plan) -> set[str]:
        return set(identities(plan).values())

    def with_extra(**settings: float) -> Plan:
        plan = resolve(parse(tree()))
        more: Any = MoreSettings(**settings)
        return dataclasses.replace(plan, model=dataclasses.replace(MODEL, settings=MoreSettings), settings=more)

    before = resolve(parse(tree()))
    assert with_extra().base == with_extra(extra=1.0).base == before.base
    assert ids(with_extra()) == ids(before)
    assert not ids(with_extra(extra=2.0)) & ids(before)
