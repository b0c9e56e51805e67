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
    """An output has NaN that its schema does not allow."""
    TIMEOUT = "timeout"
    """Over the time limit of a point."""
    MEMORY = "memory"
    """Out of memory."""
    LOST = "lost"
    """Its worker died repeatedly."""
