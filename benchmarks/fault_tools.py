"""Tools of the fault campaigns: harmed stores with a ledger of their points, processes to kill, bad machines."""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from photogap.sweeps.drive.sweep import run
from photogap.sweeps.store import lock
from photogap.sweeps.store.place import Place, place
from support.cubes import physics
from support.driving import plan_of
from support.fake_config import tree
from support.tallies import Tally

AXES = {"F0": [float(i) for i in range(1, 31)]}
SECONDS = "PHOTOGAP_TEST_SECONDS"
_TALLY = "PHOTOGAP_TEST_TALLY"
_NAMESPACES = 0x00020000 | 0x04000000 | 0x20000000
"""New mount, host name and process namespaces."""


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
    """Cube without any fault."""
    target = folder / "calm.zarr"
    with without_tally():
        run(plan_of(AXES, **more), place(target), workers=0)
    return physics(target)


@contextlib.contextmanager
def without_tally() -> Iterator[None]:
    """Points begun here are not counted, and are quick."""
    kept = {name: os.environ.pop(name) for name in (_TALLY, SECONDS) if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def differing(found: xr.Dataset, expected: xr.Dataset) -> int:
    """Points that are `ok` and hold other numbers than they should."""
    wrong = np.zeros(found.status.shape, bool)
    for name in expected.data_vars:
        if expected[name].dtype.kind == "f":
            ours, theirs = found[name].values, expected[name].values
            same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
            wrong |= ~same.reshape(*wrong.shape, -1).all(-1)
    return int((wrong & (found.status.values == "ok")).sum())


class Case:
    """A store to be harmed: the points that were finished at each look, and those begun since.

    Args:
        row: Where faults are counted.
        where: The store, a path or a URL.
        expected: The cube without faults.
        seconds: Time that each point takes.
        more: Config beyond the axes.
    """

    def __init__(self, row: Row, where: Any, expected: xr.Dataset, *, seconds: float = 0.005, **more: Any) -> None:
        self.row, self.target, self.expected, self._more = row, place(where), expected, more
        self.tally = Tally(Path(os.environ["TMPDIR"], f"{Path(str(where)).name}-{time.monotonic_ns()}.tally"))
        os.environ |= {_TALLY: str(self.tally.path), SECONDS: str(seconds)}
        self.plan = plan_of(AXES, **more)
        points = map(self.plan.grid.labels, self.plan.grid.indices())
        self._names = {self.plan.point_id(labels): f"A {labels['F0']!r}" for labels in points}
        self._seen: list[tuple[set[str], Counter[str]]] = []

    def drive(self, **options: Any) -> Any:
        """Run the sweep in this process."""
        return run(self.plan, self.target, **{"workers": 0} | options)

    def look(self) -> None:
        """Note the points with a result, and how often each was begun."""
        self._seen.append((self._finished(), self._begun()))

    def check(self) -> None:
        """Count points that read as `ok` with other numbers."""
        if self.target.exists():
            found = physics(self.target.zarr())
            if found.sizes == self.expected.sizes:
                self.row.wrong += differing(found, self.expected)

    def settle(self) -> None:
        """Complete the sweep and count every deviation."""
        self.check()
        self.look()
        self.drive()
        found, now = physics(self.target.zarr()), self._begun()
        self.row.lost += int((found.status.values != "ok").sum())
        self.row.wrong += differing(found, self.expected)
        again = {n for ended, before in self._seen for n in ended if now[n] > before[n]}
        self.row.twice += len(again)
        for name in (_TALLY, SECONDS):
            os.environ.pop(name, None)

    def _begun(self) -> Counter[str]:
        return Counter(" ".join(line.split()[:2]) for line in self.tally())

    def _finished(self) -> set[str]:
        ids = {key.removeprefix("parts/") for key in self.target.blobs.keys("parts/")}
        if self.target.exists():
            ds = xr.open_zarr(self.target.zarr())
            status, known = ds.status.values, ds.point_id.values
            ids |= set(known[status != "missing"].astype(object))
        return {self._names[i] for i in ids if i in self._names}


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


def fresh(case: Case) -> int:
    """Process that runs the sweep, started anew: a fork of one that has used a bucket could not use it."""
    code = f"from support.driving import drive; drive({tree(AXES)!r}, {case.target.url!r}, {os.devnull!r})"
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    return os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ, file_actions=quiet)


def kill(pid: int) -> bool:
    """Kill a process at once; whether it still lived."""
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def chunks(store: Path) -> list[Path]:
    """Files of data."""
    return sorted(p for p in store.rglob("*") if p.is_file() and p.name != "zarr.json")


def flip(path: Path, bit: int) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(data))


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


def on_another_host(work: Callable[[], Any], name: str) -> None:
    """Do the work in namespaces of its own: another host name, and no process of this host in /proc.

    Raises:
        PermissionError: The system does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NAMESPACES):
        raise PermissionError(ctypes.get_errno(), "unshare")

    def inside() -> None:
        libc.sethostname(name.encode(), len(name))
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
        lock.socket.gethostname = socket.gethostname = lambda: name
        work()

    os._exit(os.waitstatus_to_exitcode(os.waitpid(child(inside), 0)[1]) & 0xFF)


def jumping_clock(draw: random.Random) -> None:
    """Let this process's clock jump by up to eleven days, back and forth, every few looks."""
    real, state = time.time, [0, 0.0]

    def jumped() -> float:
        state[0] += 1
        if state[0] % 5 == 0:
            state[1] = draw.choice([0.0, 1e6, -1e6, 3600.0, -3600.0])
        return real() + state[1]

    time.time = jumped


def obey_modes() -> None:
    """Give up root's right to write what its modes forbid."""
    if os.geteuid():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    if libc.capget(head, data):
        raise PermissionError("capget")
    for held in (0, 1, 2):
        data[held] &= ~((1 << 1) | (1 << 2))
    if libc.capset(head, data):
        raise PermissionError("capset")


@contextlib.contextmanager
def disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True, stderr=subprocess.DEVNULL)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


_MOTO = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@contextlib.contextmanager
def bucket(state: Path) -> Iterator[int]:
    """An S3 server with the bucket `sweeps`, and credentials for it in the environment; yields its port."""
    import http.client

    pipe: Any = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", _MOTO], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        way = http.client.HTTPConnection("127.0.0.1", port)
        way.request("PUT", "/sweeps")
        way.getresponse().read()
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
        more = {
            "AWS_ALLOW_HTTP": "true",
            "XDG_STATE_HOME": str(state),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        }
        os.environ |= keys | more
        try:
            yield port
        finally:
            for name in (*keys, *more):
                os.environ.pop(name, None)
            server.communicate()


def exists(target: Place) -> bool:
    """Whether a cube is there yet."""
    return target.exists()
