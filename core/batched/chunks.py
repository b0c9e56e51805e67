"""Rows on a device: the program for which most rows wait runs on a chunk of them.

Programs are started ahead of their answers, so that the device works while the host decides.
"""

import os
import threading
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
from .machine import LINES, Machines, Phase
from .row_kinetics import LEDGER

Array = NDArray[Any]
_AHEAD: Final = 3
"""Number of programs that are started before the answer of the first is read."""
_RUNGS: Final = 16
KINETIC: Final = (
    Phase.FIRST, Phase.FIRST_AHEAD, Phase.STAGE, Phase.ACCEPT, Phase.OBSERVE, Phase.CUT, Phase.FETCH,
)  # fmt: skip
"""States whose programs are those of one lattice of the kinetic equations."""


_IS_KINETIC: Final = np.isin(np.arange(len(Phase)), KINETIC)
_SILENT: Final = (Phase.PREPARE, Phase.AMPLITUDE, Phase.CUT)
"""States whose programs return nothing that the host needs."""
_EACH_RUNG: Final = (Phase.STAGE, Phase.FIRST, Phase.OBSERVE, Phase.ACCEPT)
_KERNEL: Final = ("now", "K", "width", "tail")


class _Plan(NamedTuple):
    """A phase's program, and the arrays of the rows that it reads."""

    program: Any
    reads: tuple[str, ...]


_PLANS: Final = {
    Phase.FIRST: _Plan(programs.first, ("y", "n_eq", "rho", "p")),
    Phase.FIRST_AHEAD: _Plan(programs.first, ("y", "n_eq", "gap", "slope")),
    Phase.STAGE: _Plan(programs.stage, ("y", "now", "before", "F", "F0", "n_eq", "rho_s", "p_s")),
    Phase.PREPARE: _Plan(programs.prepare, ("now", "gap", "slope")),
    Phase.ITERATE: _Plan(programs.iterate, (*_KERNEL, "x", "lx", "lr", "dX", "dR", "gram")),
    Phase.GROW: _Plan(programs.grow, (*_KERNEL, "vector")),
    Phase.AMPLITUDE: _Plan(programs.amplitude, (*_KERNEL, "x", "held", "then", "gap", "slope", "normal", "vector")),
    Phase.ACCEPT: _Plan(programs.accept, ("y", "now", "gap", "rho", "p", "normal", "x", "rho_x", "p_x")),
    Phase.OBSERVE: _Plan(programs.observe, ("y", "n_eq", "gap", "rho", "p")),
    Phase.CUT: _Plan(programs.cut, ("y", "rho", "p")),
    Phase.FETCH: _Plan(programs.fetch, ("y", "gap", "rho", "p")),
}
_programs: dict[Any, Future[Any]] = {}
_LOCK: Final = threading.Lock()


def _shape(array: Any) -> Any:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


