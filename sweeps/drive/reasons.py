"""Reasons of failed points: those that differ only in numbers count as one."""

import re
from collections.abc import Iterable

import numpy as np

from ..ask.axes import Index
from ..store.cube import Cube

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")


def reason_of(status: str, message: str) -> tuple[str, str]:
    """Status and message of a failure without its numbers.

    >>> reason_of("error", "no solution at F0=0.1") == reason_of("error", "no solution at F0=3e-2")
    True
    """
    return status, _NUMBER.sub("#", message)


def like(cube: Cube, failed: Iterable[Index], point: str) -> list[Index]:
    """Failed points with the same reason as one of them, which is given by the first digits of its id."""
    ids, status, messages = (np.asarray(cube.array(name)[...]) for name in ("point_id", "status", "message"))
    reasons = {index: reason_of(str(status[index]), str(messages[index])) for index in failed}
    wanted = {reason for index, reason in reasons.items() if str(ids[index]).startswith(point)}
    return [index for index, reason in reasons.items() if reason in wanted]
