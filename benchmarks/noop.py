"""A solver that does nothing, or sleeps: 0.6 kB a point, so that what is measured is the service."""

import time
from dataclasses import dataclass

import numpy as np

from photogap.core.result import Outcome, Result, Variable
from photogap.sweeps.model import Model

N_TIMES = 72
TIMES = np.linspace(-1.0, 1.0, N_TIMES)


@dataclass(frozen=True, kw_only=True)
class Film:
    """A material of no property."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """The five axes."""

    material: Film
    F0: float
    omega_pump: float
    T: float
    tau_esc: float


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How long a point sleeps, s."""

    seconds: float = 0.0


def outputs(F0: float, T: float) -> dict[str, np.ndarray]:
    """One series and a scalar."""
    series = TIMES * F0 + T
    return {"Delta0": series, "Delta0_peak": np.array(series[-1])}


def bare(x: int) -> dict[str, np.ndarray]:
    """The same without a service."""
    return outputs(float(x), 1.0)


def series(x: int) -> np.ndarray:
    """The same as one array, for libraries with one array an output."""
    return outputs(float(x), 1.0)["Delta0"]


def simulate(point: Point, settings: Settings) -> Result:
    """The model's point."""
    if settings.seconds:
        time.sleep(settings.seconds)
    return Result(outcome=Outcome.OK, data=outputs(point.F0, point.T))


MODEL = Model(
    name="noop",
    version="1",
    point=Point,
    settings=Settings,
    simulate=simulate,
    variables=lambda settings: (
        Variable("Delta0", ("time",), "meV", "a series"),
        Variable("Delta0_peak", (), "meV", "a scalar"),
    ),
    coordinates=lambda settings: {"time": TIMES},
    load_material=lambda name: Film(name=name),
)
