"""The fault table of docs/reliability.md: `make faults`, or `python benchmarks/faults.py --scale 0.02` for a look.

Each row harms a store or its driver many times at random moments, goes on until the sweep is complete, and compares
the cube with one that nothing happened to. Columns: faults tried; points that are not there in the end; points that
were computed again though their result was kept; points that read as `ok` with other numbers.
"""

import argparse
import contextlib
import functools
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from photogap.sweeps.analysis import open_cube  # noqa: E402
from photogap.sweeps.drive import flow  # noqa: E402
from photogap.sweeps.drive.sweep import Watch, run  # noqa: E402
from photogap.sweeps.drive.verify import verify  # noqa: E402
from photogap.sweeps.errors import BusyError, ContradictionError, StoreError  # noqa: E402
from photogap.sweeps.store import layout, lock  # noqa: E402
from photogap.sweeps.store.parts import TornError, decode, encode  # noqa: E402
from photogap.sweeps.store.place import Place, place  # noqa: E402
from support.cubes import physics  # noqa: E402
from support.driving import plan_of  # noqa: E402
from support.tallies import Tally  # noqa: E402

AXES = {"F0": [float(i) for i in range(1, 31)]}
OTHER = {"settings": {"rtol": 1e-4, "n_times": 9}}


@dataclass
class Row:
    """One line of the table."""

    name: str
    tried: int = 0
    lost: int = 0
    twice: int = 0
    wrong: int = 0
    remark: str = ""


def calm(folder: Path, **more: Any) -> xr.Dataset:
    """Cube that nothing happens to."""
    target = folder / "calm.zarr"
    run(plan_of(AXES, **more), place(target), workers=0)
    return physics(target)


def differing(found: xr.Dataset, expected: xr.Dataset) -> int:
    """Points that are `ok` and hold other numbers than they should."""
    wrong = np.zeros(found.status.shape, bool)
    for name in expected.data_vars:
        if expected[name].dtype.kind == "f":
            ours, theirs = found[name].values, expected[name].values
            same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
            wrong |= ~same.reshape(*wrong.shape, -1).all(-1)
    return int((wrong & (found.status.values == "ok")).sum())


def settle(row: Row, target: Place, expected: xr.Dataset, **more: Any) -> None:
    """Go on until the sweep is complete and count what is not as it should be."""
    found = physics(target.path) if target.exists() else None
    if found is not None and found.sizes == expected.sizes:
        row.wrong += differing(found, expected)
    run(plan_of(AXES, **more), target, workers=0)
    found = physics(target.path)
    row.lost += int((found.status.values != "ok").sum())
    row.wrong += differing(found, expected)


def child(work: Callable[[], Any]) -> int:
    """Process that does the work and nothing after it."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return pid


_END = [float("inf")]
"""When a campaign ends with the tries that it has made, monotonic s."""


def within(tries: int) -> Iterator[int]:
    """Numbers of tries, until the campaign's time is over."""
    return itertools.takewhile(lambda number: number == 0 or time.monotonic() < _END[0], range(tries))


def small() -> None:
    """Small shards, packed all the time: many moments at which a kill could hurt."""
    layout.SHARD_POINTS = layout.SUMMARY_POINTS = 8
    flow.BATCH_POINTS, flow.PACK_S = 3, 0.0


def finished(target: Place, names: dict[str, str]) -> set[str]:
    """Points with a result: in parts, or ended in the cube."""
    ids = {key.removeprefix("parts/") for key in target.blobs.keys("parts/")}
    if target.exists():
        ds = xr.open_zarr(target.path)
        ended = ds.status.values != "missing"
        ids |= set(ds.point_id.values[ended].astype(object))
    return {names[i] for i in ids if i in names}


