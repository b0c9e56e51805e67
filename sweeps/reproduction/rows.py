"""A statement of the paper, the answer from a cube, and the verdict."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from ..ask.config import PRESETS
from ..numbers import margin, short

OPEN = 0.01
"""Gap (meV) from which it counts as open: well above the tolerance on a closed one."""
ALL = tuple(PRESETS)
"""Every preset, in the order of the table's columns."""
BOTH = ("paper", "complete")
"""The paper's model, and the processes that it leaves out."""
ANY = ("",)
"""A cube of the config's own settings: no preset applies."""


class Verdict(enum.Enum):
    """How a number or a statement compares with the paper."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NO_COMPARISON = "cannot be compared"


@dataclass(frozen=True)
class Cell:
    """The answer from a cube."""

    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return f"**{self.verdict.value}**: {self.text}"


Ask = Callable[[xr.Dataset], Cell]


@dataclass(frozen=True)
class Measured:
    """The answer from a cube to the question on which another answer depends.

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
        statement: The paper's statement; each number in it is in an entry of `paper`.
        paper: Keys of paper.yaml; empty for a question that the paper does not address.
        ask: From a cube to the cell.
        config: The config whose cube is asked; empty for a formula.
        presets: Presets under which it is asked.
        decides: Parameters that decide the answer, in words.
        here: Choices made here because the paper states nothing.
        measured: The numbers to it.
        source: Source of a number that is not the paper's; empty for a check by this project.
    """

    statement: str
    paper: tuple[str, ...]
    ask: Ask
    config: str
    presets: tuple[str, ...]
    decides: str
    here: str = ""
    measured: tuple[Measured, ...] = ()
    source: str = ""


def judged(holds: bool, text: str) -> Cell:
    """A cell that agrees or differs."""
    return Cell(Verdict.AGREES if holds else Verdict.DIFFERS, text)


def told(text: str) -> Cell:
    """A cell without comparison."""
    return Cell(Verdict.NO_COMPARISON, text)


def one(ds: xr.Dataset, **labels: object) -> xr.Dataset:
    """Part of the data at the labels; axes of one value are dropped."""
    return ds.sel(labels).squeeze()


def listed(
    values: xr.DataArray,
    along: str,
    unit: str,
    digits: int = 3,
    error: xr.DataArray | None = None,
    at_least: xr.DataArray | None = None,
) -> str:
    """`label: value` for each value of a line.

    Args:
        values: Of one dim, `along`.
        along: The dim.
        unit: Of the values.
        digits: Significant digits, if no error determines them.
        error: Adds `± error`.
        at_least: 1 for values that are lower bounds because the record ended.
    """
    labels, found = values[along].values.tolist(), values.values.tolist()
    if error is None:
        texts = [short(v, digits) for v in found]
    else:
        texts = [margin(v, e) for v, e in zip(found, error.values.tolist(), strict=True)]
    if at_least is not None:
        texts = [f"≥ {t}" if more else t for t, more in zip(texts, (at_least == 1).values.tolist(), strict=True)]
    pairs = zip(labels, texts, strict=True)
    return ", ".join(f"{short(label)}: {text}" for label, text in pairs) + f" {unit}" * bool(unit)


def maxima(values: xr.DataArray) -> list[float]:
    """Labels of the inner maxima along the one dim."""
    v, labels = values.values, values[str(values.dims[0])].values
    inner = (v[1:-1] > v[:-2]) & (v[1:-1] >= v[2:])
    return [float(x) for x in labels[1:-1][inner]]
