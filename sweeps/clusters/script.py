"""Scripts of worker and driver jobs: dask-jobqueue's, with this service's settings, scratch and logs.

Jobs are kept by `fleet` and not by dask-jobqueue's cluster classes, which never replace a lost job.
"""

import functools
import importlib
import re
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dask

from ..errors import ConfigError
from ..work.limits import THREADS
from . import readings
from .spec import Jobs

_IMPORT = threading.Lock()
_SCRATCH = "photogap_scratch"
STARTED, NAME = "PHOTOGAP_JOB_STARTED", "PHOTOGAP_JOB"
_FAILED_PROLOGUE = "photogap: the prologue failed at"
# A worker keeps no results, so it need not spill them; a nanny ends it near its memory limit.
_WORKER_SETTINGS = {"TARGET": "False", "SPILL": "False", "PAUSE": "False", "TERMINATE": "0.97"}


def setting(spec: Jobs, name: str) -> Any:
    """Value of the cluster file, else of dask-jobqueue's own configuration."""
    found = getattr(spec, name, None)
    return theirs(spec, name) if found is None else found


def theirs(spec: Jobs, name: str) -> Any:
    """Value of dask-jobqueue's own configuration, its defaults included."""
    import_jobqueue()  # adds its defaults to dask's
    return dask.config.get(f"jobqueue.{spec.system.name}.{name.replace('_', '-')}", None)


@functools.cache
def import_jobqueue() -> None:
    """Import dask-jobqueue without its side effect: its import replaces the ctrl-C handler, and so fails in a
    thread."""
    with _IMPORT:
        importing, set_handler = threading.get_ident(), signal.signal

        def leave(signalnum: Any, handler: Any) -> Any:
            mine = threading.get_ident() == importing
            # Keep handlers that another thread sets meanwhile, such as those of a stopping server.
            return signal.getsignal(signalnum) if mine else set_handler(signalnum, handler)

        try:
            # https://github.com/dask/dask-jobqueue/issues/696, in 0.9.0
            signal.signal = leave
            import dask_jobqueue  # noqa: F401
        finally:
            signal.signal = set_handler


def processes_of(spec: Jobs) -> int:
    """Worker processes of a job, by default one per core."""
    cores = setting(spec, "cores")
    if cores is None or setting(spec, "memory") is None:
        kind = spec.system.name
        raise ConfigError(
            f"a {kind} cluster needs `cores` and `memory` per job. Add them to the cluster file, "
            f"or to `jobqueue.{kind}` of dask-jobqueue's own configuration."
        )
    return int(setting(spec, "processes") or (1 if spec.gpus else cores))


def memory_of(spec: Jobs) -> int:
    """Memory of a job, bytes; sizes in dask-jobqueue's own configuration have Dask's units."""
    if spec.memory is not None:
        return spec.memory
    from dask.utils import parse_bytes

    return int(parse_bytes(theirs(spec, "memory")))


def walltime_of(spec: Jobs) -> float | None:
    """Wall time of a job, s.

    Raises:
        ConfigError: That of dask-jobqueue's own configuration cannot be read.
    """
    if spec.walltime is not None:
        return spec.walltime
    found, reading = theirs(spec, "walltime"), spec.system.reading
    if found is None:
        return None
    if re.fullmatch(r"\d+:\d\d", str(found)):
        # A site's file uses its system's own format.
        found = f"{found}:00" if reading.pair == "HH:MM" else f"0:{found}"
    try:
        return readings.walltime_of(found, reading)
    except ValueError as error:
        raise ConfigError(
            f"`jobqueue.{spec.system.name}.walltime` of dask-jobqueue's configuration {error}. Got {found!r}."
        ) from None


def retirement(spec: Jobs) -> tuple[float, float] | None:
    """Largest age at which a job still takes new points, and the span over which jobs spread that age, s."""
    wall = walltime_of(spec)
    if wall is None:
        return None
    before = (
        spec.retire_before if spec.retire_before is not None else max(min(0.1 * wall, 900.0), min(60, 0.3 * wall))
    )
    after = max(wall - before, 0.1 * wall)
    return after, min(spec.stagger if spec.stagger is not None else before, 0.5 * after)


def oversubscription(spec: Jobs) -> str | None:
    """Warning if a job runs more processes than it has cores."""
    processes, cores = processes_of(spec), int(setting(spec, "cores"))
    if processes <= cores:
        return None
    return (
        f"{processes} worker processes share {cores} cores per job: each keeps one core busy, so points slow "
        f"each other down. Set `processes: {cores}` or leave it out."
    )


def prologue(spec: Jobs, name: str, *, log: str | None = None, more: Sequence[str] = ()) -> list[str]:
    """Shell lines before a worker or a driver: our settings first, so that the user's lines can change them.

    Args:
        spec: The cluster.
        name: The job's.
        log: Shell redirections of the script's output; None if the batch system redirects it.
        more: Further settings of ours.
    """
    lines = [f"exec {log}"] if log else []
    lines += [
        f"export {NAME}={name}",
        f"export {STARTED}=$(date +%s)",
        f"export {' '.join(f'{name}={value}' for name, value in THREADS.items())}",
        *more,
    ]
    own = list(theirs(spec, "job_script_prologue") or []) if spec.prologue is None else list(spec.prologue)
    if own:
        trap = f'echo "{_FAILED_PROLOGUE}: $BASH_COMMAND" >&2; exit 91'
        lines += [f"trap '{trap}' ERR", *own, "trap - ERR"]
    return lines


