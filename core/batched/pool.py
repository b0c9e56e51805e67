"""Rows on a device: whatever program most of them wait for runs on a chunk of them.

Programs are started ahead of their answers, so that the device works while the host decides.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ..kinetics import Film
from ..lattice import Array
from ..pairing.eliashberg import Coupling
from ..windows import Ladder
from . import programs
from .device import Device, jax, jnp
from .machine import LINES, Machines, State
from .tables import Size, Tables, film_tables, gap_tables

_AHEAD: Final = 3
"""Programs that are started before the first one's answer is read."""
_RUNGS: Final = 16
KINETIC: Final = (
    State.FIRST, State.FIRST_AHEAD, State.STAGE, State.OBSERVE, State.CUT, State.FETCH,
)  # fmt: skip
"""States whose programs are those of one lattice of the kinetic equations."""


_SILENT: Final = (State.PREPARE, State.AMPLITUDE, State.CUT)
"""States after which nothing needs to be known of the program."""
_PROGRAMS: Final[dict[State, Any]] = {
    State.FIRST: programs.first, State.FIRST_AHEAD: programs.first, State.STAGE: programs.stage,
    State.PREPARE: programs.prepare, State.ITERATE: programs.iterate, State.GROW: programs.grow,
    State.AMPLITUDE: programs.amplitude, State.ACCEPT: programs.accept, State.OBSERVE: programs.observe,
    State.CUT: programs.cut, State.FETCH: programs.fetch,
}  # fmt: skip
_compiled: dict[tuple[Any, ...], Future[Any]] = {}
_LOCK: Final = threading.Lock()


def _shape(array: Any) -> Any:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


