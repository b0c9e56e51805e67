"""What the sweep service costs beside the points themselves; `make bench` runs it.

    python benchmarks/bench_sweep.py            2,000 and 10,000 no-op points, 40 points of 1 s: a few minutes
    PHOTOGAP_BENCH_FULL=1 python benchmarks/...  100,000 no-op points, 200 points of 1 s

Every case is a process of its own. Nothing is asserted on time: ratios within one run are the result.
"""

import contextlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).parent
FAKE = HERE.parent / "tests"
FULL = os.environ.get("PHOTOGAP_BENCH_FULL") == "1"
CHEAP = 2_000
MANY = 100_000 if FULL else 10_000
LONG = 200 if FULL else 40
WORKERS = 2
SHAPES = {
    1_000: (50, 5, 4),
    CHEAP: (50, 5, 8),
    10_000: (100, 10, 10),
    100_000: (250, 20, 20),
    40: (40, 1, 1),
    200: (200, 1, 1),
}


def cpu_of() -> tuple[float, float]:
    """CPU seconds of this process and of its living children."""
    children = 0.0
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            children += times.user + times.system
    return time.process_time(), children


@contextlib.contextmanager
def metered(numbers: dict[str, Any], points: int) -> Iterator[None]:
    """CPU per point, ms, and wall time of a block between a started and a stopped pool."""
    begin, (own, others) = time.perf_counter(), cpu_of()
    yield
    own_after, others_after = cpu_of()
    numbers |= {
        "wall_s": time.perf_counter() - begin,
        "driver_ms": 1e3 * (own_after - own) / points,
        "workers_ms": 1e3 * (others_after - others) / points,
    }


def peak_MB(pid: int | str = "self") -> float:
    """Largest resident memory that a process has had, MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def serve_scheduler() -> None:
    """The service's own local cluster, its scheduler in this process, until the standard input ends."""
    from photogap.sweeps.ask.config import parse
    from photogap.sweeps.clusters.open import open_pool

    with open_pool(parse({"name": "bench", "axes": {}}), WORKERS) as pool:
        print(pool.describe()["kind"], flush=True)
        sys.stdin.read()


