"""Each quantity that a user sets is declared once, in its dataclass field::

    spacing: float | None = field(default=None, metadata=declare(
        "Lattice spacing h; None takes the material's.",
        long_name="lattice spacing", unit="meV", symbol="$h$", rule=POSITIVE,
    ))

Checks, units, labels of cubes and figures, help and schemas all derive from this declaration, so that a new setting
is one field in `core.settings` (and, if it switches outputs on, a row in `core.result.OUTPUTS`). Allowed words are
given by the field's type, a `Literal`; its type and default also determine whether None is allowed. A setting added
after points have been stored has `later=True`: at its default it is not part of their identity.

A rule that binds several quantities is a `Joint`: it names all quantities that it reads, so that a sweep can check
all combinations of those that are axes before its first point. Uses the standard library alone.
"""

import dataclasses
import difflib
import functools
import math
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Literal, TypeVar

from .units import typed

T = TypeVar("T")
_KEY: Final = "declaration"


@dataclass(frozen=True)
class Rule:
    """A rule for one value, independent of the others.

    Args:
        words: The rule in words, after "must be".
        holds: Whether a value satisfies it.
        limits: The part of it that JSON Schema can state, for editors; of a list, for each of its values.
    """

    words: str
    holds: Callable[[Any], bool]
    limits: Mapping[str, Any] = field(default_factory=dict, compare=False)


_ABOVE_ZERO: Final = {"exclusiveMinimum": 0}
_FROM_ZERO: Final = {"minimum": 0}
POSITIVE: Final = Rule("positive", lambda x: 0 < x < math.inf, _ABOVE_ZERO)
POSITIVE_OR_INFINITE: Final = Rule("positive", lambda x: x > 0, _ABOVE_ZERO)
NOT_NEGATIVE: Final = Rule("zero or positive", lambda x: 0 <= x < math.inf, _FROM_ZERO)
NOT_NEGATIVE_OR_INFINITE: Final = Rule("zero or positive", lambda x: x >= 0, _FROM_ZERO)
FINITE: Final = Rule("finite", math.isfinite)
SHARE: Final = Rule("between 0 and 1", lambda x: 0 <= x <= 1, {"minimum": 0, "maximum": 1})
LEVELS: Final = Rule(
    "zero or positive, and increasing",
    lambda x: all(v >= 0 for v in x) and all(b > a for a, b in pairwise(x)),
    _FROM_ZERO,
)


def whole(least: int) -> Rule:
    """Rule of a count."""
    words = f"a whole number, at least {least}"
    return Rule(words, lambda x: x >= least and x == int(x), {"minimum": least})


