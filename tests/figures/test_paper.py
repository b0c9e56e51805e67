"""The table of the paper's numbers: rows, materials and documents quote as the paper's only what stands in it."""

import re
from pathlib import Path

import pytest
import yaml

from photogap.sweeps.reproduction.page import PICTURES
from photogap.sweeps.reproduction.paper import facts, numbers_in, places, value, without_places
from photogap.sweeps.reproduction.statements import STATEMENTS

ROOT = Path(__file__).parents[2]
ALL = {number for fact in facts().values() for number in fact.stated()}
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "REPRODUCTION.md", *ROOT.glob("docs/*.md"), *ROOT.glob("configs/**/*.yaml")]
)


def test_the_table_has_a_place_for_everything():
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
        ValueError, match=r"`LaH10_depth_change.change` of paper.yaml must hold a number. Got 'at most"
    ):
        value("LaH10_depth_change", "change")


def test_numbers_of_names_and_places_are_none():
    text = "K3C60 at 30 K, F0 = 5e-7 mJ/cm2, Fig. 7a, Eqs. (4, 5), section II.1, Table 1; alpha2F, lah10_depth.yaml"
    assert numbers_in(text) == {30.0, 5e-7}


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: row.statement[:40])
def test_a_row_quotes_what_its_entries_state(row):
    if not row.paper:
        return
    stated = {number for key in row.paper for number in facts()[key].stated()}
    assert numbers_in(row.statement) <= stated
    assert places(row.paper)


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
        text = "\n".join(line.split("#", 1)[1] for line in text.splitlines() if "#" in line)
        text = re.sub(r"^ *photogap .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"```.*?```|\$`.*?`\$|`[^`]*`|\]\([^)]*\)", " ", text, flags=re.DOTALL)
    text = without_places(text)
    return re.split(r"(?<=[.:;|])\s+|\n\s*\n|\|", text)
