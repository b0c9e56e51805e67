"""Errors that end a sweep before or during its run, each with its own exit code."""


class SweepError(Exception):
    """An error that the user sees as one message, without a traceback."""

    exit_code = 1


class ConfigError(SweepError, ValueError):
    """The config cannot be run; the message names the key, the rule, the value received and the remedy."""

    exit_code = 2


class ContradictionError(SweepError):
    """The config contradicts the store."""

    exit_code = 3


class BusyError(SweepError):
    """Another driver is using the store."""

    exit_code = 4


class StoreError(SweepError):
    """The store cannot be read or written."""

    exit_code = 5


class ClusterError(SweepError):
    """The scheduler or all workers are gone."""

    exit_code = 6
