"""Programs for chunks of a pool's rows, whose arrays are read, changed, and written back in place.

A chunk that is not full repeats its first row, and the results of the copies are dropped: a transform may combine
two real signals, so that the NaN of an empty row would reach its neighbour. Numbers of rows (times, rates, flags)
are packed in one array, one line for each.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from ..pairing.gap import LEAST_Z
from .device import Device, jax, jnp
from .device_tables import Size, Tables
from .gap import (
    DEPTH,
    dressed,
    gap_map,
    growth,
    joined,
    kernel,
    pairing,
    solve_small,
)  # fmt: skip
from .pairs import Pair
from .row_kinetics import LEDGER, Rows, derivative, fastest_rate, fill_above, light, split
from .weights import spectral_weights

Pool = dict[str, Any]
"""Arrays of all rows by name; the first axis is the row's."""
Arrays = dict[str, Any]
"""Arrays of a chunk's rows by name, likewise."""
STATES: Final = ("y", "now", "before", "F0", "F")
"""State vectors, with the length of the widest lattice."""
HISTORY: Final = ("dS", "dR")
"""Changes of x + r and of r in the Anderson acceleration; programs read them from the pool, not from a chunk."""

_ROWS: Final = 6
GROWING: Final = 1.05
"""Growth of a gap in an iteration beyond which it is scaled up rather than accelerated, as in `pairing.gap`."""
SLACK: Final = 0.03
"""As in `pairing.opening`."""
CONTINUE, DONE, NORMAL, BAD = 0, 1, 2, 3
"""How an iteration of the gap equation ended."""


class Program(NamedTuple):
    """A compiled function of a pool's rows, and the names of the arrays that it reads."""

    run: Any
    reads: tuple[str, ...]
    name: str


def program(
    *reads: str, pooled: tuple[str, ...] = (), static: tuple[str, ...] = ("extra",)
) -> Callable[[Callable[..., Any]], Program]:
    """Compile a function of rows, once for each lattice.

    Its arguments are the rows' arrays, their numbers, and the constants of the gap equation and of the kinetic
    equations; it returns the arrays that change, and the numbers that the host needs, if any. The program's are the
    pool's arrays, the rows `at` of a chunk, and the others.

    Args:
        reads: Names of the arrays whose rows it reads; of state vectors only the length of the lattice.
        pooled: Names of those that it reads as a whole.
        static: Names of further arguments that it is compiled for.
    """

    def wrap(function: Callable[..., Any]) -> Program:
        def run(
            pool: Pool, at: Device, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, **more: Any
        ) -> Any:
            length = LEDGER + gap.M + 1 + size.N
            a = {name: _rows_of(pool[name], at, length if name in STATES else None) for name in reads}
            a |= {name: pool[name] for name in pooled} | {"at": at}
            return function(a, numbers, c, k, gap=gap, size=size, **more)

        run.__name__ = function.__name__
        compiled = jax.jit(run, static_argnames=("gap", "size", *static))
        return Program(compiled, (*reads, *pooled), function.__name__)

    return wrap


def _rows_of(array: Device, at: Device, length: int | None = None) -> Device:
    return (array if length is None else array[:, :length]).at[at].get(mode="promise_in_bounds")


def _rows(a: Arrays, numbers: Device) -> Rows:
    power, saturated, pairs, emission, escape, free = numbers[:_ROWS]
    return Rows(power, saturated, pairs, emission, escape, free, a["n_eq"])


@partial(jax.jit, donate_argnames=("arrays",))
def put(arrays: Arrays, to: Device, slot: Device, new: Arrays) -> Arrays:
    """Write changed arrays back in place: one entry of a history, the first entries of a state vector.

    It only writes: a program that also reads these arrays copies them as a whole. Rows beyond the pool (all
    different) and entries beyond the history belong to nothing and are dropped.
    """
    out = {}
    for name, value in new.items():
        if name in HISTORY:
            place = arrays[name].at[to, slot]
        elif name in STATES:
            place = arrays[name].at[to, : value.shape[1]]
        else:
            place = arrays[name].at[to]
        out[name] = place.set(value, mode="drop", unique_indices=True)
    return out


