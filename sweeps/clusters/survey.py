"""Properties of a worker: host, cores, threads, versions, and whether the driver can read what it writes."""

import uuid
from collections.abc import Callable
from typing import Any

from ..errors import ClusterError, StoreError
from ..store.place import Place
from ..store.record import unlike, versions

MUST_MATCH = ("python", "photogap", "numpy", "scipy", "numba", "dask", "distributed", "pyfftw")
PROBES = "probes/"


def make_probe() -> Callable[[str | None, str], dict[str, Any]]:
    """Function sent by value, so that a worker without this package can run it too."""

    def probe(store: str | None, key: str) -> dict[str, Any]:
        import importlib.metadata
        import os
        import platform
        import socket
        import sys

        def version(name: str) -> str | None:
            try:
                return importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                return None

        names = ("photogap", "numpy", "scipy", "numba", "dask", "distributed", "xarray", "zarr", "pydantic")
        jobs = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
        affinity = getattr(os, "sched_getaffinity", None)
        found: dict[str, object] = {
            "host": socket.gethostname(),
            "python": sys.executable,
            "pid": os.getpid(),
            "cores": len(affinity(0)) if affinity else os.cpu_count(),
            "threads": {n: v for n, v in os.environ.items() if n.endswith("_NUM_THREADS")},
            "job": next(filter(None, (os.environ.get(n) for n in jobs)), None),
            "container": os.environ.get("APPTAINER_CONTAINER") or os.environ.get("SINGULARITY_CONTAINER"),
            "versions": {"python": platform.python_version(), **{n: version(n) for n in (*names, "pyfftw")}},
            "write": None,
        }
        if store is not None:
            try:
                from photogap.sweeps.store.place import Place

                Place(store).blobs.put(key, b"written by a worker")
                found["write"] = "ok"
            except Exception as error:
                found["write"] = f"{type(error).__name__}: {error}"
        return found

    return probe


def look(client: Any, worker: str, place: Place | None) -> dict[str, Any]:
    """Report of one worker, and whether the driver sees what it wrote.

    Raises:
        ClusterError: The worker cannot even answer: another Python, most likely.
    """
    key = f"{PROBES}{uuid.uuid4().hex}"
    where = None if place is None or place.is_memory else place
    probe = make_probe()
    try:
        found: dict[str, Any] = client.run(probe, where and where.url, key, workers=[worker])[worker]
    except Exception as error:
        raise ClusterError(f"worker {worker} cannot answer ({error}). {_pythons(client, worker)}") from error
    if where is not None and found["write"] == "ok":
        if where.blobs.get(key) is None:
            found["write"] = "the driver does not see what the worker wrote: no shared file system?"
        where.blobs.delete([key])
    return found


def _pythons(client: Any, worker: str) -> str:
    try:
        seen = client.get_versions()
        theirs, ours = seen["workers"][worker]["host"]["python"], seen["client"]["host"]["python"]
    except Exception:
        return "Look at its log."
    return f"Its Python is {theirs}, the driver's {ours}: they must be the same."


def differences(found: dict[str, Any]) -> list[str]:
    """Versions that a worker does not share with the driver."""
    ours, theirs = versions(), found["versions"]
    return [
        f"{name} {theirs.get(name) or 'missing'} (driver: {ours.get(name) or 'missing'})"
        for name in unlike(ours, theirs)
        if name in MUST_MATCH
    ]


def oversubscribed(found: dict[str, Any], processes: int) -> str | None:
    """Warning if the thread pools of a worker's processes exceed the cores that it may use."""
    threads = max((int(v) for v in found["threads"].values() if v.isdigit()), default=found["cores"])
    if threads * processes <= found["cores"]:
        return None
    names = ", ".join(f"{n}={v}" for n, v in found["threads"].items()) or "no *_NUM_THREADS"
    return (
        f"{processes} processes of up to {threads} threads (numba, FFT, BLAS) share {found['cores']} cores on "
        f"{found['host']} ({names}). Set OMP_NUM_THREADS=1 and NUMBA_NUM_THREADS=1 for the workers."
    )


def demand(found: dict[str, Any], place: Place | None, *, strict: bool) -> None:
    """Refuse a worker that cannot serve the run.

    Raises:
        ClusterError: It has other versions than the driver.
        StoreError: It cannot write the store.
    """
    wrong = differences(found)
    if wrong and strict and found["container"]:
        raise ClusterError(
            f"the container {found['container']} on {found['host']} has other versions than the driver: "
            f"{'; '.join(wrong)}. Build it with the driver's versions, or set `versions: warn` in the cluster file."
        )
    if wrong and strict:
        raise ClusterError(
            f"the worker on {found['host']} has other versions than the driver: {'; '.join(wrong)}. Its Python is "
            f"{found['python']}: give the workers the driver's environment (`python` and `prologue` of the cluster "
            "file, or another image), or set `versions: warn` there."
        )
    if found["write"] not in (None, "ok"):
        where = place.url if place else ""
        raise StoreError(
            f"the worker on {found['host']} cannot write the store {where}: {found['write']}. Use a --store that "
            "driver and nodes share: a folder of the shared file system, or a bucket whose credentials they have."
        )
