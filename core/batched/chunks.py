"""Rows on a device: the program for which most rows wait runs on a chunk of them.

Programs are started ahead of their answers, so that the device works while the host decides.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kinetics import Film
from ..pairing.eliashberg import Coupling
from ..windows import Ladder
from . import programs
from .device import Device, jax, jnp
from .device_tables import Size, Tables, film_tables, gap_tables
from .machine import Machines
from .phases import STRIDES, Phase, lines

Array = NDArray[Any]
_AHEAD: Final = 3
"""Number of programs that are started before the answer of the first is read."""
_BUSY: Final = 2
"""Number of programs below which one is started though its chunk is not full, so that the device has work."""
_RUNGS: Final = 64
"""More rungs than a ladder has: these are for a photon of 1e10 windows."""
_MOST_STAGES: Final = 16
KINETIC: Final = (Phase.FIRST, Phase.STAGE, Phase.RESUME, Phase.SETTLE, Phase.OBSERVE, Phase.CUT, Phase.FETCH)
"""States whose programs are those of one lattice of the kinetic equations."""


_IS_KINETIC: Final = np.isin(np.arange(len(Phase)), KINETIC)
_SILENT: Final = (Phase.AMPLITUDE, Phase.CUT)
"""States whose programs return nothing that the host needs."""
PROGRAMS: Final[dict[Phase, programs.Program]] = {
    Phase.FIRST: programs.first,
    Phase.STAGE: programs.stages,
    Phase.RESUME: programs.resume,
    Phase.ITERATE: programs.iterate,
    Phase.GROW: programs.grow,
    Phase.AMPLITUDE: programs.amplitude,
    Phase.SETTLE: programs.settle,
    Phase.OBSERVE: programs.observe,
    Phase.CUT: programs.cut,
    Phase.FETCH: programs.fetch,
}
_compiled: dict[Any, Future[Any]] = {}
_LOCK: Final = threading.Lock()


class Kind(NamedTuple):
    """Kind of a program: phase, rung of the lattice, and number of stages and whether a step ends with them."""

    phase: Phase
    rung: int
    stages: int = 0
    ends: bool = True

    @property
    def code(self) -> int:
        """The kind as a number, as in `codes`."""
        return int(_code(self.phase, self.rung, self.stages, self.ends))

    @classmethod
    def of(cls, code: int) -> "Kind":
        """The kind of a code."""
        code, ends = divmod(code, 2)
        code, stages = divmod(code, _MOST_STAGES)
        phase, rung = divmod(code, _RUNGS)
        return cls(Phase(phase), rung, stages, bool(ends))


def _code(phase: Any, rung: Any, stages: Any, ends: Any) -> Any:
    return ((phase * _RUNGS + rung) * _MOST_STAGES + stages) * 2 + ends


def codes(machines: Machines) -> Array:
    """Codes of the programs for which rows wait, (rows,)."""
    phase = machines.phase
    rung = np.where(_IS_KINETIC[phase], machines.rung, machines.last)
    stepping = (phase == Phase.STAGE) | (phase == Phase.RESUME)
    ends = ~stepping | machines.ends_step
    return np.asarray(_code(phase, rung, np.where(stepping, machines.stride, 0), ends))


_IDLE: Final = Kind(Phase.FIRST, 0, ends=False).code
"""Codes below this one are those of rows that wait for no program."""


def _shape(array: Any) -> Any:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def _compile(program: Any, *shapes: Any, **static: Any) -> Any:
    """Program compiled for arguments of these shapes, once for all threads."""
    leaves, tree = jax.tree.flatten(shapes)
    key = (program, tree, tuple((leaf.shape, leaf.dtype) for leaf in leaves), tuple(static.items()))
    with _LOCK:
        mine = key not in _compiled
        found = _compiled.setdefault(key, Future())
    if mine:
        try:
            found.set_result(program.lower(*shapes, **static).compile())
        except BaseException as error:
            _compiled.pop(key).set_exception(error)
            raise
    return found.result()


@dataclass
class Effort:
    """Work of a batch: runs of each program and the rows in them, by name; seconds of waiting for the device."""

    calls: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    waited: float = 0.0

    def add(self, name: str, rows: int) -> None:
        """Count a run of a program."""
        self.calls[name] = self.calls.get(name, 0) + 1
        self.rows[name] = self.rows.get(name, 0) + rows


class Pool:
    """Arrays of rows on the device, and the programs that move them.

    Args:
        coupling: The gap equation's constants.
        ladder: Lattices of the kinetic equations.
        omega_pump: Photon energy of the pump, meV.
        rows: Rows at once.
        chunks: Sizes of chunks, ascending: programs are compiled for each that comes up.
        largest: Gap for which spectral weights are prepared, meV.
    """

    def __init__(
        self,
        coupling: Coupling,
        ladder: Ladder,
        omega_pump: float,
        rows: int,
        chunks: tuple[int, ...],
        largest: float,
    ) -> None:
        self.gap, self.c = gap_tables(coupling, largest)
        self._ladder, self._omega_pump = ladder, omega_pump
        self._films: dict[int, tuple[Size, Tables]] = {}
        self.widest = self._size(0).N
        self.rows, self.chunks = rows, chunks
        self.arrays = programs.new_pool(rows, self.widest, self.gap)
        self.effort = Effort()
        self._ready: dict[tuple[Kind, int], Any] = {}
        self._launcher: ThreadPoolExecutor
        if jax.default_backend() != "cpu":
            self._compile_ahead()

    def _compile_ahead(self) -> None:
        """Compile in parallel the programs that most rows will need."""
        first, last = self._ladder.begin, self._ladder.last
        rungs = [*range(first, last + 1), first - 1, first - 2]
        wanted = [Kind(phase, last) for phase in (Phase.ITERATE, Phase.GROW, Phase.AMPLITUDE)]
        for rung in rungs:
            self.film(rung)
            wanted += [Kind(phase, rung) for phase in (Phase.FIRST, Phase.OBSERVE, Phase.SETTLE)]
            wanted += [Kind(Phase.STAGE, rung, stages) for stages in STRIDES]
        pairs = [(kind, size) for kind in wanted for size in self.chunks]
        with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as workers:
            list(workers.map(lambda pair: self._compile(*pair), pairs))

    def _compile(self, kind: Kind, size: int) -> None:
        """Compile the program of a kind for a chunk size."""
        at = jax.ShapeDtypeStruct((size,), np.int32)
        numbers = jax.ShapeDtypeStruct((lines(kind.phase, kind.stages), size), np.float64)
        self._program(kind, size, at, numbers)

    def film(self, rung: int) -> tuple[Size, Tables]:
        """Constants of the lattice of a rung."""
        if rung not in self._films:
            self._films[rung] = film_tables(self._ladder.film(rung), self._omega_pump, self.gap.N)
        return self._films[rung]

    def _size(self, rung: int) -> Size:
        film: Film = self._ladder.film(rung)
        return Size(film.lattice.N, film.lattice.M, film.ring.L)

    def run(self, machines: Machines, refill: Callable[[], bool]) -> Iterator[None]:
        """Advance rows until all are finished and no more come; yields after each result.

        Args:
            machines: The rows.
            refill: Starts points in idle rows; returns whether it started any.
        """
        with ThreadPoolExecutor(1) as self._launcher:
            yield from self._run(machines, refill)

    def _run(self, machines: Machines, refill: Callable[[], bool]) -> Iterator[None]:
        waiting: deque[tuple[Phase, Array, Future[Device]]] = deque()
        most = self.chunks[-1]
        while True:
            refill()
            key = codes(machines)
            counts = np.bincount(key)
            counts[:_IDLE] = 0
            best = int(counts.argmax())
            count = int(counts[best])
            if count >= most or (count and len(waiting) < _BUSY):
                at, kind = np.flatnonzero(key == best)[: self._places(count)], Kind.of(best)
                waiting.append((kind.phase, at, self._start(machines, kind, at)))
                if len(waiting) < _AHEAD:
                    continue
            if not waiting:
                if count:
                    continue
                return
            phase, at, found = waiting.popleft()
            self._answer(machines, phase, at, found)
            yield

    def _places(self, count: int) -> int:
        """Size of the chunk for a number of waiting rows: at least half full, or the smallest."""
        return next((n for n in reversed(self.chunks) if n <= 2 * count), self.chunks[0])

    def _start(self, machines: Machines, kind: Kind, at: Array) -> Future[Device]:
        """Start a program in the launching thread; return its results for the host, to come."""
        size, phase = next(n for n in self.chunks if n >= at.size), kind.phase
        self.effort.add(phase.name.lower(), at.size)
        inputs = machines.inputs(phase, at)
        # rows that are not in use repeat the first one, and write beyond the pool
        reads, writes = np.full(size, at[0], dtype=np.int32), self.rows + np.arange(size, dtype=np.int32)
        reads[: at.size] = writes[: at.size] = at
        numbers = np.empty((len(inputs), size))
        numbers[:, : at.size], numbers[:, at.size :] = inputs, inputs[:, :1]
        slots = machines.slots(at, size) if phase == Phase.ITERATE else writes
        machines.phase[at] = Phase.BUSY
        found = self._launcher.submit(self._launch, kind, size, (reads, writes, slots), numbers)
        if phase in _SILENT:
            getattr(machines, f"after_{phase.name.lower()}")(at)
        return found

    def _launch(self, kind: Kind, size: int, rows: tuple[Array, Array, Array], numbers: Array) -> Device:
        """Run a program: its many kernels take as long to launch as the host to decide, so a thread does it."""
        reads, writes, slots = rows
        pool = {name: self.arrays[name] for name in PROGRAMS[kind.phase].reads}
        program = self._program(kind, size, reads, numbers)
        new, found = program(pool, reads, numbers, self.c, self.film(kind.rung)[1])
        self._put(writes, new, slots)
        return found

    def _program(self, kind: Kind, size: int, at: Any, numbers: Any) -> Any:
        """The compiled program of a kind for chunks of a size."""
        ready = self._ready.get((kind, size))
        if ready is None:
            program = PROGRAMS[kind.phase]
            pool = {name: self.arrays[name] for name in program.reads}
            shapes = jax.tree.map(_shape, (pool, at, numbers, self.c, self.film(kind.rung)[1]))
            ready = self._ready[kind, size] = _compile(program.run, *shapes, **self._sizes(kind))
        return ready

    def _put(self, to: Array, new: Tables, slot: Array) -> None:
        """Write the changed arrays back into the pool."""
        if new:
            old = {name: self.arrays[name] for name in new}
            self.arrays |= programs.put(old, to, slot, new)

    def _sizes(self, kind: Kind) -> dict[str, Any]:
        """Static arguments of a kind's program."""
        kin, phase = self.film(kind.rung)[0], kind.phase
        sizes = {"gap": self.gap, "size": kin}
        if phase in (Phase.STAGE, Phase.RESUME):
            return sizes | {"count": kind.stages, "ends": kind.ends}
        observes = phase in (Phase.OBSERVE, Phase.SETTLE, Phase.CUT)
        narrower = self._size(kind.rung + 1).N if observes and kind.rung < self._ladder.last else kin.N
        return sizes | {"extra": narrower}

    def _answer(self, machines: Machines, phase: Phase, at: Array, launched: Future[Device]) -> None:
        found = launched.result()
        if phase in _SILENT:
            return
        begin = time.perf_counter()
        jax.block_until_ready(found)
        self.effort.waited += time.perf_counter() - begin
        if phase == Phase.FETCH:
            fields = [np.asarray(array)[: at.size] for array in found]
            self.fetched(at, fields)
            machines.after_fetch(at)
            return
        numbers = np.asarray(found)[:, : at.size]
        after = {
            Phase.FIRST: machines.after_first,
            Phase.STAGE: machines.after_stages,
            Phase.RESUME: machines.after_stages,
            Phase.ITERATE: machines.after_iterate,
            Phase.GROW: machines.after_grow,
            Phase.SETTLE: machines.after_settle,
            Phase.OBSERVE: machines.after_observe,
        }[phase]
        with np.errstate(all="ignore"):
            after(at, numbers)

    fetched: Callable[[Array, list[Array]], None]
    """Called with rows and their f, n, dressing, rho and p on the lattice of these rows."""

    def begin(self, rows: Array, which: Array, starts: Tables) -> None:
        """Set rows to thermal equilibrium, each from its entry in a table of initial states."""
        for i in range(0, rows.size, self.chunks[-1]):
            some, kinds = rows[i : i + self.chunks[-1]], which[i : i + self.chunks[-1]]
            size = next(n for n in self.chunks if n >= some.size)
            padded, entry = self.rows + np.arange(size, dtype=np.int32), np.full(size, kinds[0], dtype=np.int32)
            padded[: some.size], entry[: some.size] = some, kinds
            self._launcher.submit(self._set, padded, entry, starts).result()

    def _set(self, rows: Array, which: Array, starts: Tables) -> None:
        self._put(rows, programs.begun(jnp.asarray(which), starts), rows)
