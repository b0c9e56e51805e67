"""The report of a cube, as `photogap status` and the page show it."""

from typing import Any

import numpy as np

from photogap.sweeps.drive.report import status
from photogap.sweeps.store.cube import Cube
from support.filled import filled


def test_a_report_reads_each_array_once_however_many_points_failed(tmp_path: Any, monkeypatch: Any) -> None:
    cube = filled(tmp_path, "many", {"F0": {"geomspace": [0.01, 5, 40]}, "T": {"linspace": [10, 60, 50]}})
    reads: list[str] = []
    real = Cube.array
    monkeypatch.setattr(Cube, "array", lambda self, name: reads.append(name) or real(self, name))
    found = status(cube.place)
    failed = len(range(13, 2000, 97))
    assert found["counts"] == {"error": failed, "ok": 2000 - failed}
    second = np.unravel_index(13 + 97, cube.grid.shape)
    assert found["failed"][1]["labels"] == cube.grid.labels(tuple(map(int, second)))
    assert len(found["failed"]) == failed
    assert reads.count("point_id") == reads.count("message") == 1