@dataclass
class Effort:
    """Work of a batch: runs of each program and the rows in them, by name."""

    calls: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

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
    """

    def __init__(
        self, coupling: Coupling, ladder: Ladder, omega_pump: float, rows: int, chunks: tuple[int, ...]
    ) -> None:
        self.gap, self.c = gap_tables(coupling)
        self._ladder, self._omega_pump = ladder, omega_pump
        self._films: dict[int, tuple[Size, Tables]] = {}
        self.widest = self._size(0).N
        self.rows, self.chunks = rows, chunks
        self.arrays = programs.new_pool(rows, self.widest, self.gap)
        self.effort = Effort()
        self._ready: dict[tuple[Phase, int, int], Any] = {}
        if jax.default_backend() != "cpu":
            self._compile_ahead()

    def _compile_ahead(self) -> None:
        """Compile in parallel the programs that most rows will need."""
        first, last = self._ladder.begin, self._ladder.last
        rungs = [*range(first, last + 1), first - 1, first - 2]
        phases = (Phase.ITERATE, Phase.GROW, Phase.PREPARE, Phase.AMPLITUDE)
        wanted = [(phase, last, size) for size in self.chunks for phase in phases]
        wanted += [(phase, rung, size) for rung in rungs for size in self.chunks for phase in _EACH_RUNG]
        for rung in rungs:
            self.film(rung)
        with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as workers:
            list(workers.map(lambda each: self._compile(*each), wanted))

    def _compile(self, phase: Phase, rung: int, size: int) -> None:
        """Compile the program of a phase for a lattice and a chunk size."""
        length = LEDGER + self.gap.M + 1 + self.film(rung)[0].N

        def shape(name: str) -> Any:
            array = self.arrays[name]
            rest = (length,) if name in programs.STATES else array.shape[1:]
            return jax.ShapeDtypeStruct((size, *rest), array.dtype)

        a = {name: shape(name) for name in _PLANS[phase].reads}
        if phase == Phase.ITERATE:
            a |= {"rho": shape("rho"), "p": shape("p")}
            self._compiled(programs.weights, a["x"])
        numbers = jax.ShapeDtypeStruct((LINES[phase], size), np.float64)
        shapes = jax.tree.map(_shape, (self.c, self.film(rung)[1]))
        self._compiled(_PLANS[phase].program, a, numbers, *shapes, **self._sizes(phase, rung))

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
        waiting: deque[tuple[Phase, Array, Device]] = deque()
        most = self.chunks[-1]
        while True:
            refill()
            key = machines.phase * _RUNGS + np.where(_IS_KINETIC[machines.phase], machines.rung, machines.last)
            counts = np.bincount(key, minlength=_RUNGS * len(Phase))
            counts[: _RUNGS * Phase.FIRST] = 0
            best = int(counts.argmax())
            count = int(counts[best])
            if count >= most or (count and not waiting):
                at = np.flatnonzero(key == best)[:most]
                found = self._start(machines, Phase(best // _RUNGS), best % _RUNGS, at)
                if found is not None:
                    waiting.append((Phase(best // _RUNGS), at, found))
                if len(waiting) < _AHEAD:
                    continue
            if not waiting:
                if count:
                    continue
                return
            phase, at, found = waiting.popleft()
            self._answer(machines, phase, at, found)
            yield

    def _start(self, machines: Machines, phase: Phase, rung: int, at: Array) -> Device | None:
        """Start a program; return its results, or None if the host does not need them."""
        size = next(n for n in self.chunks if n >= at.size)
        self.effort.add(phase.name.lower(), at.size)
        inputs = machines.inputs(phase, at)
        padding = ((0, 0), (0, size - at.size))
        reads, writes = np.full((2, size), at[0], dtype=np.int32)
        reads[: at.size], writes[: at.size], writes[at.size :] = at, at, self.rows
        numbers = jnp.asarray(np.pad(inputs, padding, mode="edge"))
        machines.phase[at] = Phase.BUSY
        plan, length = _PLANS[phase], LEDGER + self.gap.M + 1 + self.film(rung)[0].N
        read = {name: self.arrays[name] for name in plan.reads}
        a = programs.take(read, jnp.asarray(reads), names=plan.reads, length=length)
        if phase == Phase.FIRST_AHEAD:
            a["x"] = programs.ahead(a.pop("gap"), a.pop("slope"), numbers[-1])
        if phase in (Phase.FIRST_AHEAD, Phase.ITERATE):
            a["rho"], a["p"] = self._quick((Phase.IDLE, 0, size), programs.weights, a["x"])
        if phase == Phase.FIRST_AHEAD:
            del a["x"]
        k, sizes = self.film(rung)[1], self._sizes(phase, rung)
        new, found = self._quick((phase, rung, size), plan.program, a, numbers, self.c, k, **sizes)
        self._put(writes, new, machines.slots(at, size) if phase == Phase.ITERATE else writes)
        if phase in _SILENT:
            getattr(machines, f"after_{phase.name.lower()}")(at)
        return found

    def _put(self, to: Array, new: Tables, slot: Array) -> None:
        """Write the changed arrays back into the pool."""
        if new:
            old = {name: self.arrays[name] for name in new}
            self.arrays |= programs.put(old, jnp.asarray(to), jnp.asarray(slot), new)

    def _sizes(self, phase: Phase, rung: int) -> dict[str, Any]:
        """Static arguments of a phase's program."""
        kin, extra = self.film(rung)[0], 0
        if phase in (Phase.OBSERVE, Phase.CUT):
            extra = kin.N if rung == self._ladder.last else self._size(rung + 1).N
        return {"gap": self.gap, "size": kin, "extra": extra}

    def _quick(self, name: tuple[Phase, int, int], program: Any, *given: Any, **static: Any) -> Any:
        """Run a program; the compiled one is kept under its name."""
        ready = self._ready.get(name)
        if ready is None:
            ready = self._ready[name] = self._compiled(program, *jax.tree.map(_shape, given), **static)
        return ready(*given)

    def _compiled(self, program: Any, *shapes: Any, **static: Any) -> Any:
        """Program compiled for arguments of these shapes, once for all threads."""
        leaves, tree = jax.tree.flatten(shapes)
        key = (program, tree, tuple((leaf.shape, leaf.dtype) for leaf in leaves), tuple(static.items()))
        with _LOCK:
            mine = key not in _programs
            found = _programs.setdefault(key, Future())
        if mine:
            try:
                found.set_result(program.lower(*shapes, **static).compile())
            except BaseException as error:
                _programs.pop(key).set_exception(error)
                raise
        return found.result()

    def _answer(self, machines: Machines, phase: Phase, at: Array, found: Device) -> None:
        if phase == Phase.FETCH:
            fields = [np.asarray(array)[: at.size] for array in found]
            self.fetched(at, fields)
            machines.after_fetch(at)
            return
        numbers = np.asarray(found)[:, : at.size]
        after = {
            Phase.FIRST: machines.after_first,
            Phase.FIRST_AHEAD: machines.after_first,
            Phase.STAGE: machines.after_stage,
            Phase.ITERATE: machines.after_iterate,
            Phase.GROW: machines.after_grow,
            Phase.ACCEPT: machines.after_accept,
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
            padded, entry = np.full(size, self.rows, dtype=np.int32), np.full(size, kinds[0], dtype=np.int32)
            padded[: some.size], entry[: some.size] = some, kinds
            self._put(padded, programs.begun(jnp.asarray(entry), starts), padded)
