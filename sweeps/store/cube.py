"""The labelled cube: a Zarr v3 group that plain `xarray.open_zarr` opens, finished or growing.

Only a driver writes it. Series are sharded; scalars and status are chunked over many points. The axes are defined
by the group's record, written last when a cube grows: after a killed extension the next driver repeats it.
"""

import json
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
import zarr.codecs
import zarr.core.buffer.cpu
import zarr.storage
from numpy.typing import NDArray

from ...core.quantities import DIMS
from ...core.units import powered
from ..ask.axes import Axis, Grid, Index, boxes, flat_order
from ..ask.plan import Plan
from ..errors import ContradictionError, StoreError
from ..status import Status
from .buckets import is_of_bucket
from .layout import Layout, choose, inner_chunk
from .parts import Array
from .place import COPY, ROOT, Place
from .removal import clear_for_a_new_cube
from .seal import damaged, opened, sealed

MISSING: str = Status.MISSING.value
RECORD = "photogap"
# name: (dtype, fill, units, long_name); status is written last.
BOOK: dict[str, tuple[str, Any, str | None, str]] = {
    "message": ("string", "", None, "reason, if the point failed"),
    "point_id": ("string", "", None, "hash of the point's specification and the model's version"),
    "host": ("string", "", None, "host that computed the point"),
    "wall_time": ("float64", np.nan, "s", "wall time of the point"),
    "cpu_time": ("float64", np.nan, "s", "CPU time of the point"),
    "attempts": ("int32", 0, "1", "number of times that the point was started"),
    "status": ("string", MISSING, None, "outcome of the point: ok, missing, or the kind of failure"),
}
_CHUNK_1D = 4096
_COMPRESSORS = (zarr.codecs.ZstdCodec(level=0), zarr.codecs.Crc32cCodec())
"""The checksum covers the stored bytes: a flipped bit is never read as a valid number."""


@dataclass(frozen=True)
class Done:
    """A finished point: its index, its record and its outputs (none unless ok)."""

    index: Index
    record: Mapping[str, Any]
    arrays: Mapping[str, Array]


