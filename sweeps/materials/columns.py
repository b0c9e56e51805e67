"""Columns of numbers in a text file: separators, decimal signs, comments, wrapped records, order of the rows."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...core.units import ENERGY
from .contents import quoted
from .headers import column_names, role, unit_in

Array = NDArray[np.float64]

_COMMENTS: Final = ("#", "!", "%", "//", "@", "/*", "--")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdDqQ][+-]?\d+|[+-]\d{3})?")
_NOT_FINITE: Final = re.compile(r"[+-]?(nan(q|s)?|inf(inity)?|n/?a|1\.#(inf|ind|qnan)\d*)", re.IGNORECASE)
_DIALECTS: Final = (
    (" ", "."),
    (" ", ","),
    (",", "."),
    (";", "."),
    (";", ","),
    ("\t", "."),
    ("\t", ","),
    ("|", "."),
)
"""Separator and decimal sign; a space stands for any white space."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers of a file and the words around them.

    Args:
        header: Lines before the first number.
        footer: Lines after the last number.
        numbers: One row per frequency, shape (rows, columns); the frequency comes first.
        lines: Line number in the file of each row, from 1.
        names: Name of each column; empty if the file has none.
        notes: Changes made to the rows, in words.
        counted: Whether the file announces its number of rows in a first line.
    """

    header: str
    footer: str
    numbers: Array
    lines: tuple[int, ...]
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    counted: bool = False


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One line: its number, text, words, and their values if all are numbers."""

    number: int
    text: str
    words: tuple[str, ...] = ()
    values: tuple[float, ...] = ()


def parse(path: Path, text: str, *, footer: str | None = None, header: str | None = None) -> Table:
    """Numbers of a file.

    Args:
        path: Name of the file in messages.
        text: Its content.
        footer: Pattern of the line that ends the numbers.
        header: Pattern of a header that starts without a comment sign.

    Raises:
        ValueError: A line that is neither numbers nor a comment, a row of another length, or no numbers.
    """
    raw = text.splitlines()
    separator, decimal = _dialect(raw)
    lines = [_line(number, line, separator, decimal) for number, line in enumerate(raw, start=1)]
    end = _end(lines, footer)
    before, rows, after = _sections(path, lines[:end], header)
    _check_decimals(path, rows, separator, decimal)
    rows, counted = _without_count(path, rows)
    rows, joined = _joined(path, rows)
    _check_lengths(path, rows)
    if not rows or len(rows[0].values) < 2:
        found = len(rows[0].values) if rows else 0
        raise ValueError(f"{path}: a spectrum must have at least two columns of numbers. Got {found}.")
    if not text.endswith(("\n", "\r", "&")) and end == len(lines) and not after:
        _check_cut(path, rows)
    head = "\n".join(line.text for line in before)
    table = Table(
        header=head,
        footer="\n".join(line.text for line in (*after, *lines[end:])),
        numbers=np.array([row.values for row in rows]),
        lines=tuple(row.number for row in rows),
        names=column_names(head, len(rows[0].values)),
        notes=joined,
        counted=counted,
    )
    return table


def _dialect(lines: list[str]) -> tuple[str, str]:
    """Separator and decimal sign with which most lines are rows of two or more numbers."""
    sample = [s for s in (_bare(line) for line in lines[:4000]) if s]
    scores = {d: sum(len(_values(_words(s, d[0]), d[1])) > 1 for s in sample) for d in _DIALECTS}
    return max(_DIALECTS, key=lambda d: scores[d])


def _end(lines: list[_Line], footer: str | None) -> int:
    """Index of the line that ends the numbers, after the first of them; the number of lines if there is none."""
    begun = next((i for i, line in enumerate(lines) if line.values), len(lines))
    ends = (i for i in range(begun, len(lines)) if footer is not None and re.search(footer, lines[i].text))
    return next(ends, len(lines))


def _bare(line: str) -> str:
    """A line without its comment."""
    text = line.strip()
    if text.startswith(_COMMENTS) or text == "&":
        return ""
    return re.split(r"\s*(?:#|!|//|%)", text, maxsplit=1)[0]


