"""A solver that does nothing, or sleeps: 0.6 kB a point, so that what is measured is the service."""

import contextlib
import dataclasses
import os
import sys
import time
from typing import Any

import numpy as np
from meter import FIRST

from photogap.core.result import Outcome, Result, Variable
from support import fake_model

TIMES = np.linspace(-1.0, 1.0, 72)


def outputs(F0: float, T: float) -> dict[str, np.ndarray]:
    """One series and a scalar; the first time, the time of day in the file `FIRST`."""
    if FIRST and not os.path.exists(FIRST):
        with contextlib.suppress(FileExistsError), open(FIRST, "x") as file:
            file.write(str(time.time()))
    series = TIMES * F0 + T
    return {"Delta0": series, "Delta0_peak": np.array(series[-1])}


def bare(x: int) -> dict[str, np.ndarray]:
    """The same without a service."""
    return outputs(float(x), 1.0)


def series(x: int) -> np.ndarray:
    """The same as one array, for libraries with one array an output."""
    return outputs(float(x), 1.0)["Delta0"]


def simulate(point: Any, settings: Any) -> Result:
    """The model's point."""
    if settings.seconds:
        time.sleep(settings.seconds)
    return Result(outcome=Outcome.OK, data=outputs(point.F0, point.T))


MODEL = dataclasses.replace(
    fake_model.MODEL,
    name="noop",
    simulate=simulate,
    variables=lambda settings: (
        Variable("Delta0", ("time",), "meV", "a series"),
        Variable("Delta0_peak", (), "meV", "a scalar"),
    ),
    coordinates=lambda settings: {"time": TIMES},
)

if __name__ == "__main__":  # a point as a process of its own: number, file
    np.save(sys.argv[2], series(int(sys.argv[1])))
