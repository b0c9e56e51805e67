"""Campaigns of `make faults`: each harms stores or their drivers many times, at random moments."""

import contextlib
import functools
import os
import random
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from fault_tools import (
    AXES,
    Case,
    Row,
    bucket,
    calm,
    child,
    chunks,
    differing,
    disk,
    flip,
    fresh,
    jumping_clock,
    kill,
    obey_modes,
    on_another_host,
    two_hosts,
)

from photogap.sweeps.analysis import open_cube
from photogap.sweeps.drive import flow
from photogap.sweeps.drive.sweep import Watch, run
from photogap.sweeps.drive.verify import verify
from photogap.sweeps.errors import BusyError, ClusterError, ContradictionError, StoreError, SweepError
from photogap.sweeps.store.parts import TornError, decode, encode
from photogap.sweeps.store.place import place
from support.cubes import physics
from support.driving import plan_of
from support.fake_config import tree
from support.gateway import gateway
from support.patience import PATIENCE, until
from support.schedulers import scheduler
from support.serving import serving

OTHER = {"settings": {"rtol": 1e-4, "n_times": 9}}
Tries = Iterator[int]


def drivers(
    row: Row,
    tries: Tries,
    folder: Path,
    rng: random.Random,
    *,
    where: str = "",
    begin: Callable[[Case], int] = lambda case: child(case.drive),
    seconds: tuple[float, float] = (0.05, 1.5),
) -> None:
    """Kills of a driver at any moment of its run, six in a row before the sweep may end."""
    expected, begun = calm(folder), 0
    for _ in tries:
        if begun == 0:
            case = Case(row, f"{where or folder}/{time.monotonic_ns()}.zarr", expected)
        pid = begin(case)
        time.sleep(rng.uniform(*seconds))
        row.tried += kill(pid)
        case.look()
        begun = (begun + 1) % 6
        if begun == 0:
            case.settle()
    if begun:
        case.settle()


