"""Outcome of a point, as the cube keeps it."""

import enum


class Status(enum.StrEnum):
    """Outcomes defined by the sweep; a model adds its own, such as `not_converged`."""

    OK = "ok"
    MISSING = "missing"
    """Not computed yet."""
    ERROR = "error"
    """The model, or its worker's version of it, failed."""
    NAN = "nan"
    """An output holds NaN that its schema does not allow."""
    TIMEOUT = "timeout"
    """Over the limit of time for a point."""
    MEMORY = "memory"
    """Out of memory."""
    LOST = "lost"
    """Its worker died with it, over and over."""
