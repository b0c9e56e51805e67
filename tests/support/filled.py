"""Cubes with numbers that no solver computed: for the speed and the look of large ones."""

from pathlib import Path
from typing import Any

import numpy as np

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.store.cube import Cube, create
from photogap.sweeps.store.place import place
from photogap.sweeps.store.record import record_of
from support.fake_config import tree


def filled(folder: Path, name: str, axes: dict[str, Any]) -> Cube:
    """A finished cube of the fake model with smooth numbers; every 97th point has failed."""
    plan = resolve(parse(tree(axes, name=name, limits={"points": 10**7})))
    cube = create(place(folder / f"{name}.zarr"), plan, record_of(plan))
    shape = cube.grid.shape
    places = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij", sparse=True)
    peak = np.maximum(0, np.sin(3 * sum(places)) - 0.3 * places[1]) + np.zeros(shape)
    cube.array("Delta0_peak")[...] = peak
    for series, factor in (("Delta0", 1.0), ("Gamma", 2.0)):
        own = cube.own_shape(series)
        cube.array(series)[...] = factor * peak[..., None] * np.hanning(own[0])
    cube.array("wall_time")[...] = 1.0 + peak
    cube.array("cpu_time")[...] = 1.0
    status = np.full(peak.size, "ok", dtype=object)
    status[13::97] = "error"
    cube.array("status")[...] = status.reshape(shape)
    return cube