def removals(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """Kills in `--recompute` with another config: a cube of the one or of the other, never of both."""
    old, new = calm(folder / "old"), calm(folder / "new", **OTHER)
    for number in tries:
        store = folder / f"{number}.zarr"
        shutil.copytree(folder / "old" / "calm.zarr", store)
        case = Case(row, store, new, **OTHER)
        pid = child(functools.partial(case.drive, recompute=True))
        time.sleep(rng.uniform(0.0, 0.6))
        row.tried += kill(pid)
        if store.exists() and case.target.exists():
            found = physics(store)
            row.wrong += differing(found, old if found.sizes["time"] == old.sizes["time"] else new)
        try:
            case.settle()
        except ContradictionError:
            Case(row, store, old).settle()


def repairs(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """Kills in `verify --repair` of a cube with damage in several arrays."""
    expected = calm(folder)

    def damaged(name: str) -> Path:
        shutil.copytree(folder / "calm.zarr", folder / name)
        for path in rng.sample(chunks(folder / name), 4):
            flip(path, rng.randrange(8 * path.stat().st_size))
        return folder / name

    began = time.perf_counter()
    verify(place(damaged("timed.zarr")), repair=True)
    lasts = time.perf_counter() - began
    for number in tries:
        case = Case(row, damaged(f"{number}.zarr"), expected)
        pid = child(functools.partial(verify, case.target, repair=True))
        time.sleep(rng.uniform(0.0, 0.9 * lasts))
        row.tried += kill(pid)
        verify(case.target, repair=True)
        case.settle()


def flips(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """One bit of any file of a cube or a part: an error, or the same numbers."""
    calm(folder)
    store = folder / "calm.zarr"

    def read() -> Any:
        return open_cube(store, chunks=None).load().drop_attrs(deep=False)

    expected, seen = read(), 0
    files = sorted(p for p in store.rglob("*") if p.is_file())
    part = encode({"status": "ok"}, {"x": np.arange(50.0)})
    for _ in tries:
        row.tried += 1
        path = rng.choice(files)
        bit = rng.randrange(8 * path.stat().st_size)
        flip(path, bit)
        try:
            row.wrong += not read().identical(expected)
        except Exception:
            seen += 1
        flip(path, bit)
        torn = bytearray(part)
        torn[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
        with contextlib.suppress(TornError):
            decode(bytes(torn))
            row.wrong += 1
    row.remark = f"{seen} raise, the others change nothing that is read"


def stops(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """A driver is stopped for longer than its claim lives, another host takes the store, the first wakes."""
    expected = calm(folder)
    with two_hosts():
        for number in tries:
            case = Case(row, folder / f"{number}.zarr", expected, seconds=0.01)
            pid = child(case.drive)
            time.sleep(rng.uniform(0.1, 1.2))
            os.kill(pid, signal.SIGSTOP)
            try:
                row.tried += 1
                case.look()
                with contextlib.suppress(BusyError):
                    case.drive()
                before = len(case.tally())
            finally:
                os.kill(pid, signal.SIGCONT)
                os.waitpid(pid, 0)
            # The batch that it was computing is work in flight; it finds its claim lost before it packs that.
            row.twice += max(0, len(case.tally()) - before - flow.BATCH_POINTS)
            case.settle()
            row.wrong += bool(verify(case.target)["problems"])
    row.remark = "the batch in flight is not counted as computed twice"


def pairs(
    row: Row, tries: Tries, folder: Path, rng: random.Random, *, host: Callable[..., None] | None = None
) -> None:
    """Two drivers begin at once where file locks do not see each other; the first is killed half of the times."""
    expected = calm(folder)
    with two_hosts():
        for number in tries:
            case = Case(row, folder / f"{number}.zarr", expected, seconds=0.01)
            works = [case.drive] * 2
            if host is not None:
                works = [functools.partial(host, case.drive, name) for name in ("one", "two")]
            pids = [child(work) for work in works]
            row.tried += 1
            if host is None and rng.random() < 0.5:
                time.sleep(rng.uniform(0.05, 0.6))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pids[0], signal.SIGKILL)
            for pid in pids:
                os.waitpid(pid, 0)
            case.settle()


def clocks(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """A driver whose clock jumps by days is killed, and one with another clock continues, on another host."""
    expected = calm(folder)
    with two_hosts():
        for number in tries:
            case = Case(row, folder / f"{number}.zarr", expected, seconds=0.01)

            def work(case: Case = case, seed: int = rng.randrange(10**6)) -> None:
                jumping_clock(random.Random(seed))
                case.drive()

            pid = child(work)
            time.sleep(rng.uniform(0.1, 1.0))
            row.tried += kill(pid)
            case.look()
            pid = child(work)
            os.waitpid(pid, 0)
            case.settle()


def moves(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """The cube is renamed during a run and put back after it."""
    expected = calm(folder)
    for number in tries:
        case, aside = Case(row, folder / f"{number}.zarr", expected), folder / f"{number}.aside"
        at = rng.randrange(1, 29)

        def move(counts: Any, case: Case = case, aside: Path = aside, at: int = at) -> None:
            if counts.done >= at and not aside.exists():
                case.look()
                case.target.path.rename(aside)

        row.tried += 1
        with contextlib.suppress(StoreError):
            case.drive(watch=Watch(tell=move))
        if aside.exists():
            row.lost += case.target.path.exists()
            aside.rename(case.target.path)
        case.settle()


def copies(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """A cube is copied while it grows; the copy is verified, repaired and continued."""
    expected = calm(folder)
    for number in tries:
        case, twin = Case(row, folder / f"{number}.zarr", expected, seconds=0.01), folder / f"{number}.copy.zarr"
        pid = child(case.drive)
        until(case.target.exists)
        time.sleep(rng.uniform(0.0, 1.0))
        row.tried += 1
        copied = subprocess.run(["cp", "-r", case.target.path, twin], stderr=subprocess.DEVNULL, check=False)
        os.waitpid(pid, 0)
        if copied.returncode == 0 and place(twin).exists():
            verify(place(twin), repair=True)
            Case(row, twin, expected).settle()
        case.settle()


def full(row: Row, tries: Tries, folder: Path, rng: random.Random, *, what: str) -> None:
    """The disk has no room or no inodes for a while."""
    expected = calm(folder)
    for number in tries:
        size = f"size={rng.randrange(40, 400)}k" if what == "blocks" else f"nr_inodes={rng.randrange(20, 130)}"
        with disk(folder / str(number), size) as there:
            case = Case(row, there / "a.zarr", expected)
            try:
                case.drive()
            except StoreError:
                row.tried += 1
            subprocess.run(["mount", "-o", "remount,rw,size=64m,nr_inodes=100k", there], check=True)
            case.settle()


def refused(row: Row, tries: Tries, folder: Path, rng: random.Random, *, what: str) -> None:
    """Part of the store cannot be written from a moment on: by its mode, a remount, or a largest file size."""
    expected = calm(folder)
    for number in tries:
        store = folder / f"{number}.zarr"
        part = rng.choice([store, Path(f"{store}.state", "parts")])
        with disk(part, "size=64m") if what == "remount" else contextlib.nullcontext():
            case, at = Case(row, store, expected), rng.randrange(1, 29)

            def turn(counts: Any, part: Path = part, at: int = at) -> None:
                if counts.done >= at and what == "remount":
                    subprocess.run(["mount", "-o", "remount,ro", part], check=True)
                elif counts.done >= at and what == "mode":
                    for path in (part, *(p for p in part.iterdir() if p.is_dir())):
                        path.chmod(0o500)
                elif counts.done >= at:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (rng.randrange(50, 2000), resource.RLIM_INFINITY))

            def work(case: Case = case, turn: Any = turn) -> None:
                obey_modes()
                case.drive(watch=Watch(tell=turn))

            row.tried += os.waitstatus_to_exitcode(os.waitpid(child(work), 0)[1]) != 0
            if what == "remount":
                subprocess.run(["mount", "-o", "remount,rw", part], check=True)
            elif what == "mode":
                for path in (part, *(p for p in part.iterdir() if p.is_dir())):
                    path.chmod(0o700)
            case.settle()


def workers(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """Kills of worker processes of a local run."""
    import psutil

    case = Case(row, folder / "a.zarr", calm(folder), seconds=0.3, limits={"losses": 99})
    done, begun = threading.Event(), threading.Event()

    def killing() -> None:
        begun.wait(600)
        while not done.wait(rng.uniform(0.3, 1.5)) and next(tries, None) is not None:
            found = [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
            if found:
                case.look()
                rng.choice(found).kill()
                row.tried += 1

    killer = threading.Thread(target=killing)
    killer.start()
    try:
        case.drive(workers=2, watch=Watch(tell=lambda counts: begun.set() if counts.computed else None))
    except ClusterError as error:
        row.remark = f"a run ended: {error}"
    finally:
        done.set()
        begun.set()
        killer.join()
    case.settle()


def schedulers(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """Kills of the scheduler of a run, which is a process of its own."""
    expected = calm(folder)
    for number in tries:
        case = Case(row, folder / f"{number}.zarr", expected, seconds=0.1)
        at = rng.randrange(2, 25)
        with scheduler(folder / f"{number}.json") as (address, process):
            plan = plan_of(AXES, cluster=address)
            pid = child(functools.partial(run, plan, case.target))
            until(lambda case=case, at=at: len(case.tally()) >= at)
            process.kill()
            row.tried += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
        case.look()
        case.settle()


def servers(row: Row, tries: Tries, folder: Path, rng: random.Random) -> None:
    """Kills of a server whose queue has a sweep, five in a row before it may end."""
    expected, begun = calm(folder), 0

    def serve(until_done: bool = False) -> None:
        with serving(home) as client:
            if "s" not in {sweep["name"] for sweep in client.sweeps()}:
                client.submit(tree(AXES, name="s"))
            client.wait("s", PATIENCE)
            time.sleep(0 if until_done else PATIENCE)

    for number in tries:
        if begun == 0:
            home = folder / f"home{number}"
            home.mkdir()
            case = Case(row, home / "s.zarr", expected, seconds=0.1)
        pid = child(serve)
        time.sleep(rng.uniform(0.3, 3.0))
        row.tried += kill(pid)
        case.look()
        begun = (begun + 1) % 5
    os.waitpid(child(functools.partial(serve, True)), 0)
    case.settle()


def buckets(row: Row, tries: Tries, folder: Path, rng: random.Random, *, how: str) -> None:
    """A bucket: its driver is killed, half of its connections are reset, or it is away for a while."""
    expected = calm(folder)
    with bucket(folder) as port, gateway(port, seed=rng.randrange(10**6)) as way:
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{way.port}"
        if how == "kill":
            drivers(row, tries, folder, rng, where="s3://sweeps", begin=fresh, seconds=(1.0, 6.0))
            return
        for number in tries:
            case = Case(row, f"s3://sweeps/{how}{number}.zarr", expected)
            if how == "reset":
                way.risk, before = 0.5, way.faults
                way.turn("flaky")
                case.drive()
                row.tried += way.faults - before
            else:
                _leave(case, way, rng, 60.0)
                row.tried += 1
            way.turn("open")
            case.settle()


def _leave(case: Case, way: Any, rng: random.Random, seconds: float) -> None:
    at, timers = rng.randrange(1, 29), []

    def turn(counts: Any) -> None:
        if counts.done >= at and not timers:
            case.look()
            way.turn("away")
            timers.append(threading.Timer(seconds, way.turn, ["open"]))
            timers[0].start()

    with contextlib.suppress(SweepError):
        case.drive(watch=Watch(tell=turn))


CAMPAIGNS: dict[str, tuple[Callable[..., None], int]] = {
    "driver killed during a run": (drivers, 96),
    "driver killed during a run, cube in a bucket": (functools.partial(buckets, how="kill"), 12),
    "driver killed in --recompute with another config": (removals, 40),
    "driver killed in verify --repair": (repairs, 40),
    "workers killed": (workers, 10),
    "scheduler killed": (schedulers, 4),
    "server killed": (servers, 10),
    "single bit flips": (flips, 2000),
    "SIGSTOP beyond the claim's life, another host takes over": (stops, 10),
    "two drivers, file locks without effect": (pairs, 12),
    "two hosts (namespaces), file locks without effect": (functools.partial(pairs, host=on_another_host), 8),
    "clocks that jump by days, two hosts": (clocks, 10),
    "cube renamed during a run": (moves, 12),
    "cube copied during a run, then verify --repair": (copies, 10),
    "disk full": (functools.partial(full, what="blocks"), 10),
    "no inodes left": (functools.partial(full, what="inodes"), 10),
    "largest file size reached": (functools.partial(refused, what="size"), 10),
    "permission lost during a run": (functools.partial(refused, what="mode"), 10),
    "file system turns read-only": (functools.partial(refused, what="remount"), 10),
    "bucket: half of all connections reset": (functools.partial(buckets, how="reset"), 2),
    "bucket: away for 60 s": (functools.partial(buckets, how="away"), 1),
}
