"""How long a test waits: until what it waits for is there, however busy the machine is."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 1800
"""Seconds after which a test that waits has hung. A slow machine fails no test: `benchmarks/` measure speed."""


def until(condition: Callable[[], Any]) -> Any:
    """What the condition returns once it is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.03)
    return found
