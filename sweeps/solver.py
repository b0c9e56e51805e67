"""The built-in model: the interface of `model`, implemented by `photogap.core`."""

import functools
import importlib
from typing import Any, Final

from ..core.declaration import Joint
from ..core.finer import finer
from ..core.result import SWITCHES, coordinates, variables
from ..core.settings import Point, Settings
from ..core.settings_rules import SETTINGS_RULES
from ..core.simulate import MODEL_VERSION, RULES, simulate
from ..core.transforms import versions
from .model import Model, Named


def _pass(point: Any, settings: Any) -> None:
    """Existing settings satisfy their own rules, which are checked at creation."""


def _read(module: str, function: str, *given: Any) -> Any:
    """Call a function of `materials`, loaded only then: workers read no files and do without its packages."""
    return getattr(importlib.import_module(f".materials.{module}", __package__), function)(*given)


_INDEX: Final = Named(
    **{name: functools.partial(_read, "media", name) for name in ("load", "label", "dump", "restore", "is_file")}
)

MODEL: Final = Model(
    name="photogap.core",
    version=MODEL_VERSION,
    point=Point,
    settings=Settings,
    simulate=simulate,
    variables=variables,
    coordinates=coordinates,
    switches=SWITCHES,
    load_material=functools.partial(_read, "library", "load"),
    rules=(*(Joint(rule.of, _pass) for rule in SETTINGS_RULES), *RULES),
    named={"substrate": _INDEX, "cover": _INDEX},
    finer=finer,
    batched="photogap.core.batched.trajectories:simulate_all",
    libraries=lambda settings: versions(settings.transforms),
)
