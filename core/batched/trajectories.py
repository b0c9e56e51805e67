"""Trajectories of one material and one photon energy, computed together with the results of `simulate`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from .. import soft_mode
from ..lattice import Array
from ..material import Material
from ..optical_trace import observe_probe
from ..pairing.allen_dynes import weak_coupling_gap
from ..pairing.eliashberg import Coupling
from ..pairing.gap import GapSolution, SelfEnergy
from ..pairing.tracking import GapError
from ..processes import slab_terms
from ..result import Outcome, Result, coordinates
from ..series import derived, film_series, ledger_error, overrun
from ..settings import Damping, Point, Settings
from ..simulate import (
    _absorbed,
    _pump,
    build_bare_coupling,
    build_coupling,
    build_equilibrium,
    build_film,
    check,
)
from ..slab import Sample
from ..terms.pump import Pump
from ..thermal import bose, fermi
from ..windows import Ladder, build_ladder
from . import scope
from .chunks import Effort, Pool
from .device import describe, jax, jnp
from .device_tables import gap_tables
from .machine import INITIAL, Machines
from .phases import Phase
from .programs import SEEN, bytes_of_row

CHUNKS: Final = (1024, 2048)
"""Sizes of chunks, ascending; each is compiled for itself."""
_ON_CPU: Final = 16
"""Size of chunks without a GPU, where more rows at once gain nothing."""
_ROWS: Final = 8
"""Rows per place in the largest chunk, so that chunks are full."""
_SHARE: Final = 0.6
"""Share of a GPU's memory that rows take."""


_LARGEST: Final = 4.0
"""Gap for which spectral weights are prepared, in units of the weak-coupling gap at T = 0; the scalar solver
computes points with a larger one."""


class Trial(NamedTuple):
    """A point and its settings."""

    point: Point
    settings: Settings


class Scalar(NamedTuple):
    """The reason why the scalar solver has to compute a point."""

    reason: str


@dataclass(frozen=True)
class Key:
    """Key of points that share arrays: material, spacing, window and photon energy."""

    material: Material
    spacing: float
    window: float
    omega_pump: float

    @classmethod
    def of(cls, trial: Trial) -> "Key":
        """Key of a point, with its soft mode in the material."""
        point, settings = soft_mode.softened(trial.point, trial.settings), trial.settings
        material = point.material
        return cls(
            material, settings.spacing or material.spacing, settings.window or material.window, point.omega_pump
        )


def simulate_all(
    trials: Sequence[Trial], *, chunks: tuple[int, ...] | None = None, rows: int | None = None
) -> Iterator[tuple[int, Result | Scalar]]:
    """Results of points as they finish, each with its position in the sequence.

    Args:
        trials: The points.
        chunks: Sizes of chunks, ascending; `CHUNKS` cut to the number of points if None.
        rows: Rows at once; by the device's memory if None.
    Yields:
        A result, always of the outcome OK, or a `Scalar` for a point that needs the scalar solver.
    """
    groups: dict[Key, list[int]] = {}
    for i, trial in enumerate(trials):
        check(trial.point, trial.settings)
        reason = scope.refusal(trial.point, trial.settings)
        if reason is not None:
            yield i, Scalar(reason)
        else:
            groups.setdefault(Key.of(trial), []).append(i)
    for key, places in groups.items():
        batch = Batch(key, [trials[i] for i in places], chunks=chunks, rows=rows)
        for place, found in batch.run():
            yield places[place], found


simulate_all.device = describe  # type: ignore[attr-defined]


@dataclass
class _Prepared:
    """A point before its first step."""

    pump: Pump
    chi: float
    U: float
    mu_star: float
    start: int
    times: Array
    slab_thickness: Array
    full_samples: bool
    samples: list[Sample] = field(default_factory=list)


