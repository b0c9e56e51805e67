"""Labels as users type them, `T=30,F0=1`: parsed and matched here for all commands, figures and requests."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ...core import declaration
from ..errors import ConfigError

_NEAR = 1e-5
"""Relative distance within which a typed number matches a label."""
_INFINITE = {"inf", "infinity", "∞"}


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Names and labels from `NAME=VALUE` texts, with several per text separated by commas.

    A part without `=` continues the value before it: `T=30,60,F0=1` gives `T` two labels.

    Raises:
        ConfigError: A text has another form, or repeats a name.
    """
    out: dict[str, str] = {}
    for text in texts:
        name = ""
        for part in text.split(","):
            before, sign, value = part.partition("=")
            if sign:
                name = before.strip()
            if not name:
                raise ConfigError(f"`{option}` must be NAME=VALUE, such as T=30 or T=30,F0=1. Got {text!r}.")
            if not sign:
                out[name] += f",{part.strip()}"
            elif name in out:
                raise ConfigError(f"`{option}` may give {name} only once. Got it again in {text!r}.")
            else:
                out[name] = value.strip()
    return out


def position(labels: Sequence[Any], wanted: Any, name: str, option: str) -> int:
    """Position of the label that matches: the same word, else the nearest number to five digits.

    Raises:
        ConfigError: No label matches.
    """
    word = str(wanted).strip().lower()
    for i, label in enumerate(labels):
        if str(label).lower() == word:
            return i
    typed = number(wanted)
    if typed is not None:
        found = [(distance(label, typed), i) for i, label in enumerate(labels)]
        nearest, i = min(found, default=(math.inf, 0))
        if nearest <= _NEAR:
            return i
    near = declaration.nearest(wanted, (label for label in labels if isinstance(label, str)))
    raise ConfigError(f"`{f'{option} {name}'.strip()}` must be one of {some(labels)}.{near} Got {wanted!r}.")


def positions(labels: Sequence[Any], wanted: Any, name: str, option: str) -> int | list[int]:
    """Position of a label, or positions of several: a list, or a text with commas that is not itself a label.

    Raises:
        ConfigError: A label does not match.
    """
    if isinstance(wanted, str):
        words = {str(label).lower() for label in labels}
        wanted = [wanted] if wanted.strip().lower() in words else [part.strip() for part in wanted.split(",")]
        if len(wanted) == 1:
            wanted = wanted[0]
    if isinstance(wanted, list | tuple):
        return [position(labels, each, name, option) for each in wanted]
    return position(labels, wanted, name, option)


def number(typed: Any) -> float | None:
    """Number from user input, infinity as `inf` or YAML's `.inf`; None for a word or a flag."""
    if isinstance(typed, bool):
        return None
    text = str(typed).strip().lower()
    if text.lstrip("+").lstrip(".") in _INFINITE:
        return math.inf
    try:
        return float(text)
    except ValueError:
        return None


def distance(label: Any, typed: float) -> float:
    """Relative distance of a label from a number; infinite for a word or a flag."""
    value = None if isinstance(label, str) or type(label).__name__.startswith("bool") else number(label)
    if value is None or math.isnan(value) or math.isnan(typed):
        return math.inf
    if value == typed:
        return 0.0
    if math.isinf(value) or math.isinf(typed):
        return math.inf
    return abs(value - typed) / max(abs(typed), abs(value))


def some(labels: Sequence[Any], most: int = 12) -> str:
    """The first labels, for a message."""
    shown = ", ".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in labels[:most])
    return shown + (", ..." if len(labels) > most else "")
