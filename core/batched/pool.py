"""Rows on a device: whatever program most of them wait for runs on a chunk of them.

Programs are started ahead of their answers, so that the device works while the host decides.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ..kinetics import Film
from ..lattice import Array
from ..pairing.eliashberg import Coupling
from ..windows import Ladder
from . import programs
from .device import Device, jnp
from .machine import Machines, State
from .tables import Size, Tables, film_tables, gap_tables

_AHEAD: Final = 3
"""Programs that are started before the first one's answer is read."""
_RUNGS: Final = 16
KINETIC: Final = (
    State.FIRST, State.FIRST_AHEAD, State.STAGE, State.OBSERVE, State.CUT, State.FETCH,
)  # fmt: skip
"""States whose programs are those of one lattice of the kinetic equations."""


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
        self._energy = self.film(ladder.last)[1]["energy"]
        self.widest = self._size(0).N
        self.rows, self.chunks = rows, chunks
        self.arrays = programs.new_pool(rows, self.widest, self.gap)
        self.effort = Effort()

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
            key = machines.state * _RUNGS + np.where(np.isin(machines.state, KINETIC), machines.rung, 0)
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
        padded = np.full(size, self.rows, dtype=np.int32)
        padded[: at.size] = at
        inputs = machines.inputs(state, at)
        numbers = np.ones((inputs.shape[0], size))
        numbers[:, : at.size] = inputs
        machines.state[at] = State.BUSY
        gap, arrays, c = self.gap, self.arrays, self.c
        where, given = jnp.asarray(padded), jnp.asarray(numbers)
        kin, k = self.film(rung)
        found: Any = None
        if state in (State.FIRST, State.FIRST_AHEAD):
            ahead = state == State.FIRST_AHEAD
            self.arrays, found = programs.first(arrays, where, given, k, size=kin, extrapolate=ahead)
        elif state == State.STAGE:
            self.arrays, found = programs.stage(arrays, where, given, k, size=kin)
        elif state == State.PREPARE:
            self.arrays = programs.prepare(arrays, where, given, c, gap=gap)
            machines.after_prepare(at)
        elif state == State.ITERATE:
            self.arrays, found = programs.iterate(arrays, where, given, c, gap=gap)
        elif state == State.GROW:
            self.arrays, found = programs.grow(arrays, where, given, c, gap=gap)
        elif state == State.AMPLITUDE:
            self.arrays = programs.amplitude(arrays, where, given, c, gap=gap)
            machines.after_amplitude(at)
        elif state == State.ACCEPT:
            self.arrays, found = programs.accept(arrays, where, given, c, self._energy, gap=gap)
        elif state == State.OBSERVE:
            below = kin.N if rung == machines.last else self._size(rung + 1).N
            self.arrays, found = programs.observe(arrays, where, given, c, k, size=kin, gap=gap, below=below)
        elif state == State.CUT:
            self.arrays = programs.cut(arrays, where, k, size=kin, to=self._size(rung + 1).N)
            machines.after_cut(at)
        else:
            self.arrays, found = programs.fetch(arrays, where, size=kin, gap=gap)
        return found

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
            padded, entry = np.full(size, self.rows, dtype=np.int32), np.zeros(size, dtype=np.int32)
            padded[: some.size], entry[: some.size] = some, kinds
            self.arrays = programs.begin(self.arrays, jnp.asarray(padded), jnp.asarray(entry), starts)
