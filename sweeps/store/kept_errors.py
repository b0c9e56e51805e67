"""Numerical errors of points, as `converge` measured them, kept next to their cube.

They lie among the driver's objects, a file a point, under the point's id: what a newer model or config computes has
another id, and its errors are unknown again.
"""

import json
import math
from collections.abc import Mapping
from typing import Final

from ..errors import StoreError
from .buckets import hides_its_list
from .place import Place

ERRORS: Final = "errors/"


def keep(place: Place, point_id: str, errors: Mapping[str, float]) -> None:
    """Write the errors of a point's variables; one that is not finite is left out.

    Raises:
        OSError: The folder next to the cube cannot be written.
    """
    known = {name: value for name, value in errors.items() if math.isfinite(value)}
    place.blobs.put(f"{ERRORS}{point_id}", json.dumps(known).encode())


def kept(place: Place) -> dict[str, dict[str, float]]:
    """Errors of variables by point id; empty without a `converge` on the cube, or if a public bucket lists none."""
    found = {}
    try:
        keys = list(place.blobs.keys(ERRORS))
    except StoreError as error:
        if not hides_its_list(place.url, error):
            raise
        keys = []
    for key in keys:
        data = place.blobs.get(key)
        if data is not None:
            found[key.removeprefix(ERRORS)] = {str(k): float(v) for k, v in json.loads(data).items()}
    return found