def apart(points: int, seconds: float, folder: str) -> dict[str, Any]:
    """A sweep whose scheduler is a process of its own, so that its memory is not the driver's."""
    command = [sys.executable, __file__, "scheduler"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as scheduler:
        assert scheduler.stdout is not None
        numbers = sweep(points, seconds, folder, scheduler.stdout.readline().strip())
        return numbers | {"scheduler_MB": peak_MB(scheduler.pid)}


def sweep(points: int, seconds: float, folder: str, cluster: str = "local") -> dict[str, Any]:
    """A sweep of the service."""
    from photogap.sweeps.ask.config import parse
    from photogap.sweeps.ask.plan import resolve
    from photogap.sweeps.drive import sweep as service
    from photogap.sweeps.drive.report import status
    from photogap.sweeps.model import resolve as resolve_model
    from photogap.sweeps.store.place import place

    numbers: dict[str, Any] = {}
    opener = service.open_pool

    @contextlib.contextmanager
    def opened(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with opener(*args, **kwargs) as pool:
            pool._client.run(resolve_model, "noop:MODEL")
            with metered(numbers, points):
                yield pool

    service.open_pool = opened
    F0, T, tau = SHAPES[points]
    axes = {
        "material": ["A"],
        "F0": {"geomspace": [0.01, 10, F0]},
        "omega_pump": 170,
        "T": list(range(1, T + 1)),
        "tau_esc": list(range(1, tau + 1)),
    }
    tree = {
        "name": "bench",
        "model": "noop:MODEL",
        "axes": axes,
        "settings": {"seconds": seconds},
        "cluster": cluster,
    }
    target = place(Path(folder) / "cube.zarr")
    report = service.run(resolve(parse(tree)), target, workers=WORKERS)
    assert report.counts.done == points
    numbers["peak_MB"] = peak_MB()
    numbers["files"] = sum(len(files) for _, _, files in os.walk(target.path))
    numbers["status_s"] = timed(lambda: status(target))
    numbers |= read(target.url, T, tau)
    return numbers


def read(url: str, T: int, tau: int) -> dict[str, float]:
    """Time to open a cube and to read one saturation curve."""
    import xarray as xr

    opened = timed(lambda: xr.open_zarr(url))
    ds = xr.open_zarr(url)
    cell = {"T": T // 2 + 1, "tau_esc": tau // 2 + 1}
    return {
        "open_s": opened,
        "curve_from_scalars_s": timed(lambda: ds.Delta0_peak.sel(cell).load()),
        "curve_from_series_s": timed(lambda: ds.Delta0.sel(cell).max("time").load()),
    }


def timed(function: Callable[[], Any]) -> float:
    """Wall time of a call, s."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def client_map(points: int, *_: Any) -> dict[str, Any]:
    """The same points by a bare `client.map`, results gathered into this process."""
    import noop

    from photogap.sweeps.ask.config import parse
    from photogap.sweeps.clusters.open import open_pool

    numbers: dict[str, Any] = {}
    with open_pool(parse({"name": "bench", "axes": {}}), WORKERS) as pool:
        client = pool._client
        client.gather(client.map(noop.bare, range(-10, 0), pure=False))
        with metered(numbers, points):
            found = client.gather(client.map(noop.bare, range(points), pure=False))
    assert len(found) == points
    return numbers


def pipefunc_map(storage: str) -> Callable[..., dict[str, Any]]:
    """The same points by pipefunc."""

    def case(points: int, _: float, folder: str) -> dict[str, Any]:
        import noop
        from pipefunc import PipeFunc, Pipeline

        numbers: dict[str, Any] = {}
        pipeline = Pipeline([PipeFunc(noop.series, "y", mapspec="x[i] -> y[i]")])
        with ProcessPoolExecutor(WORKERS) as pool:
            list(pool.map(noop.series, range(10)))
            with metered(numbers, points):
                pipeline.map(
                    {"x": list(range(points))},
                    run_folder=folder,
                    storage=storage,
                    executor=pool,
                    return_results=False,
                    show_progress=False,
                )
        return numbers

    return case


def xyzpy_crop(points: int, _: float, folder: str) -> dict[str, Any]:
    """The same points by a crop of xyzpy, a file a point, reaped into a dataset."""
    import noop
    import xyzpy

    numbers: dict[str, Any] = {}
    runner = xyzpy.Runner(noop.series, "y", var_dims={"y": ["time"]}, var_coords={"time": noop.TIMES})
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(noop.series, range(10)))
        with metered(numbers, points):
            crop = runner.Crop(name="bench", parent_dir=folder, batchsize=1)
            crop.sow_combos({"x": list(range(points))}, verbosity=0)
            crop.grow_missing(executor=pool, verbosity=0)
            found = crop.reap()
    assert found.sizes["x"] == points
    return numbers


CASES: dict[str, Callable[..., dict[str, Any]]] = {
    "photogap": sweep,
    "photogap, scheduler apart": apart,
    "client.map": client_map,
    "pipefunc file_array": pipefunc_map("file_array"),
    "pipefunc zarr_file_array": pipefunc_map("zarr_file_array"),
    "xyzpy crop": xyzpy_crop,
}


def measure(case: str, points: int, seconds: float = 0.0) -> dict[str, Any] | None:
    """Numbers of a case run in a process of its own; None, and a line, if its library is not installed."""
    library = case.split()[0]
    if library in ("pipefunc", "xyzpy") and importlib.util.find_spec(library) is None:
        print(f"{case}: skipped, {library} is not installed (pip install 'photogap[bench]')")
        return None
    path = os.pathsep.join([str(HERE), str(FAKE), *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__, case, str(points), str(seconds), folder],
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{case} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """All cases, and their ratios."""
    print(f"CPU a point, {CHEAP} no-op points on {WORKERS} workers, pools started and warm:")
    found = {case: measure(case, CHEAP) for case in CASES}
    bare = found["client.map"]
    assert bare is not None
    floor = bare["driver_ms"] + bare["workers_ms"]
    for case, n in found.items():
        if n:
            total = n["driver_ms"] + n["workers_ms"]
            print(
                f"  {case:26} {n['driver_ms']:6.2f} + {n['workers_ms']:5.2f} = {total:6.2f} ms, "
                f"{total / floor:5.2f} of client.map"
            )
    slow = measure("photogap", LONG, 1.0)
    assert slow is not None
    print(f"{LONG} points of 1 s: ideal / wall = {LONG / WORKERS / slow['wall_s']:.3f}")
    few, many = (measure("photogap, scheduler apart", points) for points in (1_000, MANY))
    assert few is not None
    assert many is not None
    print(f"{MANY} no-op points against 1000, the scheduler a process of its own:")
    for who, key in (("driver", "peak_MB"), ("scheduler", "scheduler_MB")):
        print(f"  peak memory of the {who} {many[key]:.0f} / {few[key]:.0f} MB = {many[key] / few[key]:.2f}")
    print(f"  CPU a point {many['driver_ms'] + many['workers_ms']:.2f} ms; wall {many['wall_s']:.0f} s")
    for name in ("files", "status_s", "open_s", "curve_from_scalars_s", "curve_from_series_s"):
        print(f"  {name:22} {many[name]:10.3g}   ({few[name]:.3g} at 1000)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["scheduler"]:
        serve_scheduler()
    elif len(sys.argv) > 1:
        print(json.dumps(CASES[sys.argv[1]](int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])))
    else:
        main()
