"""A statement of the paper, what a cube says to it, and the verdict."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from ..numbers import margin, short

OPEN = 0.01
"""Gap (meV) from which it counts as open: well above what the equations' tolerances leave of a closed one."""


class Verdict(enum.Enum):
    """How a number or a statement compares."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NO_COMPARISON = "cannot be compared"


@dataclass(frozen=True)
class Cell:
    """What a cube says."""

    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"**{self.verdict.value}**: {self.text}"


@dataclass(frozen=True)
class Measured:
    """What a cube says of what decides an answer.

    Args:
        config: The config whose cube is asked.
        tell: From a cube to words.
        preset: Preset of the cube; empty for the config's own settings.
    """

    config: str
    tell: Callable[[xr.Dataset], str]
    preset: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        statement: What the paper says, with its number if it gives one.
        ask: From a cube to the cell.
        config: The config whose cube is asked.
        presets: Presets under which it is asked; one empty name where no preset matters.
        decides: What decides the answer, in words.
        measured: The numbers to it.
    """

    statement: str
    ask: Callable[[xr.Dataset], Cell]
    config: str
    presets: tuple[str, ...]
    decides: str
    measured: tuple[Measured, ...] = ()


def judged(holds: bool, text: str) -> Cell:
    """A cell that agrees or differs."""
    return Cell(Verdict.AGREES if holds else Verdict.DIFFERS, text)


def told(text: str) -> Cell:
    """A cell without comparison."""
    return Cell(Verdict.NO_COMPARISON, text)


def one(ds: xr.Dataset, **labels: object) -> xr.Dataset:
    """Part at the labels, axes of one value dropped."""
    return ds.sel(labels).squeeze()


def listed(values: xr.DataArray, along: str, unit: str, digits: int = 3, error: xr.DataArray | None = None) -> str:
    """`label: value` of a line of values, with `± error` where errors are given."""
    labels, found = values[along].values.tolist(), values.values.tolist()
    if error is None:
        texts = [short(v, digits) for v in found]
    else:
        texts = [margin(v, e) for v, e in zip(found, error.values.tolist(), strict=True)]
    pairs = zip(labels, texts, strict=True)
    return ", ".join(f"{short(label)}: {text}" for label, text in pairs) + f" {unit}" * bool(unit)
