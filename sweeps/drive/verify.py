"""Verification of a store: every chunk is read, every `ok` point must be complete and match its identity.

Repair, on demand, marks bad points as missing, so that a run computes them again. The status is written first: a
killed repair leaves missing points, and damage that the next repair finds.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..ask.axes import Index, boxes
from ..ask.plan import Plan
from ..errors import StoreError, SweepError
from ..status import Status
from ..store.cube import BOOK, MISSING, Cube
from ..store.faults import store_faults
from ..store.lock import driver_lock
from ..store.log import Log
from ..store.parts import TornError, decode
from ..store.place import COPY, ROOT, Place
from ..store.seal import opened
from ..work.task import PARTS
from .sweep import LOG, plan_of

_AUXILIARY = ("message", "host", "wall_time", "cpu_time", "attempts")
"""Arrays whose damage loses no result."""
Box = tuple[slice, ...]


def verify(place: Place, *, repair: bool = False, root: str | None = None, trust: bool = False) -> dict[str, Any]:
    """Problems of a store; `repair` marks bad points as missing and removes the damage.

    Args:
        place: The store.
        repair: Change the store.
        root: As in `plan_of`.
        trust: As in `plan_of`.

    Raises:
        StoreError: There is no cube, or its root cannot be read at all.
        BusyError: A driver is running.
    """
    if not place.exists() and not place.blobs.exists(COPY):
        raise StoreError(f"No cube at {place.url}.")
    with store_faults(place), driver_lock(place) as check:
        problem = _root(place, repair, check)
        if problem and not repair:
            return _report(place, problems=[problem])
        cube = Cube(place)
        cube.guard = check
        found = _Findings(cube, repair)
        found.problems += [problem] if problem else []
        found.metadata()
        plan: Plan | None = None
        try:
            plan = plan_of(cube, root, trust=trust)
        except SweepError as error:
            found.notes.append(f"identities and NaN are not checked: {error}")
        found.labels(plan)
        found.points(plan)
        found.beside()
        return found.report()


def _root(place: Place, repair: bool, check: Callable[[], None]) -> str | None:
    """Problem of a root that repair can replace by an intact copy; None if the root is intact.

    Raises:
        StoreError: It is damaged, and no copy fits the arrays.
    """
    root, copy = place.objects.get(ROOT), place.blobs.get(COPY)
    try:
        opened(root or b"", place.url)
    except StoreError:
        if copy is None or not _fits(place, opened(copy, place.url)):
            raise
    else:
        return None
    if repair:
        place.objects.put(ROOT, copy, check)
    return f"{ROOT}: missing or damaged; an intact copy is in {place.blobs_url}"


def _fits(place: Place, tree: dict[str, Any]) -> bool:
    """Whether most arrays match the root's description."""
    entries = tree["consolidated_metadata"]["metadata"]
    same = [_same(place.objects.get(f"{name}/{ROOT}"), entry) for name, entry in entries.items()]
    return sum(same) > len(same) / 2


def _same(own: bytes | None, entry: dict[str, Any]) -> bool:
    def fixed(tree: dict[str, Any]) -> dict[str, Any]:
        # A killed extension leaves other shapes and attributes; the root's are valid.
        kept = {k: v for k, v in tree.items() if k not in ("shape", "attributes", "consolidated_metadata")}
        return kept | {"dims": len(tree["shape"])}

    try:
        return own is not None and fixed(json.loads(own)) == fixed(entry)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _has_checksum(entry: dict[str, Any]) -> bool:
    """Whether the chunks of an array carry a checksum; one on a shard's index does not cover the numbers."""
    codecs = [c for codec in entry["codecs"] for c in (codec, *codec.get("configuration", {}).get("codecs", ()))]
    return any(codec["name"] == "crc32c" for codec in codecs)


def _report(place: Place, **found: Any) -> dict[str, Any]:
    nothing = {
        "points": 0,
        "ok": 0,
        "unchecksummed": 0,
        "bad_points": 0,
        "problems": [],
        "notes": [],
        "repaired": False,
    }
    return {"store": place.url, **nothing, **found}