class Batch:
    """Points of one key.

    Args:
        key: Material, lattice and settings that the points share.
        trials: The points.
        chunks, rows: See `simulate_all`.
    """

    def __init__(
        self, key: Key, trials: Sequence[Trial], *, chunks: tuple[int, ...] | None = None, rows: int | None = None
    ) -> None:
        self.key = key
        self.trials = [Trial(soft_mode.softened(*trial), trial.settings) for trial in trials]
        material = key.material
        self.ladder: Ladder = build_ladder(
            lambda w: build_film(material, key.spacing, w), key.window, key.omega_pump
        )
        lattice = self.ladder.film(self.ladder.last).lattice
        coupling = build_bare_coupling(material, key.spacing, key.window)
        largest = _LARGEST * weak_coupling_gap(material.Tc0)
        size = gap_tables(coupling, largest)[0]
        self.chunks = chunks or _fitting(len(trials))
        widest = self.ladder.film(0).lattice.N
        self.rows = rows or _rows_by_memory(self.chunks[-1], bytes_of_row(widest, size))
        self.pool = Pool(coupling, self.ladder, key.omega_pump, self.rows, self.chunks, largest)
        self.pool.fetched = self._fetched
        self.machines = Machines(
            self.rows, lattice.h, len(self.ladder.windows), self.ladder.begin, finish=self._finish,
            give_up=self._give_up, record=self._record,
        )  # fmt: skip
        self.prepared: dict[int, _Prepared] = {}
        self._left = list(reversed(range(len(trials))))
        self._found: list[tuple[int, Result | Scalar]] = []
        self._seen = np.zeros((self.rows, 0, len(_COLUMNS)))
        self._couplings: dict[str, Coupling | Scalar] = {}
        self._starts: dict[tuple[str, float, float], int] = {}
        self._table: list[GapSolution] = []
        self._temperatures: list[float] = []
        self._device_table: Any = None

    @property
    def effort(self) -> Effort:
        """Programs run so far."""
        return self.pool.effort

    def run(self) -> Iterator[tuple[int, Result | Scalar]]:
        """Results of points as they finish."""
        for _ in self.pool.run(self.machines, self._refill):
            yield from self._found
            self._found.clear()
        yield from self._found

    def _refill(self) -> bool:
        """Start many points at once in idle rows."""
        idle = np.flatnonzero(self.machines.phase == Phase.IDLE)
        enough = min(len(self._left), self.rows, max(1, self.chunks[-1] // 4))
        if not self._left or idle.size < enough:
            return False
        rows, which = [], []
        for row in idle:
            while self._left:
                place = self._left.pop()
                prepared = self._prepare(place)
                if prepared is not None:
                    self.prepared[int(row)] = prepared
                    self._begin(int(row), place, prepared)
                    rows.append(row)
                    which.append(prepared.start)
                    break
        if rows:
            self.pool.begin(np.array(rows), np.array(which), self._start_table())
        return bool(rows)

    def _prepare(self, place: int) -> _Prepared | None:
        """Pulse, equilibrium and times of a point; None if the scalar solver has to compute it."""
        point, settings = self.trials[place]
        material, key = self.key.material, self.key
        coupling = self._coupling(settings.damping)
        if isinstance(coupling, Scalar):
            self._found.append((place, coupling))
            return None
        try:
            gap = build_equilibrium(material, key.spacing, key.window, settings.damping, point.T, settings.gap_tol)
        except GapError:
            self._found.append((place, Scalar("gap equation, in equilibrium")))
            return None
        thickness, chi, U = _absorbed(point, settings)
        pump = _pump(point, settings, float(U[0]))
        strange = self._strange(point, settings, pump)
        if strange or not pump.U > 0.0:
            self._found.append((place, Scalar(strange or "no pulse")))
            return None
        start = (settings.damping, point.T, settings.gap_tol)
        if start not in self._starts:
            self._starts[start] = len(self._table)
            self._table.append(gap)
            self._temperatures.append(point.T)
            self._device_table = None
        wants = bool(settings.energies or settings.frequencies or settings.omega_probe is not None)
        return _Prepared(
            pump, float(chi), float(U[0]), coupling.mu_star, self._starts[start], coordinates(settings)["time"],
            thickness, wants,
        )  # fmt: skip

    def _coupling(self, damping: Damping) -> Coupling | Scalar:
        """The coupling of a damping, or the reason why there is none: Tc0 is out of reach."""
        if damping not in self._couplings:
            key = self.key
            try:
                self._couplings[damping] = build_coupling(key.material, key.spacing, key.window, damping)
            except ValueError as error:
                self._couplings[damping] = Scalar(str(error))
        return self._couplings[damping]

    def _strange(self, point: Point, settings: Settings, pump: Pump) -> str:
        """Name of a process of the point that the batched solver lacks; empty if there is none."""
        from ..kinetics import Setup

        film = self.ladder.film(self.ladder.last)
        setup = Setup(
            point=point, settings=settings, film=film, pump=pump, gamma=lambda t, unit: 0.0,
            n_eq=np.zeros(film.lattice.M + 1),
        )  # fmt: skip
        names = [type(term).__name__ for term in slab_terms(setup) if type(term) not in scope.TERMS]
        return f"process {names[0]}" if names else ""

    def _start_table(self) -> Any:
        """Equilibria on the device, one for each damping, temperature and tolerance."""
        if self._device_table is None:
            wide, lattice = self.ladder.film(0).lattice, self.ladder.film(self.ladder.last).lattice
            begin = self.ladder.film(self.ladder.begin).lattice.N
            f = np.stack([fermi(wide.E, T) for T in self._temperatures])
            f[:, begin:] = 0.0
            first = np.exp(-8.0 * lattice.E / lattice.E[-1]) / lattice.E
            found = {
                "f": f,
                "n": np.stack([bose(lattice.Omega, T) for T in self._temperatures]),
                "gap": np.stack([_four(gap) for gap in self._table]),
                "rho": np.stack([gap.rho for gap in self._table]),
                "p": np.stack([gap.p for gap in self._table]),
                "vector": np.stack([first for _ in self._table]),
            }
            self._device_table = {name: jnp.asarray(value) for name, value in found.items()}
        return self._device_table

    def _begin(self, row: int, place: int, prepared: _Prepared) -> None:
        """Set the numbers of a row at its first time."""
        m, pump, settings = self.machines, prepared.pump, self.trials[place].settings
        point, gap = self.trials[place].point, self._table[prepared.start]
        m.numbers[:, row] = 0.0
        for name in ("steps", "rejected", "evaluations", "gap_iterations", "count"):
            getattr(m, name)[row] = 0
        m.schedule(row, prepared.times)
        m.point[row], m.t[row], m.plan[row] = place, prepared.times[0], pump.tau_pump / 20
        m.wants_fields[row] = prepared.full_samples
        m.tau_pump[row], m.U[row], m.begins[row], m.ends[row] = pump.tau_pump, pump.U, pump.begins, pump.ends
        m.rtol[row], m.atol[row], m.gap_tol[row] = settings.rtol, settings.atol, settings.gap_tol
        m.mu_star[row], m.full[row] = prepared.mu_star, float(settings.damping == "full")
        m.pairs[row], m.emission[row] = pump.pairs, float(settings.stimulated_emission)
        m.escape[row] = 1.0 / point.tau_esc if point.tau_esc > 0 else 0.0
        m.free[row], m.max_steps[row] = float(point.tau_esc > 0), settings.max_steps
        m.Delta0[row], m.phi0[row] = gap.amplitude, gap.self_energy.phi[0].real
        m.W0[row], m.normal[row], m.sloped[row] = gap.self_energy.omegaZ[0].real, gap.is_normal, False
        m.waiting[row] = prepared.times[0] < pump.begins
        m.rung[row] = self.ladder.last if m.waiting[row] else self.ladder.begin
        m.purpose[row], m.phase[row] = INITIAL, Phase.OBSERVE

    def _record(self, rows: Array, found: Array) -> None:
        m = self.machines
        if self._seen.shape[1] < m.times.shape[1]:
            longer = ((0, 0), (0, m.times.shape[1] - self._seen.shape[1]), (0, 0))
            self._seen = np.pad(self._seen, longer)
        more = np.stack([m.Delta0[rows], m.U_gap[rows], m.U_overrun[rows], m.t[rows]])
        self._seen[rows, m.sample[rows]] = np.concatenate([found, more]).T

    def _fetched(self, rows: Array, fields: list[Array]) -> None:
        """Keep whole samples for points that record more than the usual series."""
        for row, f, n, x, rho, p in zip(rows, *fields, strict=True):
            prepared = self.prepared[int(row)]
            seen = dict(zip(_COLUMNS, self._seen[row, self.machines.sample[row]], strict=True))
            film = self.ladder.film(int(self.machines.rung[row]))
            dressed = SelfEnergy(x[0] + 1j * x[1], x[2] + 1j * x[3])
            gap = GapSolution(dressed, rho, p, film.lattice.h, 0, 0.0, True)
            sample = Sample(
                t=seen["t"], E=film.lattice.E, f=f, n=n, gap=gap, n_qp=seen["n_qp"], U_qp=seen["U_qp"],
                U_absorbed=seen["U_absorbed"], U_escaped=seen["U_escaped"], U_gap=seen["U_gap"],
                U_overrun=seen["U_overrun"], Gamma=seen["gamma"],
            )  # fmt: skip
            prepared.samples.append(sample)

    def _give_up(self, row: int, why: str) -> None:
        del self.prepared[row]
        self._found.append((int(self.machines.point[row]), Scalar(why)))

    def _finish(self, row: int) -> None:
        prepared, place = self.prepared.pop(row), int(self.machines.point[row])
        try:
            self._found.append((place, self._result(row, place, prepared)))
        except ValueError as error:
            self._found.append((place, Scalar(str(error))))

    def _result(self, row: int, place: int, prepared: _Prepared) -> Result:
        """The result of a row at its last time.

        Raises:
            ValueError: as `simulate` does, where a film cannot be observed by its probe.
        """
        m, (point, settings) = self.machines, self.trials[place]
        columns = dict(zip(_COLUMNS, self._seen[row, : m.sample[row]].T.copy(), strict=True))
        film = self.ladder.film(self.ladder.last)
        if prepared.full_samples:
            data = film_series([prepared.samples], film, point, settings)
        else:
            data = _series(columns, film.lattice.h)
        data |= {
            "chi": np.array(prepared.chi),
            "absorbed_energy_density": np.array(prepared.U),
            "mu_star": np.array(prepared.mu_star),
        }
        data["ledger_error"] = np.array(ledger_error(data, prepared.U))
        data["overrun"] = np.array(overrun([[_Last(columns["U_overrun"][-1], columns["U_absorbed"][-1])]]))
        if settings.omega_probe is not None:
            data |= observe_probe([prepared.samples], prepared.slab_thickness, self.key.material, settings)
        diagnostics = {
            "steps": float(m.steps[row]),
            "rejected_steps": float(m.rejected[row]),
            "evaluations": float(m.evaluations[row]),
            "gap_iterations": float(m.gap_iterations[row]),
            "blocked_above": float(m.blocked_above[row]),
            "mu_star": prepared.mu_star,
        }
        return Result(outcome=Outcome.OK, data=data, diagnostics=diagnostics)


class _Last(NamedTuple):
    """The part of the last sample that `series.overrun` reads."""

    U_overrun: float
    U_absorbed: float


_COLUMNS: Final = (*SEEN, "Delta0", "U_gap", "U_overrun", "t")
_SERIES: Final[dict[str, str]] = {
    "Delta0": "Delta0", "gap_edge": "gap_edge", "f_gap": "f_gap", "f_pump": "f_pump", "Gamma": "gamma",
    "U_absorbed": "U_absorbed", "U_qp": "U_qp", "U_ph": "U_ph", "U_escaped": "U_escaped", "U_gap": "U_gap",
}  # fmt: skip


def _series(columns: dict[str, Array], h: float) -> dict[str, Array]:
    """The usual series, as in `series.film_series`."""
    data = {name: columns[column] for name, column in _SERIES.items()}
    for name in ("U_qp", "U_ph"):
        data[name] = data[name] - data[name][0]
    return data | derived(data["Delta0"], columns["t"], h)


def _four(gap: GapSolution) -> Array:
    W, phi = gap.self_energy.omegaZ, gap.self_energy.phi
    return np.stack([W.real, W.imag, phi.real, phi.imag])


def _fitting(points: int) -> tuple[int, ...]:
    """Sizes of chunks for a number of points."""
    if jax.default_backend() == "cpu":
        return (min(points, _ON_CPU),)
    enough = next((n for n in CHUNKS if n >= points), CHUNKS[-1])
    return tuple(n for n in CHUNKS if n <= enough)


def _rows_by_memory(chunk: int, size: int) -> int:
    """Number of rows of `size` bytes each that fit into the device's memory."""
    stats: dict[str, Any] = jax.devices()[0].memory_stats() or {}
    limit = stats.get("bytes_limit", 2**32)
    return int(max(1, min(_ROWS * chunk, _SHARE * limit // size)))
