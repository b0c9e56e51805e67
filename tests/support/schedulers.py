"""A scheduler and its workers as processes of their own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from support.batch import address_in
from support.patience import PATIENCE, until


@contextlib.contextmanager
def scheduler(told: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A scheduler, which tells its address in a file, and two workers as processes of their own."""

    def start(*words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    main = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(told))
    work = []
    try:
        address = until(lambda: address_in(told))
        work = [start("worker", address, "--nthreads", "1", "--death-timeout", str(PATIENCE)) for _ in range(2)]
        yield address, main
    finally:
        for process in [*work, main]:
            for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []:
                with contextlib.suppress(psutil.Error):
                    child.kill()
            process.kill()
            process.wait()
