"""Options that take one number, a list or a range."""

import math
from typing import Final

from ..errors import ConfigError

MOST: Final = 1000
"""Largest number of values in a range."""


def temperatures(text: str) -> tuple[float, ...]:
    """Temperatures (K) of `2`, `2,4,6` or `START:STOP:STEP`, both ends included, in increasing order.

    Raises:
        ConfigError: A part is not a number, is not positive or is repeated, or the step of a range is not positive.
    """
    found: list[float] = []
    for part in text.split(","):
        try:
            numbers = [float(piece) for piece in part.split(":")]
        except ValueError:
            numbers = []
        if len(numbers) == 3 and all(map(math.isfinite, numbers)):
            found += _range(text, *numbers)
        elif len(numbers) == 1:
            found += numbers
        else:
            raise ConfigError(
                f"`--T` must be a temperature, a list such as 2,4,6, or START:STOP:STEP, in K. Got {text!r}."
            )
    for T in found:
        if not (T > 0 and math.isfinite(T)):
            raise ConfigError(f"`T` must be positive, in K. Got {T!r}.")
    if len(set(found)) < len(found):
        raise ConfigError(f"`--T` must be distinct temperatures. Got {text!r}.")
    return tuple(sorted(found))


def _range(text: str, start: float, stop: float, step: float) -> list[float]:
    if not (step > 0 and stop >= start and (stop - start) / step < MOST):
        raise ConfigError(
            f"`--T` as START:STOP:STEP needs a step above 0, a stop not below the start and at most {MOST} "
            f"temperatures. Got {text!r}."
        )
    count = math.floor((stop - start) / step * (1 + 1e-12)) + 1
    return [float(f"{start + i * step:.12g}") for i in range(count)]
