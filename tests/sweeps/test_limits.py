"""One thread in the libraries of linear algebra while something is computed; the memory of a process."""

import os
import subprocess
import sys

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from photogap.sweeps.work.limits import THREADS, one_thread
from support.patience import PATIENCE


@pytest.mark.parametrize("before", [None, "3"])
def test_libraries_run_one_thread_and_the_environment_is_restored(before, monkeypatch):
    """Libraries that are loaded within read the environment; those that are there already are limited."""
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
        if before:
            monkeypatch.setenv(name, before)
    np.linalg.eigvals(np.eye(3))
    counts = [found["num_threads"] for found in threadpool_info()]
    with one_thread():
        assert all(os.environ[name] == "1" for name in THREADS)
        assert {found["num_threads"] for found in threadpool_info()} == {1}
    assert [found["num_threads"] for found in threadpool_info()] == counts
    assert [os.environ.get(name) for name in THREADS] == [before] * len(THREADS)


def test_peak_memory_is_not_that_of_the_process_that_started_the_worker() -> None:
    """Linux counts the memory of the parent as `ru_maxrss` of its child."""
    code = "import photogap.sweeps.work.memory as memory; print(memory.peak())"
    filled = np.ones(400 * 2**17)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert int(done.stdout) < filled.nbytes == 400 * 2**20