def _words(text: str, separator: str) -> tuple[str, ...]:
    if separator == " ":
        words = text.split()
    else:
        words = text.strip(" |" if separator == "|" else " ").split(separator)
        words = words[:-1] if len(words) > 1 and not words[-1].strip() else words
    return tuple(w.strip().strip("\"'") for w in words)


def _values(words: tuple[str, ...], decimal: str) -> tuple[float, ...]:
    """Numbers of a row; empty if any word is not a number."""
    found = [_number(w, decimal) for w in words]
    return () if None in found or not found else tuple(v for v in found if v is not None)


def _number(word: str, decimal: str) -> float | None:
    """A number as printed by Fortran: 1.0D-3, or 0.1-100 if a long exponent has displaced its letter."""
    if decimal == ",":
        word = "?" if "." in word else word.replace(",", ".")
    if _NOT_FINITE.fullmatch(word):
        return float("nan")
    if not _NUMBER.fullmatch(word):
        return None
    word = re.sub(r"(?<=[\d.])([+-]\d{3})$", r"E\1", word)
    return float(re.sub("[dDqQ]", "e", word))


def _line(number: int, text: str, separator: str, decimal: str) -> _Line:
    bare = _bare(text)
    words = _words(bare, separator) if bare else ()
    return _Line(number=number, text=text, words=words, values=_values(words, decimal))


def _sections(path: Path, lines: list[_Line], header: str | None) -> tuple[list[_Line], list[_Line], list[_Line]]:
    """Lines before, of and after the numbers.

    Raises:
        ValueError: Text between the numbers, or a damaged row at either end.
    """
    filled = [i for i, line in enumerate(lines) if line.values]
    if not filled:
        bad = next((line for line in lines if len(line.words) > 1 and re.match(r"[-+.\d]", line.words[0])), None)
        if bad is not None:
            raise _not_numbers(path, bad)
        return lines, [], []
    usual = Counter(len(lines[i].values) for i in filled).most_common(1)[0][0]
    first = filled[0]
    last = max((i for i in filled if len(lines[i].values) == usual), default=first)
    stop = next((i for i in range(first, len(lines)) if lines[i].words and not lines[i].values), len(lines))
    if stop < last:
        raise _not_numbers(path, lines[stop])
    for line in (*lines[:first], *lines[stop:]):
        known = header is not None and re.search(header, line.text, re.IGNORECASE)
        if line.words and not known and _damaged(line, usual):
            raise _not_numbers(path, line)
    rows = [line for line in lines[first:stop] if line.values]
    final = lines.index(rows[-1]) + 1
    return lines[:first], rows, lines[final:]


def _damaged(line: _Line, usual: int) -> bool:
    """Whether a line of text looks like a row of numbers with a fault."""
    if "*" * 4 in line.text or re.fullmatch(r"[-+\d.,;eEdD\s]+", line.text.strip() or "x"):
        return True
    return (
        len(line.words) == usual
        and any(_NUMBER.fullmatch(w) for w in line.words)
        and bool(re.match(r"[-+.\d]", line.words[0]))
    )


def _not_numbers(path: Path, line: _Line) -> ValueError:
    reason = ""
    if "*" in line.text:
        reason = " (asterisks stand for a number too wide for its format: print it again in a wider one)"
    elif re.search(r"\d,\d", line.text) and "." in line.text:
        reason = " (one decimal sign, and no separator of thousands)"
    return ValueError(
        f"{path}, line {line.number}: a row must contain numbers only{reason}; put # before a line of words. "
        f"Got {quoted(line.text)}."
    )


def _check_decimals(path: Path, rows: list[_Line], separator: str, decimal: str) -> None:
    """Raise if commas both separate the columns and mark the decimals."""
    if (separator, decimal) == (",", "."):
        for row in rows:
            if any(re.fullmatch(r"[+-]?0\d+", word) for word in row.words):
                raise ValueError(
                    f"{path}, line {row.number}: a comma must either separate columns or mark decimals; separate "
                    f"columns by semicolons. Got {quoted(row.text)}."
                )


