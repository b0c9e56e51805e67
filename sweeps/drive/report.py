"""Report of a store, with or without a driver: counts, throughput, slowest points, failures by reason."""

import contextlib
import sqlite3
import time
from collections import Counter
from typing import Any

import numpy as np

from ..status import Status
from ..store.cube import MISSING, Cube
from ..store.lock import is_driven
from ..store.log import Log
from ..store.parts import TornError, decode
from ..store.place import Place
from ..store.record import config_hash
from ..store.traced import asked
from ..work.crashes import at_work
from ..work.task import PARTS
from .reasons import reason_of
from .sweep import LOG

_SLOWEST = 5
_FAILED = 100


def status(place: Place) -> dict[str, Any]:
    """Report of a store from its cube, its unpacked parts, and its log if that is on this machine."""
    # First, so that a driver that ends meanwhile loses nothing: if none is found, all results are in place.
    live = is_driven(place)
    cube = Cube(place, read_only=True)
    found = cube.status()
    failed = _failed_in_cube(cube, found)
    never = (found == MISSING) & ~asked(cube)
    counts = Counter(str(s) for s in found[~never])
    for record in _unpacked(place):
        if str(record["point_id"]) not in {f["point_id"] for f in failed}:
            counts[MISSING] -= 1
            counts[record["status"]] += 1
            if record["status"] != Status.OK:
                failed.append(
                    {
                        "point_id": record["point_id"],
                        "labels": {},
                        "status": record["status"],
                        "message": record["message"],
                    }
                )
    # Traced points that are not packed yet: the points that were asked for had ended before.
    traced = max(0, -counts[MISSING])
    counts[MISSING] += traced
    not_asked = int(never.sum()) - traced
    out: dict[str, Any] = {
        "store": place.url,
        "name": cube.record["config"]["name"],
        "model": f"{cube.record['base']['model']} {cube.record['base']['model_version']}",
        "config": config_hash(cube.record),
        "shape": dict(zip(cube.grid.dims, cube.grid.shape, strict=True)),
        "points": cube.grid.size - not_asked,
        "not_asked": not_asked,
        "counts": {k: v for k, v in sorted(counts.items()) if v > 0},
        "failed": failed[:_FAILED],
        "reasons": reasons(failed),
        "live": live,
    }
    runs = cube.record["runs"]
    if runs:
        out["last_run"] = {k: runs[-1].get(k) for k in ("start", "end", "outcome", "host", "git", "pool")}
    if not live and (died := at_work(place.state)):
        out["died_in"] = died
    return out | _from_log(place)


def _failed_in_cube(cube: Cube, found: Any) -> list[dict[str, Any]]:
    failed = (found != Status.OK) & (found != MISSING)
    if not failed.any():
        return []
    # Whole: a read of one point costs as much as one of its chunk.
    ids, messages = (np.asarray(cube.array(name)[...])[failed] for name in ("point_id", "message"))
    return [
        {
            "point_id": str(point_id),
            "labels": cube.grid.labels(tuple(where)),
            "status": str(found[tuple(where)]),
            "message": str(message),
        }
        for where, point_id, message in zip(np.argwhere(failed).tolist(), ids, messages, strict=True)
    ]


def _unpacked(place: Place) -> list[dict[str, Any]]:
    records = []
    for key in list(place.blobs.keys(PARTS)):
        data = place.blobs.get(key)
        if data is not None:
            with contextlib.suppress(TornError):
                records.append(decode(data)[0])
    return records


def reasons(failed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Failures grouped by status and reason; reasons that differ only in numbers count as one."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for point in failed:
        groups.setdefault(reason_of(point["status"], point["message"]), []).append(point)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    return [
        {"status": s, "count": len(p), "message": p[0]["message"], "point_id": p[0]["point_id"]}
        for (s, _), p in ordered
    ]


def _from_log(place: Place) -> dict[str, Any]:
    path = place.state / LOG
    if not path.exists():
        return {}
    try:
        with contextlib.closing(Log(path, read_only=True)) as log:
            slowest = log.points("wall_time IS NOT NULL", "wall_time DESC", _SLOWEST)
            recent = log.points("1", "ended DESC", 200)
            alive = log.last_alive()
    except (sqlite3.Error, ValueError, LookupError, TypeError):
        return {}  # damaged; the next run sets it aside
    keep = ("point_id", "labels", "status", "wall_time", "host")
    out: dict[str, Any] = {"slowest": [{k: p[k] for k in keep} for p in slowest]}
    if len(recent) > 1 and recent[0]["ended"] > recent[-1]["ended"]:
        out["points_per_s"] = (len(recent) - 1) / (recent[0]["ended"] - recent[-1]["ended"])
    if alive:
        out["last_alive_s_ago"] = time.time() - alive[0]
        out["running"] = alive[1].get("running", 0)
    return out