class Cube:
    """An open cube."""

    def __init__(self, place: Place, *, read_only: bool = False) -> None:
        """Open the cube at a place.

        Args:
            place: The place.
            read_only: Change nothing.

        Raises:
            StoreError: It does not exist, is damaged, or was not created by this package.
        """
        self.place = place
        self.guard: Callable[[], None] = lambda: None
        """Raises if this process is no longer the store's driver; called before each write."""
        if not place.exists():
            raise StoreError(f"No cube at {place.url}.")
        tree = opened(place.objects.get(ROOT) or b"", place.url)
        if RECORD not in tree["attributes"]:
            raise StoreError(f"No photogap cube at {place.url!r}: the Zarr group has no record.")
        try:
            self.record: dict[str, Any] = json.loads(tree["attributes"][RECORD])
            self.grid = grid_of(self.record["axes"])
            self.layout = Layout(tuple(self.record["layout"]["shard"]), tuple(self.record["layout"]["summary"]))
            self._group: Any = zarr.open_group(
                place.zarr(read_only=read_only, check=lambda: self.guard()),
                mode="r" if read_only else "r+",
                use_consolidated=False,
            )
        except (OSError, MemoryError):
            raise
        except Exception as error:
            if is_of_bucket(error):
                raise
            raise StoreError(f"{damaged(place.url, error)}.") from error
        self._folder = _folder(place)
        self._arrays: dict[str, Any] = {}

    def array(self, name: str) -> Any:
        """Zarr array of a variable.

        Raises:
            StoreError: The variable's metadata are those of a group.
        """
        if name not in self._arrays:
            found = self._group[name]
            if not isinstance(found, zarr.Array):
                raise StoreError(f"{damaged(self.place.url, TypeError(f'{name!r} is not an array'))}.")
            self._arrays[name] = found.with_config({"write_empty_chunks": True})
        return self._arrays[name]

    @property
    def outputs(self) -> dict[str, tuple[str, ...]]:
        """Outputs of the model and their own dims."""
        return {name: tuple(dims) for name, dims in self.record["outputs"].items()}

    def status(self) -> NDArray[Any]:
        """Status of every point, strings, in the grid's shape."""
        return np.asarray(self.array("status")[tuple(slice(0, n) for n in self.grid.shape)])

    def refuse_strangers(self, plan: Plan, wanted: NDArray[np.bool_]) -> None:
        """Check that the finished points are those of a plan over this cube's grid.

        Raises:
            StoreError: A finished point has another identity than the plan gives to its labels.
        """
        ended: list[Index] = [tuple(i) for i in np.argwhere(wanted & (self.status() != MISSING)).tolist()]
        if not ended:
            return
        known = np.asarray(self.array("point_id")[...])
        strangers = [i for i in ended if str(known[i]) != plan.point_id(self.grid.labels(i))]
        if strangers:
            where = ", ".join(f"{k}={v}" for k, v in self.grid.labels(strangers[0]).items())
            raise StoreError(
                f"{len(strangers)} of {len(ended)} finished points of {self.place.url} were computed for "
                f"another config or are damaged: their `point_id` is not that of their labels (first at {where}). "
                "Use another --store, or --recompute to start from scratch."
            )

    def refuse_another(self) -> None:
        """Check that the root at the cube's path is still the one that was opened.

        Raises:
            StoreError: The cube was renamed, removed or replaced.
        """
        data = self.place.objects.get(ROOT) if _folder(self.place) == self._folder else None
        try:
            record = {} if data is None else json.loads(json.loads(data)["attributes"][RECORD])
        except (ValueError, KeyError, TypeError):
            record = {}
        if not record or record.get("generation") != self.record.get("generation"):
            raise StoreError(
                f"the cube {self.place.url} was renamed, removed or replaced during the run. Points finished "
                f"since the last write are kept in {self.place.blobs_url}; put the cube back and run again."
            )

    def note(self, **record: Any) -> None:
        """Change keys of the record."""
        self.guard()
        self.refuse_another()
        self.record |= record
        self._put_root(self.place.objects.get(ROOT) or b"")

    def _put_root(self, root: bytes) -> None:
        """Write the root with the record and its seal, at once."""
        data = sealed(root, **{RECORD: json.dumps(self.record)})
        # The copy first: it may be ahead of the root, which `verify` restores from it.
        self.place.blobs.put(COPY, data, self.guard)
        self.place.objects.put(ROOT, data, self.guard)

    def own_shape(self, name: str) -> tuple[int, ...]:
        """Shape of an output of one point."""
        return tuple(self.array(name).shape[len(self.grid.shape) :])

    def grow(self, grid: Grid, plan: Plan) -> None:
        """Extend the cube to a grid that begins with the present one along each dim, and to a plan's outputs.

        Raises:
            ContradictionError: The plan's outputs have other labels than the cube's.
        """
        new = [v for v in plan.variables if v.name not in self.outputs]
        if grid.shape == self.grid.shape and not new:
            return
        self._refuse_other_labels(plan)
        for name in [*self.outputs, *BOOK]:
            self.array(name).resize(grid.shape + self.own_shape(name))
        made: dict[str, Any] = {}
        group = zarr.create_group(zarr.storage.MemoryStore(made), zarr_format=3)
        for v in new:
            # An array that a killed driver created before updating the record is empty: new metadata suffice.
            _make_output(group, v, grid, plan, self.layout)
            key = f"{v.name}/{ROOT}"
            self.place.objects.put(key, made[key].to_bytes(), self.guard)
        _label_outputs(self._group, plan)
        outputs = self.outputs | {v.name: v.dims for v in new}
        _write_labels(self._group, grid, plan, outputs)
        self.guard()
        self.refuse_another()
        self.grid = grid
        self.record |= {"axes": axes_json(grid), "outputs": outputs}
        self._put_root(self._consolidated([*outputs, *BOOK]))

    def _consolidated(self, names: list[str]) -> bytes:
        """The root with the present metadata of all arrays, built in memory."""
        objects = self.place.objects
        known = json.loads(objects.get(ROOT) or b"")["consolidated_metadata"]["metadata"]
        labels = [name for axis in self.grid.axes for name in (axis.name, *axis.followers)]
        found = {
            f"{name}/{ROOT}": objects.get(f"{name}/{ROOT}")
            for name in {*known, *names, *labels, *self._own_dims(names)}
        }
        found[ROOT] = objects.get(ROOT)
        buffers: dict[str, Any] = {
            k: zarr.core.buffer.cpu.Buffer.from_bytes(v) for k, v in found.items() if v is not None
        }
        _consolidate(zarr.storage.MemoryStore(buffers))
        return bytes(buffers[ROOT].to_bytes())

    def _own_dims(self, names: list[str]) -> set[str]:
        return {dim for name in names for dim in self.record["outputs"].get(name, ())}

    def _refuse_other_labels(self, plan: Plan) -> None:
        for dim, values in plan.coordinates.items():
            known = np.asarray(self.array(dim)[:] if dim in self._group else values)
            if not np.array_equal(known, values):
                raise ContradictionError(
                    f"the config contradicts the store: all points of a cube have the same `{dim}`, which is "
                    f"{known.tolist()} in the store and {np.asarray(values).tolist()} in the config. "
                    "Use another --store, or --recompute."
                )

    def pack(self, corner: Index, done: Iterable[Done]) -> None:
        """Write finished points of one shard, read them back and compare, then write their status.

        Raises:
            StoreError: A point has an output that the cube lacks, data read back differ from the written ones, or
                the cube has been moved.
            BusyError: Another driver has the store.
        """
        self.refuse_another()
        points = list(done)
        strange = sorted({name for p in points for name in p.arrays} - set(self.outputs))
        if strange:
            raise StoreError(
                f"the cube {self.place.url!r} has no variables {', '.join(strange)}; the points' parts are kept."
            )
        box = tuple(
            slice(c, min(c + n, m)) for c, n, m in zip(corner, self.layout.shard, self.grid.shape, strict=True)
        )
        inside = [tuple(i - c for i, c in zip(p.index, corner, strict=True)) for p in points]
        for name in self.outputs:
            self._write(name, box, inside, [p.arrays.get(name, np.nan) for p in points])
        for name in BOOK:
            self._write(name, box, inside, [p.record[name] for p in points])
        self.guard()
        self.refuse_another()

    def _write(self, name: str, box: tuple[slice, ...], inside: list[Index], values: list[Any]) -> None:
        array = self.array(name)
        block = np.array(array[box])
        for i, value in zip(inside, values, strict=True):
            block[i] = value
        array[box] = block
        back = array[box]
        self.guard()
        same = (
            np.array_equal(back, block, equal_nan=True) if block.dtype.kind == "f" else bool((back == block).all())
        )
        if not same:
            raise StoreError(
                f"`{name}` read back from {self.place.url!r} differs from the written data; its parts are kept."
            )

    def replace(self, name: str, box: tuple[slice, ...], block: Any) -> None:
        """Write one chunk without reading the present one, which may be damaged."""
        own = self.place.objects.get(f"{name}/{ROOT}") or b""
        made: dict[str, Any] = {f"{name}/{ROOT}": zarr.core.buffer.cpu.Buffer.from_bytes(own)}
        array: Any = zarr.open_array(zarr.storage.MemoryStore(made), path=name, mode="r+")
        array.with_config({"write_empty_chunks": True})[box] = block
        for key, data in made.items():
            if key != f"{name}/{ROOT}":
                self.place.objects.put(key, data.to_bytes(), self.guard)

    def forget(self, indices: Iterable[Index]) -> None:
        """Mark points as missing, so that they are computed again."""
        status = self.array("status")
        for index in indices:
            status[index] = MISSING

    def corners(self) -> Iterator[Index]:
        """Corners of all shards, in the order of computation."""
        return boxes(self.grid.shape, self.layout.shard, flat_order(self.grid))

    def inside(self, corner: Index) -> Iterator[Index]:
        """Indices of one shard's points."""
        shape = tuple(min(n, m - c) for c, n, m in zip(corner, self.layout.shard, self.grid.shape, strict=True))
        for offset in boxes(shape, (1,) * len(shape), flat_order(self.grid)):
            yield tuple(c + o for c, o in zip(corner, offset, strict=True))