def drivers(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """Kills of a driver at any moment of its run, several in a row until the cube is complete."""
    expected = calm(folder)
    plan = plan_of(AXES)
    names = {plan.point_id(x): f"A {x['F0']!r}" for x in map(plan.grid.labels, plan.grid.indices())}
    number = 0
    while row.tried < tries and time.monotonic() < _END[0]:
        number += 1
        target, tally = place(folder / f"{number}.zarr"), Tally(folder / f"{number}.tally")
        os.environ |= {"PHOTOGAP_TEST_TALLY": str(tally.path), "PHOTOGAP_TEST_SECONDS": "0.005"}
        seen: list[tuple[set[str], Counter[str]]] = []
        for _ in range(6):
            pid = child(functools.partial(run, plan, target, workers=0))
            time.sleep(rng.uniform(0.05, 1.5))
            os.kill(pid, signal.SIGKILL)
            row.tried += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
            seen.append((finished(target, names), Counter(" ".join(line.split()[:2]) for line in tally())))
        settle(row, target, expected)
        now = Counter(" ".join(line.split()[:2]) for line in tally())
        row.twice += sum(any(begun_after(now, look, name) for look in seen) for name in names.values())
        del os.environ["PHOTOGAP_TEST_TALLY"], os.environ["PHOTOGAP_TEST_SECONDS"]


def begun_after(now: Counter[str], look: tuple[set[str], Counter[str]], name: str) -> bool:
    """Whether a point that was finished at a look was begun after it."""
    return name in look[0] and now[name] > look[1][name]


def removals(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """Kills in `--recompute` with another config: a cube of the one or of the other, never of both."""
    old, new = calm(folder / "old"), calm(folder / "new", **OTHER)
    for number in within(tries):
        target = place(folder / f"{number}.zarr")
        shutil.copytree(folder / "old" / "calm.zarr", target.path)
        pid = child(functools.partial(run, plan_of(AXES, **OTHER), target, workers=0, recompute=True))
        time.sleep(rng.uniform(0.0, 0.6))
        os.kill(pid, signal.SIGKILL)
        row.tried += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
        if target.exists():
            found = physics(target.path)
            row.wrong += differing(found, old if found.sizes["time"] == old.sizes["time"] else new)
        try:
            settle(row, target, new, **OTHER)
        except ContradictionError:
            settle(row, target, old)


def repairs(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """Kills in `verify --repair` of a cube with damage in several arrays."""
    expected = calm(folder)
    for number in within(tries):
        target = place(folder / f"{number}.zarr")
        shutil.copytree(folder / "calm.zarr", target.path)
        for path in rng.sample(chunks(target.path), 4):
            flip(path, rng.randrange(8 * path.stat().st_size))
        pid = child(functools.partial(verify, target, repair=True))
        time.sleep(rng.uniform(0.02, 0.4))
        os.kill(pid, signal.SIGKILL)
        row.tried += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
        verify(target, repair=True)
        settle(row, target, expected)


def chunks(store: Path) -> list[Path]:
    """Files of data."""
    return sorted(p for p in store.rglob("*") if p.is_file() and p.name != "zarr.json")


def flip(path: Path, bit: int) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(data))


def flips(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """One bit of any file of a cube or a part: an error, or the same numbers."""
    calm(folder)
    store = folder / "calm.zarr"

    def read() -> xr.Dataset:
        return open_cube(store, chunks=None).load().drop_attrs(deep=False)

    expected, seen = read(), 0
    files = sorted(p for p in store.rglob("*") if p.is_file())
    part = encode({"status": "ok"}, {"x": np.arange(50.0)})
    for _ in within(tries):
        row.tried += 1
        path = rng.choice(files)
        bit = rng.randrange(8 * path.stat().st_size)
        flip(path, bit)
        try:
            found = read()
            row.wrong += not found.identical(expected)
        except Exception:
            seen += 1
        flip(path, bit)
        torn = bytearray(part)
        torn[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
        with contextlib.suppress(TornError):
            decode(bytes(torn))
            row.wrong += 1
    row.remark = f"{seen} raise, {row.tried - seen} change nothing that is read"


@contextlib.contextmanager
def two_hosts() -> Iterator[None]:
    """Locks that hold on one node only, of which each process is one; quick claims."""
    kept = lock.fcntl.flock, lock.socket.gethostname, lock.RENEW_S, lock.WATCH_S
    lock.fcntl.flock = lambda file, how: None  # type: ignore[assignment]
    lock.socket.gethostname = lambda: f"node{os.getpid()}"
    lock.RENEW_S, lock.WATCH_S = 0.05, 0.5
    try:
        yield
    finally:
        lock.fcntl.flock, lock.socket.gethostname, lock.RENEW_S, lock.WATCH_S = kept  # type: ignore[assignment]


def stops(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """A driver is stopped for longer than its claim lives, another host takes the store, the first wakes."""
    expected = calm(folder)
    os.environ["PHOTOGAP_TEST_SECONDS"] = "0.01"
    with two_hosts():
        for number in within(tries):
            target = place(folder / f"{number}.zarr")
            pid = child(functools.partial(run, plan_of(AXES), target, workers=0))
            time.sleep(rng.uniform(0.1, 1.2))
            os.kill(pid, signal.SIGSTOP)
            row.tried += 1
            with contextlib.suppress(BusyError):
                run(plan_of(AXES), target, workers=0)
            os.kill(pid, signal.SIGCONT)
            os.waitpid(pid, 0)
            settle(row, target, expected)
    del os.environ["PHOTOGAP_TEST_SECONDS"]


def pairs(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """Two drivers begin at once on two hosts whose file locks do not see each other."""
    expected = calm(folder)
    with two_hosts():
        for number in within(tries):
            target = place(folder / f"{number}.zarr")
            both = [child(functools.partial(run, plan_of(AXES), target, workers=0)) for _ in range(2)]
            row.tried += 1
            for pid in both:
                os.waitpid(pid, 0)
            settle(row, target, expected)


def moves(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """The cube is renamed during a run and put back after it."""
    expected = calm(folder)
    for number in within(tries):
        target, aside = place(folder / f"{number}.zarr"), folder / f"{number}.aside"
        at = rng.randrange(1, 29)

        def move(counts: Any, target: Place = target, aside: Path = aside, at: int = at) -> None:
            if counts.done >= at and not aside.exists():
                target.path.rename(aside)

        row.tried += 1
        with contextlib.suppress(StoreError):
            run(plan_of(AXES), target, workers=0, watch=Watch(tell=move))
        if aside.exists():
            row.lost += target.path.exists()
            aside.rename(target.path)
        settle(row, target, expected)


def copies(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """A cube is copied while it grows; the copy is verified, repaired and gone on with."""
    expected = calm(folder)
    os.environ["PHOTOGAP_TEST_SECONDS"] = "0.01"
    for number in within(tries):
        target, twin = place(folder / f"{number}.zarr"), place(folder / f"{number}.copy.zarr")
        pid = child(functools.partial(run, plan_of(AXES), target, workers=0))
        while not target.exists():
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 1.0))
        row.tried += 1
        copied = subprocess.run(["cp", "-r", target.path, twin.path], stderr=subprocess.DEVNULL, check=False)
        os.waitpid(pid, 0)
        if copied.returncode == 0 and twin.exists():
            verify(twin, repair=True)
            settle(row, twin, expected)
    del os.environ["PHOTOGAP_TEST_SECONDS"]


@contextlib.contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True, stderr=subprocess.DEVNULL)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def full(row: Row, tries: int, folder: Path, rng: random.Random, *, what: str) -> None:
    """The disk has no room, no inodes or no right to write for a while."""
    expected = calm(folder)
    for number in within(tries):
        first = {"blocks": f"size={rng.randrange(40, 400)}k", "inodes": f"nr_inodes={rng.randrange(20, 130)}"}
        with disk(folder / str(number), first.get(what, "size=64m")) as there:
            target = place(there / "a.zarr")

            def turn(counts: Any, at: int = rng.randrange(1, 29), there: Path = there) -> None:
                if what == "read-only" and counts.done >= at:
                    subprocess.run(["mount", "-o", "remount,ro", there], check=True)

            try:
                run(plan_of(AXES), target, workers=0, watch=Watch(tell=turn))
            except StoreError:
                row.tried += 1
            subprocess.run(["mount", "-o", "remount,rw,size=64m,nr_inodes=100k", there], check=True)
            settle(row, target, expected)


def workers(row: Row, tries: int, folder: Path, rng: random.Random) -> None:
    """Kills of worker processes."""
    import psutil

    expected = calm(folder)
    os.environ["PHOTOGAP_TEST_SECONDS"] = "0.3"
    target, done, begun = place(folder / "a.zarr"), threading.Event(), threading.Event()

    def kill() -> None:
        begun.wait(300)
        while not done.wait(rng.uniform(0.5, 2.0)) and row.tried < tries:
            found = [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
            if found:
                rng.choice(found).kill()
                row.tried += 1

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        watch = Watch(tell=lambda counts: begun.set() if counts.computed else None)
        run(plan_of(AXES, limits={"losses": 99}), target, workers=2, watch=watch)
    finally:
        done.set()
        begun.set()
        killer.join()
        del os.environ["PHOTOGAP_TEST_SECONDS"]
    settle(row, target, expected)


CAMPAIGNS: dict[str, tuple[Callable[..., None], int]] = {
    "driver killed during a run": (drivers, 200),
    "driver killed in --recompute with another config": (removals, 60),
    "driver killed in verify --repair": (repairs, 60),
    "single bit flips": (flips, 2000),
    "SIGSTOP beyond the claim's life, another host takes over": (stops, 20),
    "two drivers, file locks without effect": (pairs, 20),
    "cube renamed during a run": (moves, 20),
    "cube copied during a run, then verify --repair": (copies, 20),
    "disk full": (functools.partial(full, what="blocks"), 15),
    "no inodes left": (functools.partial(full, what="inodes"), 15),
    "file system turns read-only": (functools.partial(full, what="read-only"), 10),
    "workers killed": (workers, 10),
}


def table(rows: list[Row]) -> str:
    """Markdown."""
    head = "| Fault | tried | lost | computed twice | silently wrong | |\n|---|---|---|---|---|---|"
    return "\n".join(
        [head, *(f"| {r.name} | {r.tried} | {r.lost} | {r.twice} | {r.wrong} | {r.remark} |" for r in rows)]
    )


def measure(scale: float, only: str = "", seconds: float = float("inf")) -> list[Row]:
    """Rows of the table with a part of the tries."""
    rows = []
    os.environ["PYTHONPATH"] = str(ROOT / "tests")
    small()
    for name, (campaign, tries) in CAMPAIGNS.items():
        if only not in name:
            continue
        row, begin = Row(name), time.monotonic()
        _END[0] = begin + seconds
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            try:
                campaign(row, max(1, round(scale * tries)), Path(folder), random.Random(7))
            except subprocess.CalledProcessError:
                row.remark = "not tried: needs the right to mount"
        rows.append(row)
        print(f"{row} in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Print the table, or write it into docs/reliability.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the tries")
    parser.add_argument("--only", default="", help="campaigns with this in their name")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="longest time of a campaign")
    parser.add_argument("--write", type=Path, help="file with the markers of the table")
    options = parser.parse_args()
    rows = measure(options.scale, options.only, options.seconds)
    text = table(rows)
    print(text)
    if options.write:
        before, _, rest = options.write.read_text().partition("<!-- faults -->\n")
        _, _, after = rest.partition("<!-- end -->")
        options.write.write_text(f"{before}<!-- faults -->\n{text}\n<!-- end -->{after}")
    sys.exit(any(r.lost or r.twice or r.wrong for r in rows))


if __name__ == "__main__":
    main()
