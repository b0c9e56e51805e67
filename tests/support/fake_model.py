"""A cheap solver with the interface of the real one: smooth numbers, and misbehaviour on demand by `F0`."""

import ctypes
import os
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from photogap.core.declaration import declare
from photogap.core.result import Outcome, Result, Variable
from photogap.sweeps.files import Files
from photogap.sweeps.model import Model
from support.tallies import begin, is_admitted


@dataclass(frozen=True, kw_only=True)
class Film:
    name: str
    omega_pump: float | None
    strength: float


FILMS = {
    "A": Film(name="A", omega_pump=170.0, strength=1.0),
    "B": Film(name="B", omega_pump=50.0, strength=2.0),
    "N": Film(name="N", omega_pump=None, strength=3.0),
}


def load(name: str, files: Files) -> Film:
    if name not in FILMS:
        raise ValueError(f"unknown material. Known: {', '.join(FILMS)}. Got {name!r}.")
    return FILMS[name]


@dataclass(frozen=True, kw_only=True)
class Point:
    material: Film
    F0: float
    omega_pump: float
    T: float
    tau_esc: float

    def __post_init__(self) -> None:
        if not self.T > 0:
            raise ValueError(f"`T` must be positive, in K. Got {self.T!r}.")
        if not self.tau_esc > 0:
            raise ValueError(f"`tau_esc` must be positive, in ps; use .inf for no escape. Got {self.tau_esc!r}.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    damping: str = "full"
    stimulated_emission: bool = True
    rtol: float = 1e-3
    seconds: float = 0.0
    fault: str = ""
    n_times: int = field(default=7, metadata=declare("Number of times.", long_name="number of times", shapes=True))
    energies: tuple[float, ...] = field(
        default=(), metadata=declare("Recorded energies.", long_name="energies", unit="meV", shapes=True)
    )

    def __post_init__(self) -> None:
        if self.damping not in ("full", "real"):
            raise ValueError(f"`damping` must be one of full, real. Got {self.damping!r}.")


VARIABLES = (
    Variable("Delta0", ("time",), "meV", "gap at zero energy"),
    Variable("Gamma", ("time",), "ps^-1", "absorption rate"),
    Variable("Delta0_peak", (), "meV", "largest gap"),
)


def variables(settings: Settings) -> tuple[Variable, ...]:
    return VARIABLES + ((Variable("f", ("time", "energy"), "1", "occupation"),) if settings.energies else ())


def coordinates(settings: Settings) -> dict[str, np.ndarray]:
    out = {"time": np.linspace(-1, 1, settings.n_times)}
    if settings.energies:
        out["energy"] = np.array(settings.energies)
    return out


class MuteError(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise SystemExit("no text")


TEXTS: dict[str, Any] = {
    "surrogate": "bad \udcff text",
    "long": "x" * 20_000_000,
    "bytes": b"\xff\x00",
    "control": "a\x1b[31m\x00b",
}
ENDS: dict[str, type[BaseException]] = {
    "system exit": SystemExit,
    "keyboard": KeyboardInterrupt,
    "base": BaseException,
    "generator exit": GeneratorExit,
}


LEAKED: list[Any] = []
"""What points keep for good."""


def misbehave(settings: Settings, point: Point) -> None:
    if settings.fault == "raise":
        raise RuntimeError(f"no solution at F0={point.F0}")
    if settings.fault == "spin":
        while True:
            pass
    if settings.fault == "deaf":
        ctypes.PyDLL(None).sleep(1000)  # holds the GIL
    if settings.fault == "memory":
        keep = [np.ones(2**27) for _ in range(64)]
        del keep
    while settings.fault == "leak":
        LEAKED.append(np.ones(2**21))
    if settings.fault == "hoard":
        LEAKED.append(np.ones(2**25))
    if settings.fault in TEXTS:
        raise RuntimeError(TEXTS[settings.fault])
    if settings.fault in ENDS:
        raise ENDS[settings.fault]
    if settings.fault == "mute":
        raise MuteError
    if settings.fault == "segfault":
        ctypes.string_at(0)
    if settings.fault == "exit":
        os._exit(3)
    if settings.fault == "fork":
        os.fork()
    if settings.fault == "chdir":
        os.chdir("/")
    if settings.fault == "unpicklable":
        raise type("Local", (Exception,), {"__reduce__": lambda self: 1 / 0})("odd")
    if settings.fault == "die":
        os.kill(os.getpid(), 9)


def simulate(point: Point, settings: Settings) -> Result:
    if "PHOTOGAP_TEST_TALLY" in os.environ:
        number = begin(f"{point.material.name} {point.F0!r} {point.T!r} {settings.damping} {settings.fault}\n")
        while not is_admitted(number):
            time.sleep(0.02)
    # Slowness of the day is none of the point's numbers; `seconds` is.
    time.sleep(settings.seconds + float(os.environ.get("PHOTOGAP_TEST_SECONDS", "0")))
    misbehave(settings, point)
    if settings.fault in ("odd outcome", "missing"):
        outcome: Any = SimpleNamespace(value="missing" if settings.fault == "missing" else "\udcff")
        return Result(outcome=outcome, message=b"\xff", diagnostics={})  # type: ignore[arg-type]
    if settings.fault == "diverge":
        return Result(
            outcome=Outcome.NOT_CONVERGED,
            message="residual 0.1 after 100 iterations",
            diagnostics={"steps": 3},
        )
    t = coordinates(settings)["time"]
    amplitude = point.material.strength * point.F0 / (1 + point.T) + (settings.damping == "real")
    gap = amplitude * np.exp(-(t**2)) + point.omega_pump * 1e-6 + 1e-9 / point.tau_esc
    if settings.fault in ("nan", "inf"):
        gap[2] = np.nan if settings.fault == "nan" else -np.inf
    if settings.fault == "complex":
        gap = gap + 0j
    data = {"Delta0": gap, "Gamma": 2 * gap, "Delta0_peak": np.array(gap.max())}
    if settings.energies:
        data["f"] = gap[:, None] * np.exp(-np.array(settings.energies))
    return Result(outcome=Outcome.OK, data=data, diagnostics={"steps": 11})


MODEL = Model(
    name="fake",
    version="1",
    point=Point,
    settings=Settings,
    simulate=simulate,
    variables=variables,
    coordinates=coordinates,
    load_material=load,
)
