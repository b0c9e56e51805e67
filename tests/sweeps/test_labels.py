"""What a user types for a label: one reading for every front end."""

import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.lookup import find
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.ask.selector import pairs, position, positions
from photogap.sweeps.cli.base import parse_at
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.figures import pictures
from photogap.sweeps.figures.selection import select
from photogap.sweeps.server.slices import chosen
from support.fake_config import tree

INFINITE = (".inf", "inf", "+.inf", "Infinity", "∞", ".Inf")


def test_one_text_or_several_name_a_point() -> None:
    assert pairs(["T=30,F0=1"], "at") == pairs(["T=30", "F0 = 1"], "at") == {"T": "30", "F0": "1"}
    assert pairs(["T=30,60,F0=1"], "at") == {"T": "30,60", "F0": "1"}
    assert pairs(["fault="], "at") == {"fault": ""}
    assert parse_at(["tau_esc=.inf,T=4"]) == {"tau_esc": ".inf", "T": "4"}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["T"], r"`--at` must be NAME=VALUE, such as T=30 or T=30,F0=1. Got 'T'"),
        (["=3"], r"`--at` must be NAME=VALUE"),
        (["T=1", "T=2"], r"`--at` may give T only once. Got it again in 'T=2'"),
        (["T=1,T=2"], r"`--at` may give T only once"),
    ],
)
def test_texts_of_another_form(texts: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        pairs(texts, "--at")


@pytest.mark.parametrize(
    ("labels", "wanted", "where"),
    [
        ([0.1, 0.30000000000000004], "0.3", 1),
        ([1.0, 1.000005], "1.000005", 1),
        ([1.000005, 1.0], 1, 1),
        ([0.0, 1.0], "0", 0),
        ([True, False], "false", 1),
        ([False, True], True, 1),
        (["Pb", "K3C60"], "k3c60", 1),
        (["1.5", "diamond"], "1.5", 0),
        *(([0.05, math.inf], text, 1) for text in INFINITE),
        ([0.05, math.inf], math.inf, 1),
        (["", "raise"], "", 0),
    ],
)
def test_nearest_label_is_taken(labels: list[Any], wanted: Any, where: int) -> None:
    assert position(labels, wanted, "x", "at") == where


@pytest.mark.parametrize("wanted", ["0.31", "nan", "x", "True", True])
def test_no_such_label(wanted: Any) -> None:
    with pytest.raises(ConfigError, match=r"`at T` must be one of 0.3, 1. Got "):
        position([0.3, 1.0], wanted, "T", "at")


def test_several_labels_keep_the_axis_and_a_label_with_a_comma_is_one() -> None:
    assert positions([30.0, 60.0, 90.0], "30,90", "T", "at") == [0, 2]
    assert positions([30.0, 60.0], [60], "T", "at") == [1]
    assert positions(["a,b", "a", "b"], "a,b", "name", "at") == 0


@pytest.mark.parametrize("text", INFINITE)
def test_every_front_end_reads_an_infinite_escape_time(text: str) -> None:
    plan = resolve(parse(tree({"tau_esc": [0.02, math.inf], "F0": [1.0, 3.0]})))
    assert find(plan, f"tau_esc={text},F0=3") == (0, 1, 0, 0, 1)
    labels = {"tau_esc": [0.02, math.inf], "F0": [1.0, 3.0]}
    ds = xr.Dataset({"y": (("tau_esc", "F0"), np.arange(4.0).reshape(2, 2))}, labels)
    at = parse_at([f"tau_esc={text},F0=3"])
    assert float(select(ds, at)["y"]) == 3.0
    assert float(pictures.select(ds["y"], at, [])) == 3.0
    found = ds
    for name, wanted in at.items():
        found = chosen(found, name, wanted)
    assert float(found["y"]) == 3.0