def _without_count(path: Path, rows: list[_Line]) -> tuple[list[_Line], bool]:
    """Rows without a first line that states how many there are."""
    if len(rows) < 3 or not all(v.is_integer() for v in rows[0].values):
        return rows, False
    count, left = rows[0].values[0], len(rows) - 1
    alone = len(rows[0].values) == 1 and len(rows[1].values) > 1
    if alone and count != left:
        raise ValueError(
            f"{path}, line {rows[0].number}: the number in the first line must be the number of rows (is the "
            f"file cut off?). Got {count:g} and {left} rows."
        )
    if alone or (count == left and rows[1].values[0] < count and rows[-1].values[0] < count):
        return rows[1:], True
    return rows, False


def _joined(path: Path, rows: list[_Line]) -> tuple[list[_Line], tuple[str, ...]]:
    """Rows whose records are wrapped over several lines, as Fortran does past its format's repeat count."""
    lengths = [len(row.values) for row in rows]
    longest = max(lengths, default=0)
    starts = [i for i, n in enumerate(lengths) if n == longest]
    if len(starts) < 4 or len(starts) == len(lengths):
        return rows, ()
    first, period = starts[0], starts[1] - starts[0]
    pattern = lengths[first : first + period]
    if period < 2 or lengths[:first] not in ([], pattern[1:]) or len(starts) * period < len(rows) - first - period:
        return rows, ()
    out = []
    for i in range(first, len(rows), period):
        part = rows[i : i + period]
        if [len(r.values) for r in part] != pattern:
            raise ValueError(
                f"{path}, line {part[0].number}: a record must have {sum(pattern)} numbers in {period} lines, "
                "like the first (is the file cut off, or a line missing?). "
                f"Got {sum(len(r.values) for r in part)} numbers."
            )
        out.append(
            replace(
                part[0],
                words=tuple(w for r in part for w in r.words),
                values=tuple(v for r in part for v in r.values),
            )
        )
    return out, (f"each record is wrapped over {period} lines",)


def _check_lengths(path: Path, rows: list[_Line]) -> None:
    for row in rows:
        if len(row.values) != len(rows[0].values):
            cut = " (is the file cut off?)" if row is rows[-1] else ""
            raise ValueError(
                f"{path}, line {row.number}: a row must have {len(rows[0].values)} numbers, like the first{cut}. "
                f"Got {len(row.values)}."
            )


def _check_cut(path: Path, rows: list[_Line]) -> None:
    """Raise if the last line has no line end and fewer digits than all others."""
    shapes = {_digits(row) for row in rows[:-1]}
    last = _digits(rows[-1])
    if len(rows) > 4 and len(shapes) == 1 and last not in shapes:
        raise ValueError(
            f"{path}, line {rows[-1].number}: the last row must have as many digits as the others (is the file cut "
            f"off?). Got {quoted(rows[-1].text)}."
        )


def _digits(row: _Line) -> tuple[int, ...]:
    """Number of characters after the decimal sign of each word."""
    return tuple(len("".join(re.split("[.,]", word, maxsplit=1)[1:])) for word in row.words)


def arranged(path: Path, table: Table) -> Table:
    """The table with the frequency in the first column, without a column that only counts the rows."""
    names, numbers, notes = list(table.names), table.numbers, list(table.notes)
    if names:
        roles = [role(n) for n in names]
        counting = [i for i, r in enumerate(roles) if r == "index"]
        for i in counting:
            if not _counts(numbers[:, i]):
                raise ValueError(
                    f"{path}: the column {quoted(names[i])} must count the rows, as its name says; are columns "
                    f"exchanged? Got {numbers[0, i]:.6g}, {numbers[1, i]:.6g}."
                )
        found = [i for i, r in enumerate(roles) if r == "frequency"] or [
            i for i in range(len(names)) if i not in counting
        ][:1]
        _check_same(path, [names[i] for i in found], numbers[:, found])
        order = [found[0], *(i for i in range(len(names)) if i not in (*counting, *found))]
        if order != list(range(len(names))):
            notes.append(f"columns used: {', '.join(names[i] or '(no name)' for i in order)}")
        return replace(table, names=tuple(names[i] for i in order), numbers=numbers[:, order], notes=tuple(notes))
    if numbers.shape[1] > 2 and _counts(numbers[:, 0]):
        step = np.diff(numbers[:, 1])
        if (step > 0).all() and not _counts(numbers[:, 1]) and np.ptp(step) < 0.05 * step.mean():
            notes.append("the first column counts the rows")
            return replace(table, numbers=numbers[:, 1:], notes=tuple(notes))
    return table


