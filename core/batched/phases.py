"""Phases of a row: the programs that it can wait for, and the numbers that each of them takes."""

import enum
from typing import Final


class Phase(enum.IntEnum):
    """Program that a row waits for."""

    IDLE = 0
    BUSY = 1
    FIRST = 2
    STAGE = 3
    RESUME = 4
    ITERATE = 5
    GROW = 6
    AMPLITUDE = 7
    SETTLE = 8
    OBSERVE = 9
    CUT = 10
    FETCH = 11


STRIDES: Final = (3, 4, 6, 8)
"""Stages for which there are programs; a step with fewer repeats its last stage, which changes nothing."""
_LINES: Final = {
    Phase.FIRST: 7, Phase.ITERATE: 7, Phase.GROW: 2, Phase.AMPLITUDE: 7, Phase.SETTLE: 9, Phase.OBSERVE: 7,
    Phase.CUT: 7, Phase.FETCH: 7,
}  # fmt: skip


def lines(phase: Phase, stages: int) -> int:
    """Number of inputs per row of a phase's program."""
    return 10 + 6 * stages if phase in (Phase.STAGE, Phase.RESUME) else _LINES[phase]
