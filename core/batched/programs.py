"""Programs for chunks of a pool's rows, whose arrays are read, changed, and written back in place.

A chunk that is not full repeats its first row and writes the results of the copies into the pool's spare last row:
a transform may combine two real signals, so that the NaN of an empty row would reach its neighbour. Numbers of rows
(times, rates, flags) are packed in one array, one line for each.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

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
HISTORY: Final = ("dX", "dR")
"""Differences of the Anderson acceleration."""

_ROWS: Final = 6
GROWING: Final = 1.05
"""Growth of a gap in an iteration beyond which it is scaled up rather than accelerated, as in `pairing.gap`."""
SLACK: Final = 0.03
"""As in `pairing.opening`."""
CONTINUE, DONE, NORMAL, BAD = 0, 1, 2, 3
"""How an iteration of the gap equation ended."""


def program(function: Callable[..., Any]) -> Any:
    """Compile a function of rows, once for each lattice.

    Its arguments are the rows' arrays, their numbers, and the constants of the gap equation and of the kinetic
    equations; it returns the arrays that change, and the numbers that the host needs, if any. `extra` is a number
    that some are compiled for.
    """
    return jax.jit(function, static_argnames=("gap", "size", "extra"))


def _rows(a: Arrays, numbers: Device) -> Rows:
    power, saturated, pairs, emission, escape, free = numbers[:_ROWS]
    return Rows(power, saturated, pairs, emission, escape, free, a["n_eq"])


@partial(jax.jit, static_argnames=("names", "length"))
def take(pool: Pool, at: Device, *, names: tuple[str, ...], length: int) -> Arrays:
    """Arrays of the given rows; only the first `length` entries of state vectors."""
    return {name: pool[name][at, :length] if name in STATES else pool[name][at] for name in names}


@partial(jax.jit, donate_argnames=("arrays",))
def put(arrays: Arrays, to: Device, slot: Device, new: Arrays) -> Arrays:
    """Write changed arrays back in place: one entry of a history, the first entries of a state vector.

    It only writes: a program that also reads these arrays copies them as a whole.
    """
    out = {}
    for name, value in new.items():
        if name in HISTORY:
            out[name] = arrays[name].at[to, slot].set(value)
        elif name in STATES:
            out[name] = arrays[name].at[to, : value.shape[1]].set(value)
        else:
            out[name] = arrays[name].at[to].set(value)
    return out


def new_pool(rows: int, widest: int, gap: Size) -> Pool:
    """A pool of rows and a spare one.

    Args:
        rows: Their number.
        widest: Cells of the widest lattice.
        gap: The gap equation's lattice.
    """
    B, N, M = rows + 1, gap.N, gap.M
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


@partial(jax.jit)
def ahead(gap: Device, slope: Device, time: Device) -> Device:
    """Dressings (B, 4, N) after a time (ps), extrapolated from the last step."""
    return gap + time[:, None, None] * slope


@partial(jax.jit)
def weights(x: Device) -> tuple[Device, Device]:
    """Spectral weights of dressings (B, 4, N)."""
    return spectral_weights(*dressed(x))


@program
def first(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """Rates at the start of a step, at the weights `rho` and `p` of its middle; Gamma and the fastest rate.

    Numbers: those of `Rows`, half the step (ps).
    """
    rows, y = _rows(a, numbers), a["y"]
    F, gamma = derivative(size, k, rows, y, *fill_above(a["rho"], a["p"], size.N))
    radius = fastest_rate(k, rows, split(size, y)[1], gamma)
    new = {"now": y, "before": y, "F0": F, "F": F, "rho_s": a["rho"], "p_s": a["p"]}
    return new, jnp.stack([gamma, radius])


@program
def stage(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """Next stage of a step and its rates; for the last stage, also the step's error and range of occupations.

    Numbers: those of `Rows`; coefficients of y, now, before, F and F0; dt (ps); rtol; atol.
    """
    rows = _rows(a, numbers)
    b, by_now, by_before, by_F, by_F0, dt, rtol, atol = (x[:, None] for x in numbers[_ROWS:])
    y, now, F0 = a["y"], a["now"], a["F0"]
    new = b * y + by_now * now + by_before * a["before"] + by_F * a["F"] + by_F0 * F0
    F, _ = derivative(size, k, rows, new, *fill_above(a["rho_s"], a["p_s"], size.N))
    error = jnp.abs(0.8 * (y - new) + 0.4 * dt * (F0 + F))
    relative = error / (atol + rtol * jnp.maximum(jnp.abs(y), jnp.abs(new)))
    _, n, f = split(size, new)
    found = [
        jnp.max(relative[:, LEDGER:], -1), error[:, 0],
        jnp.minimum(jnp.min(f, -1), jnp.min(n, -1)), jnp.max(f, -1),
    ]  # fmt: skip
    return {"before": now, "now": new, "F": F}, jnp.stack(found)


@program
def prepare(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, None]:
    """Kernels of a trial's phonons, and the gap assumed by the step. Numbers: the step (ps), 0 without a slope."""
    n = a["now"][:, LEDGER : LEDGER + gap.M + 1]
    K, width, tail = kernel(gap, c, n)
    x = a["gap"] + numbers[0][:, None, None] * a["slope"]
    return {"K": jnp.stack([K.real, K.imag], 1), "width": width, "tail": tail, "x": x}, None


