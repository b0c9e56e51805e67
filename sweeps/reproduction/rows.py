"""A statement of the paper, what a cube says to it, and the verdict."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

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
class Row:
    """One line of the table.

    Args:
        statement: What the paper says, with its number if it gives one.
        ask: From a cube to the cell.
        config: The config whose cube is asked.
        presets: Presets under which it is asked; one empty name where no preset matters.
        decides: What decides the answer, in words.
    """

    statement: str
    ask: Callable[[xr.Dataset], Cell]
    config: str
    presets: tuple[str, ...]
    decides: str


def judged(holds: bool, text: str) -> Cell:
    """A cell that agrees or differs."""
    return Cell(Verdict.AGREES if holds else Verdict.DIFFERS, text)


def told(text: str) -> Cell:
    """A cell without comparison."""
    return Cell(Verdict.NO_COMPARISON, text)