@dataclass
class Effort:
    """Programs run and rows in them, by name: what a batch did."""

    calls: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, rows: int) -> None:
        """Count a program."""
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
        if jax.default_backend() != "cpu":
            self._compile_ahead()

    def _compile_ahead(self) -> None:
        """Compile what most rows will need, many programs at a time."""
        first = self._ladder.begin
        rungs = [first, first - 1, *range(first + 1, self._ladder.last + 1), first - 2]
        wanted = [
            (state, rung, size)
            for rung in rungs
            for size in reversed(self.chunks)
            for state in (State.STAGE, State.FIRST_AHEAD, State.FIRST, State.OBSERVE)
        ]
        others = (State.ITERATE, State.GROW, State.PREPARE, State.ACCEPT, State.AMPLITUDE)
        wanted = [(state, self._ladder.last, size) for size in reversed(self.chunks) for state in others] + wanted
        for rung in {rung for _, rung, _ in wanted}:
            self.film(rung)
        with ThreadPoolExecutor(min(16, os.cpu_count() or 1)) as workers:
            list(workers.map(lambda each: self._program(*each), wanted))

    def film(self, rung: int) -> tuple[Size, Tables]:
        """Constants of a rung's lattice."""
        if rung not in self._films:
            self._films[rung] = film_tables(self._ladder.film(rung), self._omega_pump, self.gap.N)
        return self._films[rung]

    def _size(self, rung: int) -> Size:
        film: Film = self._ladder.film(rung)
        return Size(film.lattice.N, film.lattice.M, film.ring.L)

    def run(self, machines: Machines, refill: Callable[[], bool]) -> Iterator[None]:
        """Move rows until none is left and none comes; yields after each answer.

        Args:
            machines: The rows.
            refill: Begins points in idle rows; whether it began any.
        """
        waiting: deque[tuple[State, Array, Device]] = deque()
        most = self.chunks[-1]
        while True:
            refill()
            key = machines.state * _RUNGS + np.where(np.isin(machines.state, KINETIC), machines.rung, machines.last)
            counts = np.bincount(key, minlength=_RUNGS * len(State))
            counts[: _RUNGS * State.FIRST] = 0
            best = int(counts.argmax())
            count = int(counts[best])
            if count >= most or (count and not waiting):
                at = np.flatnonzero(key == best)[:most]
                found = self._start(machines, State(best // _RUNGS), best % _RUNGS, at)
                if found is not None:
                    waiting.append((State(best // _RUNGS), at, found))
                if len(waiting) < _AHEAD:
                    continue
            if not waiting:
                if count:
                    continue
                return
            state, at, found = waiting.popleft()
            self._answer(machines, state, at, found)
            yield

    def _start(self, machines: Machines, state: State, rung: int, at: Array) -> Device | None:
        """Start a program; what it finds, or None where nothing needs to be known of it."""
        size = next(n for n in self.chunks if n >= at.size)
        self.effort.add(state.name.lower(), at.size)
        inputs = machines.inputs(state, at)
        padding = ((0, 0), (0, size - at.size))
        places = np.empty((2, size), dtype=np.int32)
        places[:, : at.size], places[0, at.size :], places[1, at.size :] = at, at[0], self.rows
        numbers = np.pad(inputs, padding, mode="edge")
        machines.state[at] = State.BUSY
        program = self._program(state, rung, size)
        self.arrays, found = program(
            self.arrays, jnp.asarray(places), jnp.asarray(numbers), self.c, self.film(rung)[1]
        )
        if state in _SILENT:
            getattr(machines, f"after_{state.name.lower()}")(at)
        return found

    def _program(self, state: State, rung: int, size: int) -> Any:
        """The program of a state on a lattice for a chunk's size, compiled."""
        kin, extra = self.film(rung)[0], 0
        if state == State.FIRST_AHEAD:
            extra = 1
        elif state in (State.OBSERVE, State.CUT):
            extra = kin.N if rung == self._ladder.last else self._size(rung + 1).N
        key = (state, self.gap, kin, extra, self.rows, self.widest, size)
        with _LOCK:
            if key not in _compiled:
                _compiled[key] = Future()
                mine = True
            else:
                mine = False
        if mine:
            try:
                lowered = _PROGRAMS[state].lower(
                    jax.tree.map(_shape, self.arrays), jax.ShapeDtypeStruct((2, size), np.int32),
                    jax.ShapeDtypeStruct((LINES[state], size), np.float64), self.c, self.film(rung)[1],
                    gap=self.gap, size=kin, extra=extra,
                )  # fmt: skip
                _compiled[key].set_result(lowered.compile())
            except BaseException as error:
                _compiled.pop(key).set_exception(error)
                raise
        return _compiled[key].result()

    def _answer(self, machines: Machines, state: State, at: Array, found: Device) -> None:
        if state == State.FETCH:
            fields = [np.asarray(array)[: at.size] for array in found]
            self.fetched(at, fields)
            machines.after_fetch(at)
            return
        numbers = np.asarray(found)[:, : at.size]
        after = {
            State.FIRST: machines.after_first,
            State.FIRST_AHEAD: machines.after_first,
            State.STAGE: machines.after_stage,
            State.ITERATE: machines.after_iterate,
            State.GROW: machines.after_grow,
            State.ACCEPT: machines.after_accept,
            State.OBSERVE: machines.after_observe,
        }[state]
        with np.errstate(all="ignore"):
            after(at, numbers)

    fetched: Callable[[Array, list[Array]], None]
    """Called with rows and their f, n, dressing, rho and p, each of the rows' lattice."""

    def begin(self, rows: Array, which: Array, starts: Tables) -> None:
        """Put rows into thermal equilibrium, each by its entry in a table of starts."""
        for i in range(0, rows.size, self.chunks[-1]):
            some, kinds = rows[i : i + self.chunks[-1]], which[i : i + self.chunks[-1]]
            size = next(n for n in self.chunks if n >= some.size)
            padded, entry = np.full(size, self.rows, dtype=np.int32), np.full(size, kinds[0], dtype=np.int32)
            padded[: some.size], entry[: some.size] = some, kinds
            self.arrays = programs.begin(self.arrays, jnp.asarray(padded), jnp.asarray(entry), starts)
