"""What the sweep service costs beside the points themselves; `make bench` runs it.

    python benchmarks/bench_sweep.py            2,000 and 10,000 no-op points, 40 points of 1 s: a few minutes
    PHOTOGAP_BENCH_FULL=1 python benchmarks/...  100,000 no-op points, 200 points of 1 s

Every case is a process of its own. Nothing is asserted on time: ratios within one run are the result.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from meter import files_in, metered, peak_MB
from peers import EACH_A_PROCESS, FEW, PEERS, is_there

HERE = Path(__file__).parent
FAKE = HERE.parent / "tests"
FULL = os.environ.get("PHOTOGAP_BENCH_FULL") == "1"
CHEAP = 2_000
MANY = 100_000 if FULL else 10_000
LONG = 200 if FULL else 40
WORKERS = 2
START = "start of a million points"
SHAPES = {
    1_000: (50, 5, 4),
    CHEAP: (50, 5, 8),
    10_000: (100, 10, 10),
    100_000: (250, 20, 20),
    40: (40, 1, 1),
    200: (200, 1, 1),
}


def serve_scheduler() -> None:
    """A plain Dask cluster on loopback, its scheduler in this process, until the standard input ends."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
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
    numbers["files"] = files_in(target.path)
    again: dict[str, Any] = {}
    service.open_pool = opener
    with metered(again, points):
        assert service.run(resolve(parse(tree)), target, workers=WORKERS).counts.computed == 0
    numbers["resumed_ms"] = again["driver_ms"] + again["workers_ms"]
    numbers["status_s"] = timed(lambda: status(target))
    numbers |= read(target.url, T, tau)
    return numbers


def start(points: int, _: float, folder: str) -> dict[str, Any]:
    """CPU between a config and the first task of a large sweep."""
    import numpy as np

    from photogap.sweeps.ask.config import parse
    from photogap.sweeps.ask.plan import resolve
    from photogap.sweeps.drive.flow import Flow
    from photogap.sweeps.drive.sweep import prepare
    from photogap.sweeps.store.place import place

    begin = time.process_time()
    side = round(points**0.5)
    axes = {
        "material": ["A"],
        "F0": {"geomspace": [0.01, 10, side]},
        "omega_pump": 170,
        "T": {"linspace": [1, 300, side]},
        "tau_esc": 1,
    }
    tree = {"name": "bench", "model": "noop:MODEL", "axes": axes, "limits": {"points": points}}
    cube, plan = prepare(resolve(parse(tree)), place(Path(folder) / "cube.zarr"))
    wanted = np.ones(cube.grid.shape, bool)
    cube.refuse_strangers(plan, wanted)
    flow = Flow(plan, cube, None, None, wanted=wanted)  # type: ignore[arg-type]
    next(flow._todo())
    return {"start_s": time.process_time() - begin}


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


CASES: dict[str, Callable[..., dict[str, Any]]] = {
    "photogap": sweep,
    "photogap, scheduler apart": apart,
    "client.map": client_map,
    START: start,
    **PEERS,
}


def measure(case: str, points: int, seconds: float = 0.0) -> dict[str, Any] | None:
    """Numbers of a case run in a process of its own; None, and a line, if its library is not installed."""
    if case in PEERS and not is_there(case):
        print(f"  {case}: skipped, {case.split()[0]} is not installed (pip install 'photogap[bench]')")
        return None
    path = os.pathsep.join([str(HERE), str(FAKE), *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "case"
        folder.mkdir()
        first = {"PHOTOGAP_BENCH_FIRST": str(Path(outer) / "first")}
        done = subprocess.run(
            [sys.executable, __file__, case, str(points), str(seconds), str(folder)],
            env=os.environ | first | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{case} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _rest(numbers: dict[str, Any]) -> str:
    first = f"; {numbers['first_s']:5.2f} s" if "first_s" in numbers else ""
    if "resumed_ms" not in numbers:
        return first
    return first + f"; {numbers['resumed_ms']:6.2f} ms; {numbers['files']} files, {numbers['peak_MB']:.0f} MB"


def main() -> None:
    """All cases, and their ratios."""
    print(f"CPU a point, {CHEAP} no-op points on {WORKERS} workers, pools started and warm:")
    print("first run: driver + workers; time to the first result; a second run of the finished sweep, CPU a point;")
    print("files, and peak memory of the driver")
    found = {case: measure(case, FEW if case in EACH_A_PROCESS else CHEAP) for case in CASES if case != START}
    bare = found["client.map"]
    assert bare is not None
    floor = bare["driver_ms"] + bare["workers_ms"]
    for case, n in found.items():
        if n:
            total = n["driver_ms"] + n["workers_ms"]
            print(
                f"  {case:26} {n['driver_ms']:6.2f} + {n['workers_ms']:5.2f} = {total:6.2f} ms, "
                f"{total / floor:7.2f} of client.map" + _rest(n)
            )
    started = measure(START, 1_000_000)
    assert started is not None
    print(f"start of a million points, CPU to the first task: {started['start_s']:.2f} s (goal 3)")
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