@dataclass(frozen=True)
class Joint:
    """A rule that binds several quantities.

    Args:
        of: Fields of the point and of the settings that it reads, and no others.
        refuse: Raises ValueError, with key, rule, value and remedy, if the rule is broken.
    """

    of: tuple[str, ...]
    refuse: Callable[..., None]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One quantity that a user sets.

    Args:
        doc: Meaning, in sentences.
        long_name: Meaning in a few words, for a label.
        unit: CF unit; "1" for a number, a word or a choice.
        symbol: Symbol in print; empty if the name in words suffices.
        rule: Rule for its value; None if the type suffices; a number must then be finite.
        remedy: Advice if the rule is broken.
        shapes: Whether it labels the outputs' own dims, which all points of a cube share, and so cannot be an axis.
        later: Whether it was added after points had been stored.
        example: A value for documentation, if neither the default nor the allowed words show one.
    """

    doc: str
    long_name: str
    unit: str = "1"
    symbol: str = ""
    rule: Rule | None = None
    remedy: str = ""
    shapes: bool = False
    later: bool = False
    example: Any = None

    def refuse(self, name: str, value: Any, allowed: tuple[Any, ...] = (), owner: str = "") -> None:
        """Raise ValueError, with the owner's words after the name, unless a value satisfies the rule or is
        allowed."""
        if allowed and value not in allowed:
            raise ValueError(f"`{name}`{owner} {not_among(value, allowed)}")
        rule = self.rule or (FINITE if isinstance(value, float) else None)
        if rule is not None and not _holds(rule, value):
            unit = f", in {typed(self.unit)}" if self.unit != "1" else ""
            remedy = f"; {self.remedy}" if self.remedy else ""
            raise ValueError(f"`{name}`{owner} must be {rule.words}{unit}{remedy}. Got {value!r}.")


def declare(
    doc: str,
    *,
    long_name: str,
    unit: str = "1",
    symbol: str = "",
    rule: Rule | None = None,
    remedy: str = "",
    shapes: bool = False,
    later: bool = False,
    example: Any = None,
) -> Mapping[str, Any]:
    """Metadata of a dataclass field that holds the quantity; see `Declaration`."""
    found = Declaration(
        doc=doc, long_name=long_name, unit=unit, symbol=symbol, rule=rule, remedy=remedy, shapes=shapes,
        later=later, example=example,
    )  # fmt: skip
    return declared(found)


def declared(declaration: Declaration) -> Mapping[str, Any]:
    """Metadata of a dataclass field that holds a quantity declared elsewhere."""
    return {_KEY: declaration, "later": declaration.later}


@functools.cache
def declarations(owner: Any) -> Mapping[str, Declaration]:
    """Declarations of a dataclass by field; fields without one are left out."""
    return {f.name: f.metadata[_KEY] for f in dataclasses.fields(owner) if _KEY in f.metadata}


@functools.cache
def choices(owner: Any, name: str) -> tuple[Any, ...]:
    """Words allowed for a field, by its type; empty for any other type."""
    hint = typing.get_type_hints(owner)[name]
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else ()


def check_fields(values: Any, of: str = "") -> None:
    """Check each field of a dataclass against its declaration; None is allowed if it is the default.

    Args:
        values: The dataclass.
        of: Words after a field's name that identify its owner.

    Raises:
        ValueError: naming the field, the rule, the unit, the value and the remedy.
    """
    owner: Any = type(values)
    for name, declaration, default, allowed in _checks(owner):
        value = getattr(values, name)
        if value is not None or default is not None:
            declaration.refuse(name, value, allowed, of)


@functools.cache
def _checks(owner: Any) -> tuple[tuple[str, Declaration, Any, tuple[Any, ...]], ...]:
    found = declarations(owner)
    return tuple(
        (f.name, found[f.name], f.default, choices(owner, f.name))
        for f in dataclasses.fields(owner)
        if f.name in found
    )


def nearest(word: Any, known: Iterable[Any]) -> str:
    """Remedy for an unknown word: the most similar known word, ignoring case; empty if none is similar."""
    names = {str(name).lower(): str(name) for name in known}
    near = difflib.get_close_matches(str(word).lower(), names, n=1)
    return f" Did you mean `{names[near[0]]}`?" if near else ""


def not_among(word: Any, known: Iterable[Any]) -> str:
    """Rule, remedy and value received for a word that is none of the known ones."""
    known = tuple(map(str, known))
    return f"must be one of {', '.join(known)}.{nearest(word, known)} Got {word!r}."


def _in(unit: str) -> str:
    return f" In {typed(unit)}." if unit != "1" else ""


def _holds(rule: Rule, value: Any) -> bool:
    try:
        return bool(rule.holds(value))
    except (TypeError, ValueError, OverflowError):
        return False


def described(owner: type[T]) -> type[T]:
    """Class decorator: add the declarations to the class's docstring."""
    fields: Any = owner
    lines = [f"    {name}: {found.doc}{_in(found.unit)}" for name, found in declarations(fields).items()]
    owner.__doc__ = f"{owner.__doc__ or ''}\n\nArgs:\n" + "\n".join(lines)
    return owner
