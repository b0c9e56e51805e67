"""The table of the paper's numbers: rows, materials and documents quote as the paper's only what stands in it."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from photogap.sweeps.reproduction.page import PICTURES
from photogap.sweeps.reproduction.paper import facts, numbers_in, places, quantities_in, value, without_places
from photogap.sweeps.reproduction.statements import STATEMENTS

ROOT = Path(__file__).parents[2]
ALL = {number for fact in facts().values() for number in fact.stated()}
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "REPRODUCTION.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("configs/**/*.yaml"),
        *ROOT.glob("core/data/*.yaml"),
    ]
)


def test_every_table_entry_has_a_place():
    assert len(facts()) > 50
    for fact in facts().values():
        assert re.search(r"text|supplement|Fig|Table|abstract", fact.place), fact
        assert fact.says


@pytest.mark.parametrize(
    ("key", "name", "expected"),
    [
        ("Pb_setup", "omega_pump", 1500.0),
        ("Pb_setup", "F0", 5e-7),
        ("LaH10_escape", "at 2.6 mJ/cm2", 0.05),
        ("Pb_tail", "decay", 3000.0),
        ("threshold", "F0", 1.0),
    ],
)
def test_numbers_come_in_our_units(key, name, expected):
    assert value(key, name) == pytest.approx(expected)


def test_a_qualitative_entry_has_no_value():
    with pytest.raises(
        ValueError, match=r"`LaH10_depth_change.change` of paper.yaml must contain a number. Got 'at most"
    ):
        value("LaH10_depth_change", "change")


def test_numbers_in_names_and_places_are_ignored():
    """A number cannot be hidden by its unit, a range, a ratio or a sign."""
    hidden = "30K, 20-200 meV, 1/3, F0=5, -7 ps; K3C60, mJ/cm2, nm-3, eV-1, 10^-8"
    assert numbers_in(hidden) == {30.0, 20.0, 200.0, 1.0, 3.0, 5.0, 7.0, 10.0}
    text = "K3C60 at 30 K, F0 = 5e-7 mJ/cm2, Fig. 7a, Eqs. (4, 5), section II.1, Table 1; alpha2F, lah10_depth.yaml"
    assert numbers_in(text) == {30.0, 5e-7}


def test_quantities_carry_their_units():
    text = "of Pb 8, LaH10 250 and K3C60 15 K; 1.5 eV, 30 and 60 K, 50 or 70 fs, 2-4 nm, twice 3, a few 5 angstroms"
    assert quantities_in(text) == {
        (8.0, "K"), (250.0, "K"), (15.0, "K"), (1500.0, "meV"), (30.0, "K"), (60.0, "K"), (0.05, "ps"),
        (0.07, "ps"), (2.0, "nm"), (4.0, "nm"), (3.0, ""), (0.5, "nm"),
    }  # fmt: skip


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: row.statement[:40])
def test_a_row_quotes_what_its_entries_state(row):
    """Number and unit: 5 mJ/cm2 is not found in an entry that has 5 meV."""
    if not row.paper:
        return
    assert _unfounded(row) == set()
    assert places(row.paper)


def _unfounded(row):
    stated = {number for key in row.paper for number in facts()[key].stated()}
    quantities = {quantity for key in row.paper for quantity in facts()[key].quantities()}
    return {q for q in quantities_in(row.statement) if q not in quantities and (q[1] or q[0] not in stated)}


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("5 mJ/cm2", "5 meV"),
        ("5 mJ/cm2", "6 mJ/cm2"),
        ("7 meV", "7eV"),
        ("170 meV", "150-170 meV"),
        ("30 K", "30K, 60K"),
    ],
)
def test_row_with_another_number_is_detected(was, now):
    row = next(row for row in STATEMENTS if "K3C60_saturation" in row.paper)
    assert was in row.statement
    assert _unfounded(dataclasses.replace(row, statement=row.statement.replace(was, now)))


def test_every_picture_points_to_the_table():
    assert {key for picture in PICTURES for key in picture.paper} <= facts().keys()


@pytest.mark.parametrize("name", ["pb", "lah10", "k3c60", "cac6"])
def test_provenance_of_materials(name):
    """A number whose source is a place of the paper stands in an entry of that place."""
    tree = yaml.safe_load((ROOT / f"core/data/{name}.yaml").read_text())
    entries = [e for e in (*tree.values(), *tree["paper"].values()) if isinstance(e, dict) and "value" in e]
    from_paper = [e for e in entries if str(e.get("source", "")).startswith("arXiv:2603.18182, ")]
    assert len(from_paper) >= 5
    for entry in from_paper:
        names = re.findall(r"Table 1|Figs?\. [\da-d]+|section [IV.\d]+\d|section [IV]+", entry["source"])
        here = [f for f in facts().values() if any(_meets(n, f.place) for n in names)]
        stated = {number for f in here for number in f.stated()}
        values = entry["value"] if isinstance(entry["value"], list) else [entry["value"]]
        assert {float(v) for v in values} <= stated, entry


def _meets(place, places_of_fact):
    figure = re.search(r"[\da-dIV.]+$", place)
    assert figure
    return bool(re.search(rf"{re.escape(figure[0])}(?![\dIV])", places_of_fact))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_quote_the_table(path):
    """A sentence that speaks of the paper holds the table's numbers, and ours after the word `here`."""
    for sentence in _sentences(path):
        if re.search(r"\bpaper's\b|\bpaper\b", sentence, re.IGNORECASE):
            assert numbers_in(re.split(r"\bhere\b", sentence)[0]) <= ALL, sentence


def _sentences(path):
    text = path.read_text()
    if path.suffix == ".yaml":
        sources = re.findall(r'source: "([^"]*)"', text) if path.parent.name == "data" else []
        text = "\n".join(line.split("#", 1)[1] for line in text.splitlines() if "#" in line)
        text = "\n\n".join([text, *sources])
        text = re.sub(r"^ *photogap .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"```.*?```|\$`.*?`\$|`[^`]*`|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    text = without_places(text)
    return re.split(r"(?<=[.:;|])\s+|\n\s*\n|\|", text)
