"""Points a second of `backend: gpu` on the quick start's grid, widened: agreement, memory, share of the transforms.

    python benchmarks/bench_gpu.py [--points 4096 65536] [--seconds 60] [--scalar 64]

Needs numpy, scipy, numba, PyYAML, pydantic and JAX with a GPU; runs on a CPU too, slowly. Takes under four minutes
on one H100 or H200. A grid is computed for at most `--seconds`: the largest one's rate is that of the points that
ended by then. The steady rate leaves out the first points, which fill the device.
"""

import argparse
import concurrent.futures
import itertools
import multiprocessing
import os
import pickle
import time
from functools import partial
from pathlib import Path

import numpy as np

from photogap.core.batched import programs
from photogap.core.batched.chunks import PROGRAMS
from photogap.core.batched.device import describe, jax, jnp
from photogap.core.batched.trajectories import Batch, Key, Scalar, Trial
from photogap.core.result import Result
from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate
from photogap.sweeps.files import ANYWHERE
from photogap.sweeps.materials import library

GOAL = 200.0
"""Points a second on one H100 or H200."""
KEPT = 64
"""Points that are compared with the scalar solver."""


def grid(points: int, spacing: float | None = None) -> list[Trial]:
    """The quick start's grid with more fluences, shuffled, so that any part of it is like the whole."""
    material = library.load("K3C60", ANYWHERE)
    fluences = np.geomspace(0.01, 5.0, points // 2)
    trials = [
        Trial(
            Point(material=material, F0=float(F0), omega_pump=170.0, T=30.0, tau_esc=0.02),
            Settings(damping=damping, spacing=spacing),
        )
        for damping, F0 in itertools.product(("full", "real"), fluences)
    ]
    order = np.random.default_rng(0).permutation(points)
    return [trials[i] for i in order]


def scalar(trial: Trial) -> tuple[Result, float]:
    """Result and CPU seconds of the scalar solver."""
    begin = time.process_time()
    found = simulate(*trial)
    return found, time.process_time() - begin


def agreement(trials: list[Trial], found: dict[int, Result | Scalar], workers: int) -> None:
    """Print how far the batch is from the scalar solver."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        each = list(pool.map(scalar, trials))
    worst: dict[str, float] = {}
    mean: dict[str, float] = {}
    compared = 0
    for i, (one, _) in enumerate(each):
        other = found[i]
        if isinstance(other, Scalar):
            print(f"  point {i} needs the scalar solver: {other.reason}")
            continue
        compared += 1
        for name, size in (("Delta0", 1e-3), ("U_qp", 0.0), ("U_ph", 0.0), ("U_absorbed", 0.0), ("f_gap", 0.0)):
            a, b = one.data[name], other.data[name]
            gap = np.abs(a - b) / max(size, float(np.abs(a).max()))
            worst[name] = max(worst.get(name, 0.0), float(gap.max()))
            mean[name] = max(mean.get(name, 0.0), float(gap.mean()))
    cpu = float(np.mean([seconds for _, seconds in each]))
    print(f"agreement on {compared} of {len(trials)} points with the scalar solver ({cpu:.2f} CPU s a point):")
    for name in worst:
        print(f"  {name:10s} largest difference {worst[name]:.1e}, largest mean over time {mean[name]:.1e}")


def timed(
    batch: Batch, seconds: float, kept: dict[int, Result | Scalar] | None = None
) -> tuple[int, int, float, float]:
    """Points computed and left to the scalar solver in at most `seconds`, the time it took, and the steady rate.

    The results of the first `KEPT` points are added to `kept`.
    """
    begin = time.perf_counter()
    done = scalars = 0
    marks: list[tuple[float, int]] = []
    for place, found in batch.run():
        if kept is not None and place < KEPT:
            kept[place] = found
        scalars += isinstance(found, Scalar)
        done += 1
        now = time.perf_counter() - begin
        if not marks or now - marks[-1][0] > 0.5:
            marks.append((now, done))
        if now > seconds:
            break
    took = time.perf_counter() - begin
    late = [mark for mark in marks if mark[1] > batch.rows] or marks[:1]
    (t0, n0), (t1, n1) = late[0], (took, done)
    steady = (n1 - n0) / (t1 - t0) if t1 > t0 else done / took
    return done, scalars, took, steady


def profile(batch: Batch) -> dict[tuple[str, str, int, int], tuple[float, int]]:
    """Seconds and rows of each program, each waited for, by name, phase, cells and number of stages."""
    spent: dict[tuple[str, str, int, int], tuple[float, int]] = {}
    pool, now = batch.pool, ["begin", 0, 0, 1]
    launch, program, put = pool._launch, pool._program, programs.put

    def waited(name, function, *given):  # type: ignore[no-untyped-def]
        begin = time.perf_counter()
        found = jax.block_until_ready(function(*given))
        key, rows = (name, *now[:3]), now[3]
        before = spent.get(key, (0.0, 0))
        spent[key] = before[0] + time.perf_counter() - begin, before[1] + rows
        return found

    def launched(kind, size, rows, numbers):  # type: ignore[no-untyped-def]
        used = int((rows[1] < pool.rows).sum())
        now[:] = kind.phase.name.lower(), pool.film(kind.rung)[0].N, kind.stages, used
        return launch(kind, size, rows, numbers)

    def found(kind, *given):  # type: ignore[no-untyped-def]
        return partial(waited, PROGRAMS[kind.phase].name, program(kind, *given))

    pool._launch, pool._program = launched, found  # type: ignore[method-assign]
    programs.put = partial(waited, "put", put)
    return spent


def transforms(batch: Batch, rows: int) -> dict[str, float]:
    """Seconds a row of the transforms that each program makes."""
    gap, kin = batch.pool.gap.L, batch.pool.film(batch.ladder.begin)[0].L

    def best(L: int, forward: int, back: int) -> float:
        x = jnp.ones((forward, rows, L)) * jnp.arange(L)
        q = jnp.ones((back, rows, L // 2 + 1), dtype=complex) * jnp.arange(L // 2 + 1)
        both = jax.jit(lambda x, q: (jnp.fft.rfft(x), jnp.fft.irfft(q, L)))
        jax.block_until_ready(both(x, q))
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            jax.block_until_ready(both(x, q))
            times.append(time.perf_counter() - begin)
        return min(times) / rows

    return {
        "stages": best(kin, 3, 3),
        "first": best(kin, 3, 3),
        "settle": best(kin, 3, 3),
        "iterate": best(gap, 2, 2),
        "grow": best(gap, 6, 6),
    }


def measure(points: int, seconds: float, spacing: float | None) -> dict[int, Result | Scalar]:
    """Print the rate of a grid; return the results of its first points."""
    kept: dict[int, Result | Scalar] = {}
    trials = grid(points, spacing)
    begin = time.perf_counter()
    batch = Batch(Key.of(trials[0]), trials)
    print(f"ready after {time.perf_counter() - begin:.1f} s, most of it compilation if first", flush=True)
    done, scalars, took, steady = timed(batch, seconds, kept)
    stats = jax.devices()[0].memory_stats() or {}
    memory = stats.get("peak_bytes_in_use", 0) / 2**30
    print(
        f"{points} points: {done} in {took:.1f} s, {done / took:.0f} a second, steady {steady:.0f} a second "
        f"(goal {GOAL:.0f}); {batch.rows} rows at once; {scalars} left to the scalar solver; "
        f"peak {memory:.1f} GiB; waited {batch.effort.waited / took:.0%} of the time for the device",
        flush=True,
    )
    effort = batch.effort
    if "settle" in effort.rows:
        print(f"    {effort.rows['settle'] / took:.0f} steps a second")
    for name in sorted(effort.calls, key=lambda n: -effort.rows[n]):
        each, full = effort.rows[name] / done, effort.rows[name] / effort.calls[name]
        print(f"    {name:12s} {each:8.1f} a point, {full:6.0f} rows a call", flush=True)
    return kept


def profiled(points: int, seconds: float, spacing: float | None) -> None:
    """Print where the time goes."""
    trials = grid(points, spacing)
    batch = Batch(Key.of(trials[0]), trials)
    spent = profile(batch)
    done, _, took, _ = timed(batch, seconds)
    print(f"profile of {done} points, {took:.1f} s, each program waited for:")
    each = transforms(batch, batch.chunks[-1])
    share = 0.0
    for (name, phase, cells, stages), (total, rows) in sorted(spent.items(), key=lambda item: -item[1][0]):
        fft = each.get(name, 0.0) * rows * max(stages, 1)
        share += fft
        if total > 0.005 * took:
            where = f"{phase} {cells}" + (f" x {stages}" if stages else "")
            a_row, own = 1e6 * total / rows, 1e6 * fft / rows
            print(f"    {where:16s} {name:8s} {total:6.2f} s {a_row:8.2f} us a row, of it transforms {own:6.2f}")
    total = sum(total for total, _ in spent.values())
    print(f"  programs {total / took:.0%} of the time; transforms {share / took:.0%} (none counted as wide)")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="*", default=[4096, 65536])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--scalar", type=int, default=64)
    parser.add_argument("--spacing", type=float, default=None, help="meV, in place of the material's")
    parser.add_argument("--save", type=Path, help="keep the first grid's first results for `--compare`")
    parser.add_argument("--compare", type=Path, help="compare kept results with the scalar solver, without a GPU")
    parser.add_argument("--profile", type=int, default=4096)
    args = parser.parse_args()
    if args.compare:
        points, spacing, kept = pickle.loads(args.compare.read_bytes())
        agreement(
            [grid(points, spacing)[i] for i in sorted(kept)],
            dict(enumerate(kept[i] for i in sorted(kept))),
            os.cpu_count() or 1,
        )
        return
    print(f"device: {describe()}, JAX {jax.__version__}, {os.cpu_count()} cores", flush=True)
    if args.scalar:
        trials = grid(args.scalar, args.spacing)
        begin = time.perf_counter()
        batch = Batch(Key.of(trials[0]), trials)
        found = dict(batch.run())
        print(
            f"{args.scalar} points, programs compiled on the way: {time.perf_counter() - begin:.1f} s", flush=True
        )
        agreement(trials, found, os.cpu_count() or 1)
    for points in args.points:
        kept = measure(points, args.seconds, args.spacing)
        if args.save and points == args.points[0]:
            args.save.write_bytes(pickle.dumps((points, args.spacing, kept)))
    if args.profile:
        profiled(args.profile, min(args.seconds, 12.0), args.spacing)


if __name__ == "__main__":
    main()