def _folder(place: Place) -> tuple[int, int] | None:
    """Device and inode of a local cube's folder; None for an object store or a missing folder."""
    try:
        found = place.path.stat() if place.is_local else None
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def axes_json(grid: Grid) -> list[dict[str, Any]]:
    """Axes in the form of the record."""
    return [
        {"name": a.name, "values": list(a.values), "followers": {k: list(v) for k, v in a.followers.items()}}
        for a in grid.axes
    ]


def grid_of(axes: list[dict[str, Any]]) -> Grid:
    """Grid of a record's axes."""
    return Grid(
        tuple(Axis(a["name"], tuple(a["values"]), {k: tuple(v) for k, v in a["followers"].items()}) for a in axes)
    )


def create(place: Place, plan: Plan, record: dict[str, Any], check: Callable[[], None] = lambda: None) -> Cube:
    """Create the template of a cube: every array with its labels, units and names, without data.

    It is built in memory, and the group's own metadata are written last: a driver killed here leaves no cube.

    Args:
        place: The place.
        plan: The sweep.
        record: Its record.
        check: Raises if this process is no longer the store's driver.

    Raises:
        StoreError: Chunks of another cube exist.
    """
    clear_for_a_new_cube(place)
    objects: dict[str, Any] = {}
    _template(zarr.storage.MemoryStore(objects), plan, record)
    for key in sorted(objects, key=lambda key: key == ROOT):
        data = objects[key].to_bytes()
        if key == ROOT:
            data = sealed(data)
            place.blobs.put(COPY, data, check)
        place.objects.put(key, data, check)
    cube = Cube(place)
    cube.guard = check
    if not (place.is_local or place.is_memory):
        # An object that exists cannot be created by a suspended driver of a cube that was here before.
        cube.array("status")[...] = MISSING
    return cube