def _check_same(path: Path, names: list[str], columns: Array) -> None:
    """Raise if columns of frequency in several units contradict each other."""
    units = [unit_in(name) for name in names]
    for name, unit, column in zip(names[1:], units[1:], columns.T[1:], strict=True):
        if units[0] in ENERGY and unit in ENERGY:
            ratio = ENERGY[units[0]] / ENERGY[unit]
            if not np.allclose(column, ratio * columns[:, 0], rtol=0.01, atol=0.01 * np.abs(column).max()):
                raise ValueError(
                    f"{path}: the columns {quoted(names[0])} and {quoted(name)} must be the same frequencies "
                    f"in two units; are they exchanged? Got {columns[-1, 0]:.6g} and {column[-1]:.6g} at the end."
                )


def _counts(values: Array) -> bool:
    return bool(values[0] in (0.0, 1.0) and (np.diff(values) == 1.0).all())


def ordered(path: Path, table: Table) -> Table:
    """The table with frequencies that increase.

    Rows in reverse order are turned round, a row given twice is kept once, and frequencies that repeat because few
    digits were printed are put back on their uniform grid.

    Raises:
        ValueError: The rows are in another order, or in several blocks.
    """
    numbers, lines, notes = table.numbers, table.lines, list(table.notes)
    if len(numbers) > 2 and (np.diff(numbers[:, 0]) <= 0).all() and numbers[0, 0] > numbers[-1, 0]:
        numbers, lines = numbers[::-1], lines[::-1]
        notes.append("rows turned round: frequencies decreased")
    twice = np.zeros(len(numbers), dtype=bool)
    twice[1:] = (numbers[1:] == numbers[:-1]).all(axis=1)
    if twice.any() and not ((np.diff(numbers[:, 0]) == 0) & ~twice[1:]).any():
        numbers, lines = numbers[~twice], tuple(n for n, again in zip(lines, twice, strict=True) if not again)
        notes.append(f"{int(twice.sum())} rows given twice")
    step = np.diff(numbers[:, 0])
    if (step >= 0).all() and (step == 0).any():
        grid = _unrounded(numbers)
        if grid is not None:
            numbers = np.column_stack([grid, numbers[:, 1:]])
            notes.append("frequencies repeat for lack of digits: put back on their uniform grid")
            step = np.diff(grid)
    if not (step > 0).all():
        raise _out_of_order(path, numbers[:, 0], lines, int(np.argmin(step > 0)) + 1)
    return replace(table, numbers=numbers, lines=tuple(lines), notes=tuple(notes))


def _unrounded(numbers: Array) -> Array | None:
    """Uniform grid that rounds to the given frequencies; None without one, or if values jump between repeats."""
    w, values = numbers[:, 0], numbers[:, 1:]
    if np.unique(w).size < 8:
        return None
    quantum = float(np.diff(np.unique(w)).max())
    index = np.arange(len(w), dtype=np.float64)
    slope, start = np.polyfit(index, w, 1)
    grid: Array = start + slope * index
    groups = np.unique(w, return_inverse=True)[1]
    means = np.column_stack([np.bincount(groups, v) / np.bincount(groups) for v in values.T])
    variation, smooth = np.abs(np.diff(values, axis=0)).sum(), np.abs(np.diff(means, axis=0)).sum()
    centre = float(np.sum(w * values[:, 0]) / max(np.sum(values[:, 0]), 1e-300))
    if np.abs(grid - w).max() > 0.8 * quantum or variation > 1.25 * smooth or quantum > 0.05 * centre or slope <= 0:
        return None
    return grid - min(0.0, float(grid[0]))


def _out_of_order(path: Path, w: Array, lines: tuple[int, ...], at: int) -> ValueError:
    remedy = "sort the rows"
    if w[at] == w[at - 1]:
        remedy = "print more digits, or keep one row of each frequency"
    elif (np.diff(w[:at]) > 0).all() and w[at] <= w[0] + 2 * (w[1] - w[0]) and at > 7:
        remedy = "this looks like a second block: keep one, of alpha2F, in the file"
    return ValueError(
        f"{path}, line {lines[at]}: frequencies must increase; {remedy}. Got {w[at]:.6g} after {w[at - 1]:.6g}."
    )