def _gap_rows(a: Arrays, gap: Size) -> tuple[tuple[Device, Device, Device], Device]:
    start = LEDGER + gap.M + 1
    K = a["K"][:, 0] + 1j * a["K"][:, 1]
    return (K, a["width"], a["tail"]), a["now"][:, start : start + gap.N]


@program
def iterate(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """One iteration of `pairing.gap.solve_gap`, or of `pairing.opening.hold` where an amplitude is held.

    Numbers: mu_star; 1 for `full` damping; the held amplitude (meV), 0 for none; tolerance; smallest gap (meV);
    number of changes in the history; 1 in the first iteration of an equation, which adds no change.
    """
    mu_star, full, height, tol, smallest, count, fresh = numbers
    dressing, f = _gap_rows(a, gap)
    x = a["x"]
    rho, p = a["rho"], a["p"]
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
    return changed, jnp.stack([code, residual, grown, new[:, 2, 0], new[:, 0, 0]])


def _with_phi(x: Device, factor: Device) -> Device:
    """The dressing with phi multiplied by a factor."""
    return jnp.concatenate([x[:, :2], factor[:, None, None] * x[:, 2:]], 1)


def _size0(x: Device) -> Device:
    """|phi| in the first cell."""
    return jnp.sqrt(x[:, 2, 0] ** 2 + x[:, 3, 0] ** 2)


def _accelerated(a: Arrays, x: Device, r: Device, count: Device, fresh: Device) -> tuple[Arrays, Device]:
    """Next iterate by Anderson's least squares; see `pairing.anderson`."""
    count = count.astype(jnp.int32)
    rows, slot = jnp.arange(x.shape[0]), count % DEPTH
    filled = jnp.minimum(count + ~fresh, DEPTH)
    dx = jnp.where(fresh[:, None, None], a["dX"][rows, slot], x - a["lx"])
    dr = jnp.where(fresh[:, None, None], a["dR"][rows, slot], r - a["lr"])
    newest = (jnp.arange(DEPTH) == slot[:, None])[:, :, None, None]
    dX, dR = jnp.where(newest, dx[:, None], a["dX"]), jnp.where(newest, dr[:, None], a["dR"])
    used = jnp.arange(DEPTH) < filled[:, None]
    column = jnp.where(used, jnp.sum(dR * dr[:, None], (2, 3)), 0.0)
    gram = a["gram"].at[rows, slot].set(column).at[rows, :, slot].set(column)
    gram = jnp.where(fresh[:, None, None], a["gram"], gram)
    right = jnp.where(used, jnp.sum(dR * r[:, None], (2, 3)), 0.0)
    coefficients = solve_small(gram, right, filled)
    old = jnp.where(used[:, :, None, None], dX + dR, 0.0)
    new = x + r - jnp.sum(coefficients[:, :, None, None] * old, 1)
    return {"dX": dx, "dR": dr, "gram": gram, "lx": x, "lr": r}, new


@program
def grow(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """The normal state of a trial and the largest eigenvalue of the equation linearised around it.

    Numbers: mu_star, 1 for `full` damping. Results: eigenvalue, its error, Int f / h, Re W of the first cell.
    """
    dressing, f = _gap_rows(a, gap)
    normal, eigenvalue, vector, doubt = growth(gap, c, dressing, (numbers[0], numbers[1]), f, a["vector"])
    return {"normal": normal, "vector": vector}, jnp.stack([eigenvalue, doubt, jnp.sum(f, -1), normal[:, 0, 0]])


@program
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
    assumed = a["gap"] + dt[:, None, None] * a["slope"]
    dressing, f = _gap_rows(a, gap)
    normal = a["normal"]
    linear = joined(dressed(normal)[0], pairing(gap, c, dressing, (mu_star, full), a["vector"], f))
    state = jnp.where(source[:, None, None] == 1.0, assumed, jnp.where(source[:, None, None] == 2.0, linear, last))
    x = _at_height(state, height)
    x = x + along[:, None, None] * (x - _at_height(then, height))
    return {"held": last, "then": then, "x": _at_height(x, height)}, None


def _at_height(x: Device, height: Device) -> Device:
    return _with_phi(x, height / jnp.where(x[:, 2, 0] == 0.0, 1.0, x[:, 2, 0]))


@program
def accept(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """Accept a trial whose gap is solved; results: energy from the changing density of states, Re W0, Re phi0.

    Numbers: 1 / dt, or 0 where the gap opened, closed or is absent; 1 where the solution is the normal state.
    """
    is_normal = numbers[1] > 0.0
    W = dressed(a["normal"])[0]
    none = jnp.zeros_like(W.re)
    new = jnp.where(is_normal[:, None, None], joined(W, Pair(none, none)), a["x"])
    rho = jnp.where(is_normal[:, None], 1.0, a["rho_x"])
    p = jnp.where(is_normal[:, None], 0.0, a["p_x"])
    start = LEDGER + gap.M + 1
    f = 0.5 * (a["y"][:, start : start + gap.N] + a["now"][:, start : start + gap.N])
    moved = jnp.sum(k["energy"][: gap.N] * (rho - a["rho"]) * f, -1)
    slope = numbers[0][:, None, None] * (new - a["gap"])
    changed = {"y": a["now"], "gap": new, "rho": rho, "p": p, "slope": slope}
    return changed, jnp.stack([moved, new[:, 0, 0], new[:, 2, 0]])


SEEN: Final = (
    "gamma", "unit_power", "unit_overrun", "blocked", "above", "U_absorbed", "U_escaped", "U_qp", "U_ph", "n_qp",
    "gap_edge", "f_gap", "f_pump",
)  # fmt: skip
"""Numbers of a state that `observe` returns."""


@program
def observe(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, Device]:
    """The numbers `SEEN` of the present state; `above` is the energy beyond the narrower lattice of `extra` cells.

    Numbers: those of `Rows`, Delta0 (meV).
    """
    rows, Delta0 = _rows(a, numbers), numbers[_ROWS]
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
    return {}, jnp.stack([found[name] for name in SEEN])


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


@program
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


@program
def fetch(
    a: Arrays, numbers: Device, c: Tables, k: Tables, *, gap: Size, size: Size, extra: int
) -> tuple[Arrays, tuple[Device, ...]]:
    """f, n, W and phi, rho, p of rows, for the host."""
    _, n, f = split(size, a["y"])
    return {}, (f, n, a["gap"], a["rho"], a["p"])
