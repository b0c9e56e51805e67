"""The fake model with a batched solver, which leaves points at T > 100 K to the scalar one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from support import fake_model


def simulate_all(trials: Sequence[tuple[Any, Any]]) -> Iterator[tuple[int, Any]]:
    """Results in reverse order, as a batch may give them."""
    for i in reversed(range(len(trials))):
        point, settings = trials[i]
        if point.T > 100.0:
            yield i, SimpleNamespace(reason="too warm")
        else:
            yield i, fake_model.simulate(point, settings)


MODEL = replace(fake_model.MODEL, name="batched", batched="support.batched_model:simulate_all")
