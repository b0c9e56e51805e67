"""Numbers for display, with no more digits than are known."""

import math
from collections.abc import Iterable
from typing import Any, Final

YEAR: Final = 365.25 * 86400.0
"""Seconds."""


def short(value: object, digits: int = 4) -> str:
    """A label or a number in a few characters."""
    if not isinstance(value, float):
        return str(value)
    return "failed" if math.isnan(value) else f"{value:.{digits}g}"


def margin(value: float, error: float, *, negligible: float = 1e-4) -> str:
    """A number and its error, both to the error's first digit, or to integers.

    Args:
        value: The number.
        error: Its error, >= 0; infinite if unknown.
        negligible: Relative error below which the error is not shown.
    """
    if not (error > negligible * abs(value) and math.isfinite(value)):
        return short(value)
    if math.isinf(error):
        return f"{short(value)}, error unknown"
    digit = math.floor(math.log10(float(f"{error:.0e}")))
    if 1e-3 <= max(abs(value), error) < 1e6:
        decimals = max(0, -digit)
        return f"{value:.{decimals}f} ± {error:.{decimals}f}"
    power = math.floor(math.log10(max(abs(value), error)))
    return f"{value:.{max(0, power - digit)}e} ± {error:.0e}"


def left(changes: Iterable[float], order: float = 1.0) -> float:
    """Remaining error of a number that finer numerics change by `changes`: twice the sum of their magnitudes.

    This bounds any error that falls at least linearly with the lattice spacing. Gaps converge between order 1.5 and
    2: the change at half the spacing is 65 to 75 % of the error. Missing changes (NaN) are ignored.

    Args:
        changes: Changes with half of the spacing or the like.
        order: Lowest order in which the error falls with the spacing. The factor is 1 / (1 - 2^-order), two for
            the first order.
    """
    return sum(abs(change) for change in changes if not math.isnan(change)) / (1.0 - math.pow(2.0, -order))


def pace(rate: float) -> str:
    """Rate of points, 1/s, as a number above one: `3.2 points/s` or `a point every 15.2 s`.

    >>> pace(0.0657)
    'a point every 15.2 s'
    """
    return f"{rate:.3g} points/s" if rate >= 1 or not rate > 0 else f"a point every {1 / rate:.3g} s"


def clock(seconds: float) -> str:
    """Time span, s, as `M:SS`, `H:MM:SS`, or days, or years.

    >>> clock(83), clock(5000), clock(4e5), clock(1e9)
    ('1:23', '1:23:20', '4.6 days', '31.7 years')
    """
    if seconds >= YEAR:
        return f"{seconds / YEAR:.3g} years"
    if seconds >= 2 * 86400:
        return f"{seconds / 86400:.2g} days" if seconds < 10 * 86400 else f"{seconds / 86400:.0f} days"
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def plain(value: Any) -> Any:
    """Null in place of NaN, which JSON does not have."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
