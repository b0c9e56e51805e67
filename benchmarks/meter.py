"""CPU, memory and files of a benchmark case in a process of its own."""

import contextlib
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

sys.path.append(str(Path(__file__).parent.parent / "tests"))  # of `support`, which the benchmarks share

FIRST = os.environ.get("PHOTOGAP_BENCH_FIRST", "")
"""File in which the first point leaves the time of day."""


def fastest(function: Callable[[], object], repeats: int) -> float:
    """Least CPU seconds of a call: what the machine's other users leave out."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def cpu_of() -> tuple[float, float]:
    """CPU seconds of this process, and of its children, ended ones included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = ended.ru_utime + ended.ru_stime
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            children += times.user + times.system
    return time.process_time(), children


@contextlib.contextmanager
def metered(numbers: dict[str, Any], points: int) -> Iterator[None]:
    """CPU per point, ms, wall time and time to the first result of a block between a started and a stopped pool."""
    if FIRST:
        Path(FIRST).unlink(missing_ok=True)
    started = time.time()
    begin, (own, others) = time.perf_counter(), cpu_of()
    yield
    own_after, others_after = cpu_of()
    numbers |= {
        "wall_s": time.perf_counter() - begin,
        "driver_ms": 1e3 * (own_after - own) / points,
        "workers_ms": 1e3 * (others_after - others) / points,
    }
    if FIRST and Path(FIRST).exists():
        numbers["first_s"] = float(Path(FIRST).read_text()) - started


def peak_MB(pid: int | str = "self") -> float:
    """Largest resident memory that a process has had, MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def files_in(folder: str | Path) -> int:
    """Number of files below a folder."""
    return sum(len(files) for _, _, files in os.walk(folder))
