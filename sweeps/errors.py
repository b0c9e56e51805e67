"""What can end a sweep before or during its run, each with its own exit code."""


class SweepError(Exception):
    """An end that is told to the user in one message, without a traceback."""

    exit_code = 1


class ConfigError(SweepError, ValueError):
    """A config that cannot be run: names the key, the rule, the value received and the remedy."""

    exit_code = 2


class ContradictionError(SweepError):
    """A config that contradicts what the store holds."""

    exit_code = 3


class BusyError(SweepError):
    """Another driver works on the same store."""

    exit_code = 4


class StoreError(SweepError):
    """The store cannot be read or written."""

    exit_code = 5


class ClusterError(SweepError):
    """The scheduler or all workers are gone."""

    exit_code = 6
