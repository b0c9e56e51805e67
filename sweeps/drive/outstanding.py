"""Points of a plan that a store lacks, read without changing the store."""

import contextlib

import numpy as np
from numpy.typing import NDArray

from ..ask.axes import union
from ..ask.plan import Plan
from ..store.cube import MISSING, Cube
from ..store.parts import TornError, decode
from ..store.place import Place
from ..store.record import refuse_contradiction
from ..work.task import PARTS


def outstanding(plan: Plan, place: Place) -> NDArray[np.bool_]:
    """Whether each point of a plan is missing, in the plan's shape, for a store that exists.

    Finished points that are not packed into the cube yet count as computed.

    Raises:
        ContradictionError: The plan contradicts the store.
    """
    cube = Cube(place, read_only=True)
    refuse_contradiction(cube.record, plan)
    union(cube.grid, plan.grid)
    out = np.ones(plan.grid.shape, dtype=np.bool_)
    there = [
        [(i, b.where[key]) for key, i in a.where.items() if key in b.where]
        for a, b in zip(plan.grid.axes, cube.grid.axes, strict=True)
    ]
    if all(there):
        own, theirs = (np.ix_(*([pair[k] for pair in pairs] for pairs in there)) for k in (0, 1))
        out[own] = cube.status()[theirs] == MISSING
    unpacked = _unpacked(place)
    if unpacked:
        for index in np.argwhere(out):
            where = tuple(int(i) for i in index)
            out[where] = plan.point_id(plan.grid.labels(where)) not in unpacked
    return out


def _unpacked(place: Place) -> set[str]:
    """Ids of the points whose results wait next to the cube."""
    found = set()
    for key in list(place.blobs.keys(PARTS)):
        with contextlib.suppress(TornError):
            data = place.blobs.get(key)
            if data is not None:
                found.add(str(decode(data)[0]["point_id"]))
    return found