def _scratch(spec: Jobs) -> list[str]:
    """Lines that make a folder on the node that only its owner can read, removed with the job.

    Workers import from their folder, so others must not be able to write there.
    """
    where = setting(spec, "local_directory")
    base = re.sub(r"^~(?=/|$)", "$HOME", where) if where else "${TMPDIR:-/tmp}"
    return [
        f'mkdir -p "{base}" && {_SCRATCH}=$(mktemp -d "{base}/photogap-XXXXXXXX") || '
        f'{{ echo "photogap: error: no scratch folder in {base}" >&2; exit 92; }}',
        f"trap 'rm -rf \"${_SCRATCH}\"' EXIT",
        "trap 'exit 143' TERM",
    ]


def worker_script(spec: Jobs, *, name: str, address: str, logs: Path, security: Any = None) -> str:
    """Script of a worker job, as dask-jobqueue writes it."""
    memory = " ".join(f"DASK_DISTRIBUTED__WORKER__MEMORY__{k}={v}" for k, v in _WORKER_SETTINGS.items())
    redirected = f">>{shlex.quote(str(logs / name))}.out 2>>{shlex.quote(str(logs / name))}.err"
    settings = [f"export {memory}", "export DASK_DISTRIBUTED__WORKER__HTTP__ROUTES='[]'"]
    log = redirected if spec.system.spools else None
    before = [*prologue(spec, name, log=log, more=settings), *_scratch(spec)]
    job = _job(spec, name=name, address=address, logs=logs, security=security, before=before)
    return str(job.job_script())


def _job(spec: Jobs, *, name: str, address: str, logs: Path, security: Any, before: list[str]) -> Any:
    """dask-jobqueue's job; importing that package adds its defaults to dask's configuration."""
    import_jobqueue()
    system, processes, cores = spec.system, processes_of(spec), int(setting(spec, "cores"))
    module, _, cls = system.job.partition(":")
    ports = "{}:{}".format(*spec.worker_ports) if spec.worker_ports else None
    options: dict[str, Any] = {
        "scheduler": address,
        "name": name,
        "job_name": name,
        # One thread per process: the physics is single-threaded, and a lost process affects no other point.
        "cores": processes,
        "processes": processes,
        "memory": f"{memory_of(spec)}B",
        "walltime": None if spec.walltime is None else system.walltime(spec.walltime),
        "queue": spec.queue,
        "python": spec.python,
        "local_directory": f'"${_SCRATCH}"',
        "interface": spec.interface,
        "log_directory": str(logs),
        "death_timeout": None if spec.death_timeout is None else int(spec.death_timeout),
        "job_script_prologue": before,
        "job_directives_skip": spec.job_directives_skip,
        "job_extra_directives": [
            *system.log_lines(logs, name),
            *spec.own_directives(),
            *(setting(spec, "job_extra_directives") or ()),
        ],
        "protocol": "tls://" if security else None,
        "security": security,
        "worker_extra_args": [
            *(theirs(spec, "worker_extra_args") or []),
            *(["--worker-port", ports, "--nanny-port", ports] if ports else []),
            "--dashboard-address",
            "127.0.0.1:0",
            # The scheduler's pages show the workers; their own would be unreachable and cost 20 MB per process.
            "--no-dashboard",
        ],
    }
    return getattr(importlib.import_module(module), cls)(**options | system.options(spec, cores, memory_of(spec)))


def log_of(logs: Path, name: str) -> Path | None:
    """A job's error output, if it exists yet."""
    found = sorted(path for pattern in (f"{name}.err", f"{name}-*.err") for path in logs.glob(pattern))
    return found[-1] if found else None


def tail(path: Path | None, lines: int = 4) -> str:
    """Last informative lines of a log."""
    if path is None or not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    telling = [
        line for line in text if _FAILED_PROLOGUE in line or re.search(r"error|not found|denied", line, re.I)
    ]
    return " / ".join(line.strip() for line in (telling or text)[-lines:])


def driver_script(spec: Jobs, name: str, log: Path, command: list[str]) -> str:
    """Script of a driver's job that runs a command of this package; requests the driver's own cores and memory."""
    wanted = spec.driver
    sized = spec.model_copy(
        update={
            "cores": wanted.cores,
            "processes": 1,
            "gpus": None,
            "memory": wanted.memory,
            "walltime": wanted.walltime or spec.walltime,
            "queue": wanted.queue or spec.queue,
            "resource_spec": None,
        }
    )
    job = _job(sized, name=name, address="none", logs=log.parent, security=None, before=[])
    header = [line for line in str(job.job_header).splitlines() if not re.search(r"^\S+ -([eo] |j oe)", line)]
    quoted = shlex.quote(str(log))
    return "\n".join(
        [
            str(job.shebang),
            *header,
            *spec.system.driver_lines(log),
            *prologue(spec, name, log=f">>{quoted} 2>&1" if spec.system.spools else None),
            f"cd {shlex.quote(str(Path.cwd()))}",
            # Replaces the shell, so that a batch system's signal reaches the driver, which then cancels its
            # workers.
            f"exec {shlex.join([*_driver_python(spec), *command])}",
            "",
        ]
    )


def _driver_python(spec: Jobs) -> list[str]:
    """The driver's interpreter: outside the workers' container, where the batch system's commands are."""
    workers = setting(spec, "python")
    if spec.driver.python:
        return shlex.split(spec.driver.python)
    return [workers] if workers and len(shlex.split(workers)) == 1 else [sys.executable]
