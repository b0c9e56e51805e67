"""The same no-op points by other libraries, each as its documentation shows a cached, resumable sweep.

A case returns CPU a point of the first run, and of a second run that finds everything done; `photogap` and a bare
`client.map` are in `bench_sweep`. Libraries that start a process for each point take fewer of them.
"""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import noop
from meter import files_in, metered, peak_MB

WORKERS = 2
FEW = 40
"""Points of libraries with a process for each."""
Numbers = dict[str, Any]


def _twice(points: int, folder: str, run: Callable[[], Any]) -> Numbers:
    """Numbers of a first run and of one that finds all results."""
    numbers: Numbers = {}
    with metered(numbers, points):
        run()
    again: Numbers = {}
    with metered(again, points):
        run()
    resumed = again["driver_ms"] + again["workers_ms"]
    return numbers | {"resumed_ms": resumed, "peak_MB": peak_MB(), "files": files_in(folder)}


def pipefunc(storage: str) -> Callable[..., Numbers]:
    """pipefunc: a map over a run folder."""

    def case(points: int, _: float, folder: str) -> Numbers:
        from pipefunc import PipeFunc, Pipeline

        pipeline = Pipeline([PipeFunc(noop.series, "y", mapspec="x[i] -> y[i]")])
        with ProcessPoolExecutor(WORKERS) as pool:
            list(pool.map(noop.series, range(10)))
            return _twice(
                points,
                folder,
                lambda: pipeline.map(
                    {"x": list(range(points))},
                    run_folder=folder,
                    storage=storage,
                    executor=pool,
                    return_results=False,
                    show_progress=False,
                    cleanup=False,
                ),
            )

    return case


def xyzpy(points: int, _: float, folder: str) -> Numbers:
    """xyzpy: a crop, a file a point, reaped into a dataset."""
    import xyzpy as library

    runner = library.Runner(noop.series, "y", var_dims={"y": ["time"]}, var_coords={"time": noop.TIMES})
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(noop.series, range(10)))

        def run() -> None:
            crop = runner.Crop(name="bench", parent_dir=folder, batchsize=1)
            if not crop.is_prepared():
                crop.sow_combos({"x": list(range(points))}, verbosity=0)
            crop.grow_missing(executor=pool, verbosity=0)
            assert crop.reap(clean_up=False).sizes["x"] == points

        return _twice(points, folder, run)


def xsweep(points: int, _: float, folder: str) -> Numbers:
    """xsweep: a Zarr store, threads (its processes, forked beside Zarr's threads, died here)."""
    import numpy as np
    import xarray as xr
    from xsweep import sweep

    swept = sweep("loop(x) -> y(time)", store=f"{folder}/runs.zarr", version="1")(noop.series)
    space = xr.Dataset({"x": ("x", np.arange(points)), "time": ("time", noop.TIMES)})
    from xsweep import SweepPolicy

    policy = SweepPolicy(executor="thread", max_workers=WORKERS)
    return _twice(points, folder, lambda: swept(space, policy=policy))


def joblib(points: int, _: float, folder: str) -> Numbers:
    """joblib: Parallel over a function that Memory caches."""
    from joblib import Memory, Parallel, delayed

    cached = Memory(folder, verbose=0).cache(noop.series)
    return _twice(points, folder, lambda: Parallel(n_jobs=WORKERS)(delayed(cached)(x) for x in range(points)))


def submitit(points: int, _: float, folder: str) -> Numbers:
    """submitit: an array of local jobs, a process a point; a second run starts all of them again."""
    import submitit as library

    def run() -> None:
        executor = library.LocalExecutor(folder=folder)
        jobs = []
        for x in range(points):
            while sum(not job.done() for job in jobs) >= WORKERS:
                time.sleep(0.01)
            jobs.append(executor.submit(noop.series, x))
        assert len([job.result() for job in jobs]) == points

    return _twice(points, folder, run)


def snakemake(points: int, _: float, folder: str) -> Numbers:
    """snakemake: one rule, a process a point."""
    here = Path(__file__).with_name("noop.py")
    Path(folder, "Snakefile").write_text(
        f"rule all:\n    input: expand('y/{{x}}.npy', x=range({points}))\n"
        f"rule point:\n    output: 'y/{{x}}.npy'\n    shell: '{sys.executable} {here} {{wildcards.x}} {{output}}'\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", str(WORKERS), "--quiet", "all"]

    def run() -> None:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        assert len(list(Path(folder, "y").glob("*.npy"))) == points

    return _twice(points, folder, run)


def is_there(case: str) -> bool:
    """Whether the library of a case is installed."""
    return importlib.util.find_spec(case.split()[0]) is not None


PEERS: dict[str, Callable[..., Numbers]] = {
    "pipefunc file_array": pipefunc("file_array"),
    "pipefunc zarr_file_array": pipefunc("zarr_file_array"),
    "xyzpy crop": xyzpy,
    "xsweep": xsweep,
    "joblib Memory": joblib,
    "submitit local": submitit,
    "snakemake": snakemake,
}
EACH_A_PROCESS = ("submitit local", "snakemake")
