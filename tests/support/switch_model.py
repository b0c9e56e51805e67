"""The fake model with switches: `probe` above 0 adds `seen`, and `layers` adds `layered` over a dim of its own."""

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from photogap.core.result import Result, Variable
from support import fake_model
from support.fake_model import Point

SEEN = Variable("seen", ("time",), "1", "what the probe sees")
LAYERED = Variable("layered", ("time", "layer"), "1", "layer by layer")


@dataclass(frozen=True, kw_only=True)
class Settings(fake_model.Settings):
    probe: float = 0.0
    layers: bool = False
    thickness: float = 2.0


def variables(settings: Settings) -> tuple[Variable, ...]:
    more = ((SEEN,) if settings.probe > 0 else ()) + ((LAYERED,) if settings.layers else ())
    return fake_model.variables(settings) + more


def coordinates(settings: Settings) -> dict[str, np.ndarray]:
    layers = {"layer": settings.thickness * np.array([0.25, 0.75])} if settings.layers else {}
    return fake_model.coordinates(settings) | layers


def simulate(point: Point, settings: Settings) -> Result:
    """What `PHOTOGAP_TEST_WORKER` says is another version of the model on the worker."""
    plain = fake_model.simulate(point, settings)
    more: dict[str, Any] = {}
    if settings.probe > 0:
        more["seen"] = settings.probe * plain.data["Delta0"]
    if settings.layers:
        more["layered"] = plain.data["Delta0"][:, None] * coordinates(settings)["layer"]
    if os.environ.get("PHOTOGAP_TEST_WORKER") == "extra":
        more["unheard"] = np.zeros(3)
    return replace(plain, data=plain.data | more)


MODEL = replace(
    fake_model.MODEL,
    settings=Settings,
    simulate=simulate,
    variables=variables,
    coordinates=coordinates,
    name="switch",
)
