"""Numbers and statements of arXiv:2603.18182 with their places: the table `paper.yaml`."""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ..text import load_yaml

_NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"
_ALONE = re.compile(rf"(?<![\w.])(?<![A-Za-z^]-)(?<!\^){_NUMBER}(?!\d)")
"""A number that no letter leads: K3C60, F0, mJ/cm2, nm-3 and file_1.yaml hold none, 30K and 2-4 ps hold all."""
_UNITS = (
    "mJ/cm2",
    "ohm nm",
    "meV",
    "eV",
    "K",
    "ps",
    "fs",
    "ns",
    "nm",
    "GPa",
    "angstroms",
    "angstrom",
    "s",
    "Ry",
    "%",
)
_ITEM = re.compile(
    rf"(?P<number>{_ALONE.pattern})\s*(?:(?P<unit>{'|'.join(map(re.escape, _UNITS))})(?![\w/-])|"
    rf"(?P<list>,|and|or|to|-)(?=\s*(?:and |or |about |[A-Z]\w* )?{_NUMBER}))?"
)
_PLACE = re.compile(
    r"arXiv:\d+\.\d+(?:v\d+)?|N\(0\)|(?:Phys\. Rev\. [A-Z]\w*\.?|PR[A-Z]|Nature) \d+, \d+ \(\d+\)|"
    r"(?:Figs?\.|Eqs?\.|Refs?\.|Tables?|sections?|supplement) "
    r"\(?[\dIVX][\dIVX.]*[a-d]?(?:(?:, | and |-)\d+[a-d]?)*\)?"
)
_QUANTITY = re.compile(rf"(?:^|\s)({_NUMBER})(?:\s+(\S+))?")
_OURS = {"eV": 1e3, "fs": 1e-3, "ns": 1e3, "angstrom": 0.1, "angstroms": 0.1}
"""One unit of the paper in the package's (meV, ps, nm), where they differ."""
_INTO = {"eV": "meV", "fs": "ps", "ns": "ps", "angstrom": "nm", "angstroms": "nm"}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A statement of the paper.

    Args:
        key: Its name in the table.
        place: Figure, equation, table or section.
        says: The statement in short.
        numbers: Its numbers by name, each with qualifier and unit as the paper gives them.
    """

    key: str
    place: str
    says: str
    numbers: dict[str, str]

    def value(self, name: str) -> float:
        """A number in the package's units: meV, ps, nm, else the paper's own."""
        found = _QUANTITY.search(self.numbers[name])
        if found is None:
            raise ValueError(
                f"`{self.key}.{name}` of paper.yaml must contain a number. Got {self.numbers[name]!r}."
            )
        return float(found[1]) * _OURS.get(found[2] or "", 1.0)

    def stated(self) -> set[float]:
        """All numbers of the entry, in the paper's units and in the package's."""
        text = " ; ".join([self.says, *self.numbers, *self.numbers.values()])
        with_number = [name for name, text in self.numbers.items() if _QUANTITY.search(text)]
        return numbers_in(text) | {self.value(name) for name in with_number}

    def quantities(self) -> set[tuple[float, str]]:
        """Every number of the entry with its unit, in the package's; the unit of a bare number is empty."""
        return quantities_in(" ; ".join([self.says, *self.numbers, *self.numbers.values()]))


@functools.cache
def facts() -> dict[str, Fact]:
    """Statements of `paper.yaml` by key."""
    text = (resources.files("photogap.sweeps.reproduction") / "paper.yaml").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = load_yaml(text, "paper.yaml")
    return {
        key: Fact(
            key=key,
            place=entry["place"],
            says=entry["says"],
            numbers={str(k): str(v) for k, v in entry.get("numbers", {}).items()},
        )
        for key, entry in table.items()
    }


def value(key: str, name: str) -> float:
    """A number of the paper in the package's units (meV, ps, nm)."""
    return facts()[key].value(name)


def places(keys: Iterable[str]) -> str:
    """Places of some entries, each once."""
    return "; ".join(dict.fromkeys(part for key in keys for part in facts()[key].place.split("; ")))


def numbers_in(text: str) -> set[float]:
    """Numbers that stand alone in a text, except those of figures, equations, tables, sections and articles."""
    return {float(number) for number in _ALONE.findall(without_places(text))}


def quantities_in(text: str) -> set[tuple[float, str]]:
    """Numbers of `numbers_in`, in the package's units; the unit of a list applies to each of its items."""
    found: set[tuple[float, str]] = set()
    waiting: list[float] = []
    for item in _ITEM.finditer(without_places(text)):
        waiting.append(float(item["number"]))
        if item["list"] is None:
            unit = item["unit"] or ""
            found |= {(float(f"{x * _OURS.get(unit, 1.0):.12g}"), _INTO.get(unit, unit)) for x in waiting}
            waiting = []
    return found


def without_places(text: str) -> str:
    """A text without the names of figures, equations, tables, sections and articles."""
    return _PLACE.sub(" paper ", text)