def _template(store: Any, plan: Plan, record: dict[str, Any]) -> None:
    layout = choose(plan.grid, max(plan.bytes_per_output.values()))
    group = zarr.create_group(store, zarr_format=3)
    for v in plan.variables:
        _make_output(group, v, plan.grid, plan, layout)
    for name, (dtype, fill, units, long_name) in BOOK.items():
        attributes: dict[str, Any] = {"long_name": long_name} | ({"units": units} if units else {})
        group.create_array(
            name,
            shape=plan.grid.shape,
            chunks=layout.summary,
            dtype=dtype,
            fill_value=fill,
            dimension_names=plan.grid.dims,
            attributes=attributes,
            compressors=_COMPRESSORS,
        )
    _label_outputs(group, plan)
    outputs = {v.name: v.dims for v in plan.variables}
    _write_labels(group, plan.grid, plan, outputs)
    record = record | {
        "generation": uuid.uuid4().hex,
        "axes": axes_json(plan.grid),
        "layout": {"shard": layout.shard, "summary": layout.summary},
        "outputs": outputs,
    }
    group.update_attributes(
        {
            "Conventions": "CF-1.11",
            "title": plan.config.name,
            "source": f"{plan.model.name} {plan.model.version}",
            "references": "arXiv:2603.18182",
            RECORD: json.dumps(record),
        }
    )
    _consolidate(store)


def _make_output(group: Any, v: Any, grid: Grid, plan: Plan, layout: Layout) -> None:
    """Array of one output, NaN for points without it."""
    own = tuple(len(plan.coordinates[dim]) for dim in v.dims)
    inner = inner_chunk(layout.shard, plan.bytes_per_output[v.name])
    group.create_array(
        v.name,
        shape=grid.shape + own,
        chunks=(*inner, *own) if v.dims else layout.summary,
        shards=layout.shard + own if v.dims else None,
        dtype="float64",
        fill_value=np.nan,
        dimension_names=grid.dims + v.dims,
        attributes={"units": powered(v.units), "long_name": v.long_name},
        compressors=_COMPRESSORS,
    )


def _label_outputs(group: Any, plan: Plan) -> None:
    for dim, values in plan.coordinates.items():
        known = DIMS.get(dim)
        units, long_name = (known.unit, known.long_name) if known else ("1", dim)
        _label(group, dim, dim, np.asarray(values, float), {"units": units, "long_name": long_name})


def _write_labels(group: Any, grid: Grid, plan: Plan, outputs: Iterable[str]) -> None:
    for axis in grid.axes:
        for name, values in {axis.name: axis.values, **axis.followers}.items():
            attrs = {"long_name": plan.long_name(name)}
            numeric = not isinstance(values[0], str | bool)
            _label(
                group,
                name,
                axis.name,
                np.asarray(values, dtype=None if numeric else object),
                attrs | ({"units": powered(plan.units(name))} if numeric else {}),
            )
    names = [name for axis in grid.axes for name in axis.followers]
    if names:
        for name in [*outputs, *BOOK]:
            group[name].update_attributes({"coordinates": " ".join(names)})


def _label(group: Any, name: str, dim: str, values: NDArray[Any], attrs: dict[str, Any]) -> None:
    if name in group:
        group[name].resize(values.shape)
    else:
        dtype = {"O": "string" if isinstance(values[0], str) else "bool"}.get(values.dtype.kind, values.dtype)
        group.create_array(
            name,
            shape=values.shape,
            chunks=(_CHUNK_1D,),
            dtype=dtype,
            dimension_names=(dim,),
            attributes={**attrs},
            compressors=_COMPRESSORS,
            **({"fill_value": np.nan} if values.dtype.kind == "f" else {}),
        )
    group[name][:] = values if values.dtype.kind != "O" or isinstance(values[0], str) else values.astype(bool)


def _consolidate(store: Any) -> None:
    # Zarr v3's specification has no consolidated metadata yet, but xarray warns if they are missing.
    # Ignored permanently: `catch_warnings` in one thread of a server would undo that of another.
    warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
    zarr.consolidate_metadata(store)
