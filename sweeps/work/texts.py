"""Texts from a point, cleaned for a log, an array of strings and a terminal."""

import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LONGEST = 2000
_TRACE = 20_000


def clean(text: Any, *, end: bool = False) -> str:
    """A text that UTF-8 can encode, without control characters, of at most `LONGEST` characters.

    Args:
        text: Text, bytes or anything else.
        end: Keep the last characters, and more of them: those of a traceback.
    """
    if isinstance(text, bytes | bytearray):
        text = bytes(text[:_TRACE]).decode(errors="replace")
    try:
        full = str(text)
    except BaseException as error:
        full = f"(a {type(text).__name__} whose text raises {type(error).__name__})"
    longest = _TRACE if end else LONGEST
    short = full[-longest:] if end else full[:longest]
    short = short.encode("utf-8", "replace").decode()
    short = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in short)
    return short if len(full) <= longest else f"{short} ... ({len(full)} characters)"


def describe(error: BaseException) -> str:
    """Kind and text of an error."""
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException as other:
        return f"{name}, whose text raises {type(other).__name__}"
    return clean(f"{name}: {text[: LONGEST + 1]}" if text else name)


def without_control(text: str) -> str:
    """A text for a terminal: control characters, such as those of escape sequences, are replaced."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
