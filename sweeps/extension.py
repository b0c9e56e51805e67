"""User-defined outputs: further variables in the cubes of the built-in model or any other.

A plug-in builds such a model and registers it in the entry-point group `photogap.models`; a config then has `model:
NAME`. `docs/extending.md` has a plug-in of ten lines.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Model
from .status import Status

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Output:
    """A variable of a cube that is computed from a point's other outputs.

    Args:
        name: Name in the cube.
        dims: Dims beyond the sweep's axes: () for a scalar, else from those of the model, such as ("time",).
        units: CF units; "1" for a dimensionless number.
        long_name: Meaning in a few words, for labels.
        compute: Array with the shape of `dims`, from (point, settings, outputs of the model by name).
        needs: Outputs of the model that `compute` reads; without one of them this output is off.
    """

    name: str
    dims: tuple[str, ...]
    units: str
    long_name: str
    compute: Callable[[Any, Any, Mapping[str, Array]], Any]
    needs: tuple[str, ...] = ()


def with_outputs(model: Model, *outputs: Output, name: str, version: str) -> Model:
    """The model with further outputs.

    Args:
        model: The model to extend, such as `photogap.sweeps.solver.MODEL`.
        outputs: The further outputs, in the cube's order.
        name: Name of the new model, part of a point's identity; must differ from the old one's.
        version: Version of the outputs; raise it when their numbers change.

    Raises:
        ValueError: The name is the old model's, or an output has the name of another.
    """
    if name == model.name:
        raise ValueError(f"`name` must differ from that of the extended model. Got {name!r}.")
    names = [output.name for output in outputs]
    for twice in {n for n in names if names.count(n) > 1}:
        raise ValueError(f"`outputs` must have distinct names. Got {twice!r} twice.")

    def variables(settings: Any) -> tuple[Any, ...]:
        own = model.variables(settings)
        held = {v.name for v in own}
        for taken in held & set(names):
            raise ValueError(f"`outputs` must not reuse a name of the model. Got {taken!r}.")
        return (*own, *(output for output in outputs if held.issuperset(output.needs)))

    def simulate(point: Any, settings: Any) -> Any:
        result = model.simulate(point, settings)
        if result.outcome.value != Status.OK:
            return result
        wanted = {v.name for v in variables(settings)}
        further = {o.name: o.compute(point, settings, result.data) for o in outputs if o.name in wanted}
        return dataclasses.replace(result, data={**result.data, **further})

    return dataclasses.replace(
        model, name=name, version=f"{model.version}+{version}", variables=variables, simulate=simulate
    )