class _Findings:
    def __init__(self, cube: Cube, repair: bool) -> None:
        self.cube, self.repair = cube, repair
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._bad = np.zeros(cube.grid.shape, bool)
        self._points = 0
        self._bare: list[str] = []

    def report(self) -> dict[str, Any]:
        return _report(
            self.cube.place,
            points=self.cube.grid.size,
            ok=0 if self._bare else self._points,
            unchecksummed=self._points if self._bare else 0,
            bad_points=int(self._bad.sum()),
            problems=self.problems,
            notes=self.notes,
            repaired=self.repair and bool(self.problems),
        )

    def metadata(self) -> None:
        """Compare each array's own metadata with those of the root, which is sealed."""
        objects = self.cube.place.objects
        entries = opened(objects.get(ROOT) or b"", self.cube.place.url)["consolidated_metadata"]["metadata"]
        for name, entry in entries.items():
            if not _same(objects.get(f"{name}/{ROOT}"), entry):
                self.problems.append(f"{name}/{ROOT}: differs from the root's")
                if self.repair:
                    objects.put(f"{name}/{ROOT}", json.dumps(entry).encode(), self.cube.guard)
        self._bare = sorted(name for name in (*self.cube.outputs, *BOOK) if not _has_checksum(entries[name]))
        if self._bare:
            self.notes.append(
                f"{', '.join(self._bare)} created before chunks had checksums: changed numbers cannot be detected, "
                "so no point counts as ok. `run --recompute` creates the cube anew, with checksums"
            )

    def labels(self, plan: Plan | None) -> None:
        """Compare the labels of axes and of the outputs' own dims with the record."""
        wanted: dict[str, Any] = {}
        for axis in self.cube.grid.axes:
            wanted |= {axis.name: axis.values, **axis.followers}
        wanted |= {} if plan is None else plan.coordinates
        for name, values in wanted.items():
            array = self.cube.array(name)
            try:
                known = list(array[: len(values)])
            except Exception as error:
                known = [f"{type(error).__name__}"]
            if known != list(values):
                self.problems.append(f"{name}: its labels differ from the record")
                if self.repair:
                    kind = object if isinstance(values[0], str) else None
                    self.cube.replace(name, (slice(0, len(values)),), np.asarray(values, dtype=kind))

    def points(self, plan: Plan | None) -> None:
        """Read each chunk of each output and of the bookkeeping arrays, then check each finished point."""
        cube = self.cube
        whole, numbers = np.ones(cube.grid.shape, bool), np.zeros(cube.grid.shape, bool)
        damage: list[tuple[str, Box, Any]] = []
        for name in cube.outputs:
            for box in self._boxes(name):
                block, bad = self._read(name, box)
                if bad is not None:
                    damage.append((name, box, block))
                    numbers[box] |= bad
                lacks = np.isnan(block).reshape(*block.shape[: len(box)], -1).any(-1)
                if plan is not None and lacks.any():
                    whole[box] &= ~(lacks & self._required(plan, name, box))
        book: dict[str, Any] = {}
        guess = np.zeros(cube.grid.shape, bool)
        for name in BOOK:
            values = np.full(cube.grid.shape, BOOK[name][1], dtype=object)
            for box in self._boxes(name):
                values[box], bad = self._read(name, box)
                if bad is not None:
                    damage.append((name, box, values[box]))
                    guess[box] |= name == "status"
                    if name == "point_id":
                        self._bad[box] = True
            book[name] = values
        status = book["status"]
        status[guess & whole & ~numbers & ~self._bad & (book["point_id"] != "")] = Status.OK.value
        # A failed point has no numbers.
        self._bad |= numbers & ((status == Status.OK) | guess)
        ended = status != MISSING
        if plan is not None:
            self._judge(plan, status, whole, book["point_id"], ended)
        self._bad &= ended | guess
        changed = self._bad | guess
        status[self._bad] = MISSING
        self._points = int((status == Status.OK).sum())
        if self.repair:
            for name, box, block in sorted(damage, key=lambda d: d[0] != "status"):
                self._rewrite(name, box, status[box] if name == "status" else block)
            for box in self._boxes("status"):
                if changed[box].any():
                    cube.guard()
                    cube.array("status")[box] = status[box].astype(str).astype(object)

    def _judge(self, plan: Plan, status: Any, whole: Any, ids: Any, ended: Any) -> None:
        strangers, holes = 0, 0
        for i in np.argwhere(ended):
            index = tuple(int(k) for k in i)
            if str(ids[index]) != plan.point_id(plan.grid.labels(index)):
                strangers += not self._bad[index]
                self._bad[index] = True
            elif status[index] == Status.OK and not whole[index]:
                holes += not self._bad[index]
                self._bad[index] = True
        if strangers:
            self.problems.append(f"point_id: {strangers} points do not match their labels")
        if holes:
            self.problems.append(f"{holes} points are `ok` and have no numbers")

    def _required(self, plan: Plan, name: str, box: Box) -> Any:
        """Whether each point of a box has a NaN in an output that may not be NaN."""
        out = np.zeros(tuple(s.stop - s.start for s in box), bool)
        for offset in np.ndindex(out.shape):
            labels = plan.grid.labels(tuple(s.start + o for s, o in zip(box, offset, strict=True)))
            variables = {v.name: v for v in plan.model.variables(plan.settings_at(labels))}
            out[offset] = name in variables and not getattr(variables[name], "nan_allowed", False)
        return out

    def _cut(self, name: str) -> Index:
        array = self.cube.array(name)
        return tuple((array.shards or array.chunks)[: len(self.cube.grid.shape)])

    def _boxes(self, name: str) -> Iterator[Box]:
        shape, cut = self.cube.grid.shape, self._cut(name)
        for corner in boxes(shape, cut, tuple(range(len(shape)))):
            yield tuple(slice(c, min(c + n, m)) for c, n, m in zip(corner, cut, shape, strict=True))

    def _read(self, name: str, box: Box) -> tuple[Any, Any]:
        """Numbers of one chunk, and its damaged points; None if there are none."""
        array = self.cube.array(name)
        try:
            return np.asarray(array[box]), None
        except (OSError, SweepError):
            raise
        except Exception as error:
            self.problems.append(f"{name} {self._keys(name, box)[0]}: {type(error).__name__}")
        shape = tuple(s.stop - s.start for s in box)
        fill = BOOK[name][1] if name in BOOK else np.nan
        block = np.full(shape + self.cube.own_shape(name), fill, dtype=object if fill in ("", MISSING) else float)
        bad = np.ones(shape, bool)
        if array.shards is not None:
            for offset in np.ndindex(shape):
                with contextlib.suppress(Exception):
                    block[offset] = array[tuple(s.start + o for s, o in zip(box, offset, strict=True))]
                    bad[offset] = False
        return block, bad if name not in _AUXILIARY else np.zeros(shape, bool)

    def _keys(self, name: str, box: Box) -> list[str]:
        array = self.cube.array(name)
        cut = array.shards or array.chunks
        corner = [s.start // n for s, n in zip(box, cut, strict=False)] + [0] * (len(cut) - len(box))
        return [f"{name}/{array.metadata.encode_chunk_key(tuple(corner))}"]

    def _rewrite(self, name: str, box: Box, block: Any) -> None:
        array = self.cube.array(name)
        self.cube.replace(name, box, block.astype(array.dtype) if array.dtype.kind in "fi" else block)

    def beside(self) -> None:
        """Find torn parts, and damage of the log."""
        blobs = self.cube.place.blobs
        for key in list(blobs.keys(PARTS)):
            try:
                decode(blobs.get(key) or b"")
            except TornError:
                self.problems.append(f"{key}: torn")
                if self.repair:
                    blobs.delete([key])
        path = self.cube.place.state / LOG
        if path.exists():
            try:
                with contextlib.closing(Log(path, read_only=True)) as log:
                    log.events()
                    log.points()
            except (sqlite3.Error, ValueError):
                self.problems.append("log.sqlite: damaged")
                if self.repair:
                    Log(path).close()