def new_pool(rows: int, widest: int, gap: Size) -> Pool:
    """A pool of rows.

    Args:
        rows: Their number.
        widest: Cells of the widest lattice.
        gap: The gap equation's lattice.
    """
    B, N, M = rows, gap.N, gap.M
    states = {name: jnp.zeros((B, LEDGER + M + 1 + widest)) for name in STATES}
    dressings = {name: jnp.zeros((B, 4, N)) for name in ("gap", "slope", "x", "lx", "lr", "normal", "held", "then")}
    weights = {name: jnp.zeros((B, N)) for name in ("rho", "p", "rho_s", "p_s", "rho_x", "p_x", "vector")}
    history = {name: jnp.zeros((B, DEPTH, 4, N)) for name in HISTORY}
    return (
        states | dressings | weights | history
        | {
            "gram": jnp.zeros((B, DEPTH, DEPTH)),
            # real and imaginary part: a GPU scatters complex numbers of 16 bytes one by one
            "K": jnp.zeros((B, 2, gap.L // 2 + 1)),
            "width": jnp.zeros(B),
            "tail": jnp.zeros((B, 2, N)),
            "n_eq": jnp.zeros((B, M + 1)),
        }
    )  # fmt: skip


def bytes_of_row(widest: int, gap: Size) -> int:
    """Bytes per row of the pool."""
    N, M = gap.N, gap.M
    reals = 5 * (LEDGER + M + 1 + widest) + (32 + 7 + 8 * DEPTH + 2) * N + gap.L + 2 + M + DEPTH**2
    return 8 * reals


def begun(which: Device, starts: Tables) -> Arrays:
    """Arrays of rows in thermal equilibrium, from a table of initial states."""
    found = {name: value[which] for name, value in starts.items()}
    ledger = jnp.zeros((which.shape[0], LEDGER))
    y = jnp.concatenate([ledger, found["n"], found["f"]], -1)
    return {"y": y, "n_eq": found["n"]} | {name: found[name] for name in ("gap", "rho", "p", "vector")}


def _weights(x: Device, gap: Size) -> tuple[Device, Device, Device]:
    """Spectral weights of dressings (B, 4, N), and whether they are right."""
    return spectral_weights(*dressed(x), gap.near)


@program("y", "n_eq", "gap", "slope", "rho", "p")
def first(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """Rates at the start of a step, at its middle's weights; Gamma, the fastest rate, 1 if these weights are right.

    Numbers: those of `Rows`, half the step (ps) or 0 without a slope.
    """
    new, found = _first(a, _rows(a, numbers), numbers[_ROWS], k, gap, size)
    return new, jnp.stack(found)


def _first(a: Arrays, rows: Rows, half: Device, k: Tables, gap: Size, size: Size) -> tuple[Arrays, list[Device]]:
    """Rates at the start of a step, with the weights of the extrapolated gap where there is a slope."""
    sloped, y = (half > 0.0)[:, None], a["y"]
    rho, p, fits = _weights(_ahead(a, half), gap)
    rho, p = jnp.where(sloped, rho, a["rho"]), jnp.where(sloped, p, a["p"])
    F, gamma = derivative(size, k, rows, y, *fill_above(rho, p, size.N))
    radius = fastest_rate(k, rows, split(size, y)[1], gamma)
    return {"F0": F, "rho_s": rho, "p_s": p}, [gamma, radius, jnp.where(half > 0.0, fits, True)]


def _ahead(a: Arrays, dt: Device) -> Device:
    """The gap extrapolated by dt, (B,); where that is zero, its slope may be anything."""
    dt = dt[:, None, None]
    return a["gap"] + jnp.where(dt == 0.0, 0.0, dt * a["slope"])


_STAGE: Final = 6


def _stages(
    a: Arrays, start: tuple[Device, Device, Device], numbers: Device, c: Tables, k: Tables, gap: Size, size: Size,
    count: int, ends: bool,
) -> tuple[Arrays, Device]:  # fmt: skip
    """Next stages of a step; its error, range of occupations and phonon kernels as if it ended with them.

    Numbers: those of `Rows`, dt (ps), rtol, atol, the step again or 0 without a slope; then for each stage: power;
    coefficients of y, now, before, F and F0.

    Args:
        a, numbers, c, k, gap, size: As of a program.
        start: The states of the last two stages, and the rates of the last one.
        count: Number of stages.
        ends: Whether the last of them is the last of every row.
    """
    rows = _rows(a, numbers)
    dt, rtol, atol, ahead = (x[:, None] for x in numbers[_ROWS : _ROWS + 4])
    y, F0 = a["y"], a["F0"]
    each = numbers[_ROWS + 4 :].reshape(count, _STAGE, -1)
    rho, p = fill_above(a["rho_s"], a["p_s"], size.N)

    def stage(i: Device, state: tuple[Device, Device, Device]) -> tuple[Device, Device, Device]:
        before, now, F = state
        power = each[i, 0]
        b, by_now, by_before, by_F, by_F0 = (x[:, None] for x in each[i, 1:])
        new = b * y + by_now * now + by_before * before + by_F * F + by_F0 * F0
        return now, new, derivative(size, k, rows._replace(power=power), new, rho, p)[0]

    before, new, F = jax.lax.fori_loop(0, count, stage, start) if count > 1 else stage(0, start)
    error = jnp.abs(0.8 * (y - new) + 0.4 * dt * (F0 + F))
    relative = error / (atol + rtol * jnp.maximum(jnp.abs(y), jnp.abs(new)))
    _, n, f = split(size, new)
    found = [
        jnp.max(relative[:, LEDGER:], -1), error[:, 0],
        jnp.minimum(jnp.min(f, -1), jnp.min(n, -1)), jnp.max(f, -1),
    ]  # fmt: skip
    K, width, tail = kernel(gap, c, n)
    x = _ahead(a, ahead[:, 0])
    changed = {"now": new, "K": jnp.stack([K.real, K.imag], 1), "width": width, "tail": tail, "x": x}
    return changed | ({} if ends else {"before": before, "F": F}), jnp.stack(found)


_STEP: Final = ("y", "F0", "n_eq", "rho_s", "p_s", "gap", "slope")


@program(*_STEP, static=("count", "ends"))
def stages(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, count: int, ends: bool
) -> tuple[Arrays, Device]:
    """See `_stages`, from the first stage of a step on."""
    return _stages(a, (a["y"], a["y"], a["F0"]), numbers, c, k, gap, size, count, ends)


@program(*_STEP, "now", "before", "F", static=("count", "ends"))
def resume(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, count: int, ends: bool
) -> tuple[Arrays, Device]:
    """See `_stages`, from a later stage of a step on."""
    return _stages(a, (a["before"], a["now"], a["F"]), numbers, c, k, gap, size, count, ends)


_KERNEL: Final = ("now", "K", "width", "tail")


def _gap_rows(a: Arrays, gap: Size) -> tuple[tuple[Device, Device, Device], Device]:
    start = LEDGER + gap.M + 1
    K = a["K"][:, 0] + 1j * a["K"][:, 1]
    return (K, a["width"], a["tail"]), a["now"][:, start : start + gap.N]


@program(*_KERNEL, "x", "lx", "lr", "gram", pooled=HISTORY)
def iterate(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """One iteration of `pairing.gap.solve_gap`, or of `pairing.opening.hold` where an amplitude is held.

    Numbers: mu_star; 1 for `full` damping; the held amplitude (meV), 0 for none; tolerance; smallest gap (meV);
    number of changes in the history; 1 in the first iteration of an equation, which adds no change. Results: how it
    ended, residual, growth, Re phi0, Re W0, 1 if the weights are right.
    """
    mu_star, full, height, tol, smallest, count, fresh = numbers
    dressing, f = _gap_rows(a, gap)
    x = a["x"]
    rho, p, fits = _weights(x, gap)
    image = gap_map(gap, c, dressing, (mu_star, full), rho, p, f)
    held = height > 0.0
    grown = image[:, 2, 0] / jnp.where(held, height, 1.0)
    sane = (grown > 0.0) & (grown < jnp.inf)
    scaled = _with_phi(image, jnp.where(held & sane, 1.0 / jnp.where(sane, grown, 1.0), 1.0))
    largest = jnp.sqrt(jnp.max(scaled[:, 2] ** 2 + scaled[:, 3] ** 2, -1))
    r = scaled - x
    residual = jnp.max(jnp.abs(r), (1, 2)) / largest
    factor = _size0(image) / jnp.maximum(_size0(x), 1e-300)
    allowed = jnp.where(held, jnp.maximum(tol, SLACK * jnp.abs(grown - 1.0)), tol)
    done = residual < allowed
    grows = ~held & ~done & (factor > GROWING)
    code = jnp.where(done, DONE, jnp.where(grows, -1, CONTINUE))
    code = jnp.where(held & ~sane, BAD, jnp.where(~held & (largest < smallest), NORMAL, code))
    history, new = _accelerated(a, x, r, count, fresh > 0.0)
    ratio = height / jnp.where(new[:, 2, 0] == 0.0, 1.0, new[:, 2, 0])
    new = _with_phi(new, jnp.where(held, ratio, 1.0))
    grown_up = _with_phi(image, jnp.minimum(factor, 2.0))
    sign = jnp.where(held | (image[:, 2, 0] >= 0.0), 1.0, -1.0)
    is_done, is_up = (flag[:, None, None] for flag in (done, grows))
    new = jnp.where(is_done, _with_phi(scaled, sign), jnp.where(is_up, grown_up, new))
    changed = history | {"x": new, "rho_x": rho, "p_x": sign[:, None] * p}
    return changed, jnp.stack([code, residual, grown, new[:, 2, 0], new[:, 0, 0], fits])


def _with_phi(x: Device, factor: Device) -> Device:
    """The dressing with phi multiplied by a factor."""
    return jnp.concatenate([x[:, :2], factor[:, None, None] * x[:, 2:]], 1)


def _size0(x: Device) -> Device:
    """|phi| in the first cell."""
    return jnp.sqrt(x[:, 2, 0] ** 2 + x[:, 3, 0] ** 2)


def _accelerated(a: Arrays, x: Device, r: Device, count: Device, fresh: Device) -> tuple[Arrays, Device]:
    """Next iterate by Anderson's least squares; see `pairing.anderson`.

    The history of the rows `at` stays in the pool. The first iteration of an equation is no change.
    """
    count = count.astype(jnp.int32)
    rows, slot = jnp.arange(x.shape[0]), count % DEPTH
    filled = jnp.minimum(count + ~fresh, DEPTH)
    dR, dS = _rows_of(a["dR"], a["at"]), _rows_of(a["dS"], a["at"])
    first = fresh[:, None, None]
    dr = jnp.where(first, 0.0, r - a["lr"])
    ds = jnp.where(first, 0.0, x - a["lx"] + dr)
    newest = (jnp.arange(DEPTH) == slot[:, None]) & ~fresh[:, None]
    old = (jnp.arange(DEPTH) < filled[:, None]) & ~newest
    column = jnp.where(old, jnp.sum(dR * dr[:, None], (2, 3)), 0.0)
    column = jnp.where(newest, jnp.sum(dr * dr, (1, 2))[:, None], column)
    gram = a["gram"].at[rows, slot].set(column).at[rows, :, slot].set(column)
    gram = jnp.where(first, a["gram"], gram)
    right = jnp.where(old, jnp.sum(dR * r[:, None], (2, 3)), 0.0)
    right = jnp.where(newest, jnp.sum(dr * r, (1, 2))[:, None], right)
    coefficients = solve_small(gram, right, filled)
    by_new = jnp.sum(jnp.where(newest, coefficients, 0.0), -1)[:, None, None]
    # entries that are not filled may hold anything, NaN too
    by_old = jnp.where(old[:, :, None, None], coefficients[:, :, None, None] * dS, 0.0)
    new = x + r - by_new * ds - jnp.sum(by_old, 1)
    return {"dS": ds, "dR": dr, "gram": gram, "lx": x, "lr": r}, new


@program(*_KERNEL, "vector")
def grow(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """The normal state of a trial and the largest eigenvalue of the equation linearised around it.

    Numbers: mu_star, 1 for `full` damping. Results: eigenvalue, its error, Int f / h, Re W of the first cell.
    """
    dressing, f = _gap_rows(a, gap)
    normal, eigenvalue, vector, doubt = growth(gap, c, dressing, (numbers[0], numbers[1]), f, a["vector"])
    return {"normal": normal, "vector": vector}, jnp.stack([eigenvalue, doubt, jnp.sum(f, -1), normal[:, 0, 0]])


@program(*_KERNEL, "x", "held", "then", "gap", "slope", "normal", "vector")
def amplitude(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, None]:
    """Next step of the search for an opening gap, at another amplitude; see `pairing.opening`.

    Numbers: mu_star; 1 for `full` damping; the amplitude (meV); the step (ps), 0 without slope; 1 to take note of
    the shape that has settled; 1, 2 or 3 to start from the assumed gap, the linearised equation's, or the last
    shape; how far to extrapolate along the last two.
    """
    mu_star, full, height, dt, keep, source, along = numbers
    last = jnp.where(keep[:, None, None] > 0.0, a["x"], a["held"])
    then = jnp.where(keep[:, None, None] > 0.0, a["held"], a["then"])
    assumed = _ahead(a, dt)
    dressing, f = _gap_rows(a, gap)
    normal = a["normal"]
    linear = joined(dressed(normal)[0], pairing(gap, c, dressing, (mu_star, full), a["vector"], f))
    state = jnp.where(source[:, None, None] == 1.0, assumed, jnp.where(source[:, None, None] == 2.0, linear, last))
    x = _at_height(state, height)
    along = along[:, None, None]
    x = x + jnp.where(along == 0.0, 0.0, along * (x - _at_height(then, height)))
    return {"held": last, "then": then, "x": _at_height(x, height)}, None


def _at_height(x: Device, height: Device) -> Device:
    return _with_phi(x, height / jnp.where(x[:, 2, 0] == 0.0, 1.0, x[:, 2, 0]))


@program("y", "now", "n_eq", "gap", "rho", "p", "normal", "x", "rho_x", "p_x")
def settle(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """Accept a trial whose gap is solved; the numbers `SEEN` of its state, and the rates as in `first`.

    Numbers: 1 / dt, or 0 where the gap opened, closed or is absent; 1 where the solution is the normal state; half
    the next step (ps) or 0 where the first number is; those of `Rows`. Further results: energy from the changing
    density of states, Re W0, Re phi0, Gamma, the fastest rate, 1 if the weights are right.
    """
    (inverse, normal, half), rows = numbers[:3], _rows(a, numbers[3:])
    accepted, moved = _accept(a, inverse, normal > 0.0, k, gap)
    a = a | accepted
    W0, phi0 = a["gap"][:, 0, 0], a["gap"][:, 2, 0]
    Delta0 = phi0 / jnp.maximum(W0 / (0.5 * c["h"]), LEAST_Z)
    seen = _seen(a, rows, Delta0, c, k, size, extra)
    new, found = _first(a, rows, half, k, gap, size)
    return accepted | new, jnp.stack([*seen, moved, W0, phi0, *found])


def _accept(a: Arrays, inverse: Device, is_normal: Device, k: Tables, gap: Size) -> tuple[Arrays, Device]:
    """The accepted state, and the energy from the changing density of states."""
    W = dressed(a["normal"])[0]
    none = jnp.zeros_like(W.re)
    new = jnp.where(is_normal[:, None, None], joined(W, Pair(none, none)), a["x"])
    rho = jnp.where(is_normal[:, None], 1.0, a["rho_x"])
    p = jnp.where(is_normal[:, None], 0.0, a["p_x"])
    start = LEDGER + gap.M + 1
    f = 0.5 * (a["y"][:, start : start + gap.N] + a["now"][:, start : start + gap.N])
    moved = jnp.sum(k["energy"][: gap.N] * (rho - a["rho"]) * f, -1)
    slope = inverse[:, None, None] * (new - a["gap"])
    return {"y": a["now"], "gap": new, "rho": rho, "p": p, "slope": slope}, moved


SEEN: Final = (
    "gamma", "unit_power", "unit_overrun", "blocked", "above", "U_absorbed", "U_escaped", "U_qp", "U_ph", "n_qp",
    "gap_edge", "f_gap", "f_pump",
)  # fmt: skip
"""Numbers of a state that `observe` returns."""


@program("y", "n_eq", "gap", "rho", "p")
def observe(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """The numbers `SEEN` of the present state; `above` is the energy beyond the narrower lattice of `extra` cells.

    Numbers: those of `Rows`, Delta0 (meV).
    """
    return {}, jnp.stack(_seen(a, _rows(a, numbers), numbers[_ROWS], c, k, size, extra))


def _seen(
    a: Arrays, rows: Rows, Delta0: Device, c: Tables, k: Tables, size: Size, extra: int
) -> list[Device]:  # fmt: skip
    ledger, n, f = split(size, a["y"])
    narrow = a["rho"]
    rho, p = fill_above(narrow, a["p"], size.N)
    gamma, unit_power, _ = light(size, k, rows, rho, p, f)
    edge = _edge(a["gap"], c["E"], c["h"])
    E, h = k["E"], k["h"]
    found = {
        "gamma": gamma,
        "unit_power": unit_power,
        "unit_overrun": jnp.sum(k["overrun"] * rho * f, -1),
        "blocked": jnp.sum(k["blocked"] * f, -1),
        "above": jnp.sum((k["energy"] * f)[:, extra:], -1),
        "U_absorbed": ledger[:, 0],
        "U_escaped": ledger[:, 1],
        "U_qp": jnp.sum(k["energy"] * rho * f, -1),
        "U_ph": jnp.sum(k["phonon_energy"] * (n - rows.n_eq), -1),
        "n_qp": k["number"] * jnp.sum(rho * f, -1),
        "gap_edge": edge,
        "f_gap": _interpolated(f, edge, h),
        "f_pump": jnp.where(k["photon"] + Delta0 > E[-1], 0.0, _interpolated(f, k["photon"] + Delta0, h)),
    }
    return [found[name] for name in SEEN]


def _interpolated(f: Device, E: Device, h: Device) -> Device:
    """Interpolation of f (B, N) at one energy per row, constant beyond the ends of the lattice."""
    x = jnp.clip(E / h - 0.5, 0.0, f.shape[1] - 1.0)
    i = jnp.minimum(x.astype(jnp.int32), f.shape[1] - 2)
    low, high = (jnp.take_along_axis(f, (i + j)[:, None], 1)[:, 0] for j in (0, 1))
    return low + (x - i) * (high - low)


def _edge(x: Device, E: Device, h: Device) -> Device:
    """Gap edge of rows, meV; see `pairing.coherence.gap_edge`."""
    W, phi = dressed(x)
    excess = phi.over(W.by(1.0 / E)).re - E
    falls = (excess[:, :-1] > 0.0) & (excess[:, 1:] <= 0.0)
    i = falls.shape[1] - 1 - jnp.argmax(jnp.flip(falls, -1), -1)
    low, high = (jnp.take_along_axis(excess, (i + j)[:, None], 1)[:, 0] for j in (0, 1))
    edge = E[i] + h * low / jnp.where(low == high, 1.0, low - high)
    return jnp.where(jnp.any(falls, -1), edge, 0.0)


@program("y", "rho", "p")
def cut(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, None]:
    """Narrow the lattice to `extra` cells; the energy above is added to their upper half, see `windows.cut`."""
    to = extra
    start, half = LEDGER + size.M + 1, slice(to // 2, to)
    f = a["y"][:, start : start + size.N]
    rho, _ = fill_above(a["rho"], a["p"], size.N)
    share = jnp.maximum(f[:, half], 0.0)
    share = jnp.where(jnp.any(share > 0.0, -1, keepdims=True), share, 1.0)
    unit = jnp.sum(k["energy"][half] * rho[:, half] * share, -1)
    above = jnp.sum(k["energy"][to:] * f[:, to:], -1)
    kept = f.at[:, half].add((above / unit)[:, None] * share).at[:, to:].set(0.0)
    return {"y": jnp.concatenate([a["y"][:, :start], kept], -1)}, None


@program("y", "gap", "rho", "p")
def fetch(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, tuple[Device, ...]]:
    """f, n, W and phi, rho, p of rows, for the host."""
    _, n, f = split(size, a["y"])
    return {}, (f, n, a["gap"], a["rho"], a["p"])
