"""Times, sizes and port ranges as users of batch systems write them, each read once into a number.

A value that this service and a batch system would read differently is refused with both readings.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

_DAY, _HOUR, _MINUTE = 86400, 3600, 60
LONGEST_S = 366 * _DAY
SMALLEST = 64 * 2**20
LARGEST = 2**50
_UNITS_S = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1, "ms": 1e-3,
    "m": _MINUTE, "min": _MINUTE, "minute": _MINUTE, "minutes": _MINUTE,
    "h": _HOUR, "hr": _HOUR, "hour": _HOUR, "hours": _HOUR,
    "d": _DAY, "day": _DAY, "days": _DAY,
}  # fmt: skip
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_NUMBER = r"(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})"


@dataclass(frozen=True)
class Reading:
    """How a batch system interprets values without a unit.

    Args:
        name: The system.
        number_s: Seconds of a bare number as a wall time; None if that is refused.
        pair: Its reading of two numbers with a colon, such as MM:SS.
        number_bytes: Bytes of a bare number as a memory; None if that is refused.
    """

    name: str = "this system"
    number_s: int | None = None
    pair: str = "MM:SS"
    number_bytes: int | None = None


def seconds_of(value: Any) -> float:
    """Seconds of a span such as 90s, 5min, 1h, 2d, 00:05:00 or 1-12:00:00; a bare number is in seconds.

    Raises:
        ValueError: It is not such a span, is negative, or is longer than a year.
    """
    rule = "must be a time such as 90s, 5min, 1h or 00:05:00"
    if isinstance(value, bool):
        raise ValueError(rule)
    text = str(value).strip().lower() if isinstance(value, str | int | float) else ""
    if re.fullmatch(_NUMBER, text):
        found = float(text)
    elif _parts(text) is not None and "-" not in text and text.count(":") == 1:
        raise ValueError(f"{rule}; {_both(text)}")
    else:
        found = _with_units(text, rule)
    return _within(found, f"{rule}, not negative and at most {LONGEST_S // _DAY} days")


def walltime_of(value: Any, reading: Reading) -> float:
    """Seconds of a wall time: HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS, a number with a unit, or a bare number in the
    system's unit.

    Raises:
        ValueError: It is not a wall time, is ambiguous, or is not between a second and a year.
    """
    rule = "must be HH:MM:SS, D-HH:MM:SS or with a unit, such as 04:00:00 or 4h"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(rule)
    text = str(value).strip().lower()
    if re.fullmatch(_NUMBER, text):
        if reading.number_s is None:
            raise ValueError(f"{rule}; add a unit")
        found = float(text) * reading.number_s
    elif _parts(text) is not None and "-" not in text and text.count(":") == 1:
        raise ValueError(_both(text, reading))
    else:
        found = _with_units(text, rule)
    return _within(found, f"{rule}, between a second and {LONGEST_S // _DAY} days", least=1)


def _both(text: str, reading: Reading | None = None) -> str:
    """Both readings of a two-part time, each with an unambiguous way to write it."""
    first, second = (int(part) for part in text.split(":"))
    theirs = f"; {reading.name} reads {reading.pair}" if reading else ""
    return (
        f"two parts may be hours and minutes or minutes and seconds{theirs}. "
        f"Write {first:02}:{second:02}:00 or 00:{first:02}:{second:02}"
        if first < 60
        else f"two parts may be hours and minutes or minutes and seconds{theirs}. Write three, HH:MM:SS"
    )


def _parts(text: str) -> tuple[int, list[int]] | None:
    """Days and the numbers between colons; None if it is not such a time."""
    found = re.fullmatch(r"(?:(\d{1,6})-)?(\d{1,6}(?::\d{1,2}){0,2})", text)
    if not found or (found[1] is None and ":" not in text):
        return None
    numbers = [int(part) for part in found[2].split(":")]
    if any(number >= 60 for number in numbers[1:]):
        return None
    return int(found[1] or 0), numbers


def _with_units(text: str, rule: str) -> float:
    parts = _parts(text)
    if parts is not None:
        days, numbers = parts
        hours, minutes, left = [*numbers, 0, 0][:3]
        return days * _DAY + hours * _HOUR + minutes * _MINUTE + left
    pieces = re.findall(rf"{_NUMBER}\s*([a-z]+)\s*", text)
    if not pieces or re.sub(rf"{_NUMBER}\s*([a-z]+)\s*", "", text) or any(u not in _UNITS_S for _, u in pieces):
        raise ValueError(rule)
    return sum(float(number) * _UNITS_S[unit] for number, unit in pieces)


def _within(found: float, rule: str, least: float = 0) -> float:
    if not math.isfinite(found) or not least <= found <= LONGEST_S:
        raise ValueError(rule)
    return found


def hms(seconds: float) -> str:
    """HH:MM:SS, with any number of hours."""
    whole = math.ceil(seconds)
    return f"{whole // _HOUR:02}:{whole % _HOUR // _MINUTE:02}:{whole % _MINUTE:02}"


def bytes_of(value: Any, reading: Reading) -> int:
    """Bytes of a job's memory, in powers of 1024 as batch systems count: 16G, 16GB and 16GiB are the same.

    Raises:
        ValueError: It is not a size, or is too small or too large for a job.
    """
    rule = "must be a size such as 8GB"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(rule)
    found = re.fullmatch(rf"{_NUMBER}\s*(?:([kmgtp])i?b?|b)?", str(value).strip().lower())
    if not found:
        raise ValueError(rule)
    number, unit = float(found[1]), found[2] or ""
    if re.fullmatch(r"[\d.]+", str(value).strip()):
        if reading.number_bytes is None:
            raise ValueError(f"{rule}; {reading.name} reads a number without a unit as bytes. Write {number:.0f}MB")
        size = number * reading.number_bytes
    else:
        size = number * 1024 ** _POWERS[unit]
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"{rule}, between 64 MB and {LARGEST >> 40} TB per job")
    return math.ceil(size)


def size_of(value: Any) -> int:
    """Memory of the driver's job, bytes, from a text that must have a unit."""
    return bytes_of(value, Reading())


def ports_of(value: Any) -> tuple[int, int]:
    """First and last port of a range such as 40000-40099; one number is a range of one.

    Raises:
        ValueError: It is not a range, or contains ports that only root may open.
    """
    rule = "must be a range of ports from 1024 to 65535, such as 40000-40099"
    if isinstance(value, list | tuple) and len(value) == 2 and all(type(v) is int for v in value):
        value = f"{value[0]}-{value[1]}"
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"(\d{1,5})(?:\s*[-:]\s*(\d{1,5}))?", text)
    if not found:
        raise ValueError(rule)
    first = int(found[1])
    last = int(found[2] or first)
    if not 1024 <= first <= last <= 65535:
        raise ValueError(rule)
    return first, last
