"""Batch systems by their commands: submit a script, ask for states, cancel; scripts are dask-jobqueue's.

Jobs are kept by `fleet` and not by dask-jobqueue's cluster classes, which never replace a lost job.
"""

import functools
import getpass
import re
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask

from ..errors import ClusterError, ConfigError
from ..work.limits import THREADS
from .config import Jobs, Pbs, Slurm, seconds

PENDING, RUNNING, ENDED = "pending", "running", "ended"
_PATIENCE_S = 60.0
_IMPORT = threading.Lock()
STARTED, NAME = "PHOTOGAP_JOB_STARTED", "PHOTOGAP_JOB"
_FAILED_PROLOGUE = "photogap: the prologue failed at"
# A worker keeps no results, so it need not make room for them; a nanny ends it near its limit.
_WORKER_SETTINGS = {"TARGET": "False", "SPILL": "False", "PAUSE": "False", "TERMINATE": "0.97"}


@dataclass(frozen=True)
class State:
    """What a batch system says of a job.

    Args:
        phase: `pending` or `running`.
        detail: Its own word and reason.
    """

    phase: str
    detail: str = ""


class System:
    """Commands of a batch system."""

    submit_command = ""
    cancel_command = ""
    hint = ""

    def submit(self, script: Path) -> str:
        """Id of the new job.

        Raises:
            ClusterError: The command is missing or refuses; the message has its words.
        """
        done = self._run([self.submit_command, str(script)])
        found = re.search(r"\d+(\[\])?(\.[\w.-]+)?", done.stdout)
        if done.returncode or not found:
            words = _refusal(done.stderr or done.stdout)
            raise ClusterError(
                f"`{self.submit_command}` refused the job: {words}. {self.hint} The job's script: {script}"
            )
        return str(found.group(0))

    def cancel(self, ids: list[str]) -> None:
        """End jobs; those already gone are no error."""
        if ids:
            self._run([self.cancel_command, *ids])

    def states(self, ids: list[str]) -> dict[str, State] | None:
        """States of those jobs that have not ended; None if the system does not answer."""
        raise NotImplementedError

    def story(self, job: str) -> str:
        """How an ended job ended, in the system's words; empty if it does not say."""
        return ""

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        if shutil.which(command[0]) is None:
            raise ClusterError(
                f"`{command[0]}` was not found on this machine. Run where the batch system's commands are "
                "(a login node; `module load` may bring them), or use --cluster local."
            )
        try:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=_PATIENCE_S, stdin=subprocess.DEVNULL, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 1, "", str(error))


class SlurmSystem(System):
    """sbatch, squeue, scancel."""

    submit_command = "sbatch"
    cancel_command = "scancel"
    hint = (
        "Check `queue`, `account`, `constraint`, `walltime` and `memory` of the cluster file; `sinfo` lists queues."
    )

    def states(self, ids: list[str]) -> dict[str, State] | None:
        """By squeue."""
        done = self._run(["squeue", "--noheader", "--format=%i|%T|%r", f"--user={getpass.getuser()}"])
        if done.returncode:
            return None
        out = {}
        for line in done.stdout.splitlines():
            job, _, rest = line.strip().partition("|")
            word, _, reason = rest.partition("|")
            if job in ids:
                phase = PENDING if word in ("PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED") else RUNNING
                out[job] = State(phase, f"{word} ({reason})" if reason not in ("None", "") else word)
        return out

    def story(self, job: str) -> str:
        """By scontrol, which remembers a job for a few minutes, else by sacct."""
        done = self._run(["scontrol", "show", "job", "--oneliner", job])
        found = dict(re.findall(r"(JobState|Reason|ExitCode)=(\S+)", done.stdout))
        if found:
            reason = found.get("Reason", "None")
            return str(found["JobState"]) + (f" ({reason})" if reason != "None" else "")
        if shutil.which("sacct"):
            done = self._run(["sacct", "--noheader", "--parsable2", "--allocations", "--format=State", "-j", job])
            lines: list[str] = done.stdout.split()
            return lines[0] if lines and not done.returncode else ""
        return ""


class PbsSystem(System):
    """qsub, qstat, qdel."""

    submit_command = "qsub"
    cancel_command = "qdel"
    hint = "Check `queue`, `account`, `resource_spec` and `walltime` of the cluster file; `qstat -Q` lists queues."

    def states(self, ids: list[str]) -> dict[str, State] | None:
        """By qstat, which fails for a list in which one job has ended: all of the user's are asked for."""
        done = self._run(["qstat"])
        if done.returncode and "no " not in done.stderr.lower():
            return None
        out = {}
        short = {job.split(".")[0]: job for job in ids}
        for line in done.stdout.splitlines():
            words = line.split()
            job = words[0].split(".")[0] if words else ""
            if job in short and len(words) >= 3:
                letter = words[-2]
                if letter in ("C", "F", "X", "E"):
                    continue
                out[short[job]] = State(RUNNING if letter in ("R", "B") else PENDING, letter)
        return out


def system_of(spec: Jobs) -> System:
    """Commands for a cluster."""
    return SlurmSystem() if isinstance(spec, Slurm) else PbsSystem()


def setting(spec: Jobs, name: str) -> Any:
    """Value of the cluster file, else of dask-jobqueue's own configuration."""
    found = getattr(spec, name, None)
    return theirs(spec, name) if found is None else found


def theirs(spec: Jobs, name: str) -> Any:
    """Value of dask-jobqueue's own configuration, its defaults included."""
    import_jobqueue()  # adds its defaults to dask's
    return dask.config.get(f"jobqueue.{kind_of(spec)}.{name.replace('_', '-')}", None)


@functools.cache
def import_jobqueue() -> None:
    """Import dask-jobqueue without what its import does: it takes ctrl-C for itself, and so fails in a thread."""
    with _IMPORT:
        importing, set_handler = threading.get_ident(), signal.signal

        def leave(signalnum: Any, handler: Any) -> Any:
            mine = threading.get_ident() == importing
            # What another thread sets meanwhile, a server that stops, say, is set.
            return signal.getsignal(signalnum) if mine else set_handler(signalnum, handler)

        try:
            # https://github.com/dask/dask-jobqueue/issues/696, in 0.9.0
            signal.signal = leave
            import dask_jobqueue  # noqa: F401
        finally:
            signal.signal = set_handler


def kind_of(spec: Jobs) -> str:
    """`slurm` or `pbs`."""
    return "slurm" if isinstance(spec, Slurm) else "pbs"


def processes_of(spec: Jobs) -> int:
    """Worker processes of a job: one a core unless told."""
    cores = setting(spec, "cores")
    if cores is None or setting(spec, "memory") is None:
        kind = kind_of(spec)
        raise ConfigError(
            f"a {kind} cluster needs `cores` and `memory` of a job. Add them to the cluster file, "
            f"or to `jobqueue.{kind}` of dask-jobqueue's own configuration."
        )
    return int(setting(spec, "processes") or cores)


def walltime_of(spec: Jobs) -> float | None:
    """Wall time of a job, s."""
    found = setting(spec, "walltime")
    return None if found is None else seconds(str(found))


def retirement(spec: Jobs) -> tuple[float, float] | None:
    """Age at which a job takes no new points, at most, and the span over which jobs spread that age, s."""
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
        f"{processes} worker processes share {cores} cores a job: each keeps a core busy by itself, "
        f"so points slow one another down. Set `processes: {cores}` or leave it out."
    )


def prologue(spec: Jobs, name: str, *, worker: bool) -> list[str]:
    """Shell lines before a worker or a driver: our settings first, so that the user's lines may change them."""
    lines = [
        f"export {NAME}={name}",
        f"export {STARTED}=$(date +%s)",
        f"export {' '.join(f'{name}={value}' for name, value in THREADS.items())}",
    ]
    if worker:
        memory = " ".join(f"DASK_DISTRIBUTED__WORKER__MEMORY__{k}={v}" for k, v in _WORKER_SETTINGS.items())
        lines.append(f"export {memory}")
    own = list(theirs(spec, "job_script_prologue") or []) if spec.prologue is None else list(spec.prologue)
    if own:
        trap = f'echo "{_FAILED_PROLOGUE}: $BASH_COMMAND" >&2; exit 91'
        lines += [f"trap '{trap}' ERR", *own, "trap - ERR"]
    return lines


def worker_script(spec: Jobs, *, name: str, address: str, logs: Path, security: Any = None) -> str:
    """Script of a worker job, as dask-jobqueue writes it."""
    return str(_job(spec, name=name, address=address, logs=logs, security=security).job_script())


def _job(spec: Jobs, *, name: str, address: str, logs: Path, security: Any) -> Any:
    import_jobqueue()
    from dask_jobqueue.pbs import PBSJob
    from dask_jobqueue.slurm import SLURMJob

    processes, cores = processes_of(spec), int(setting(spec, "cores"))
    common: dict[str, Any] = {
        "scheduler": address,
        "name": name,
        "job_name": name,
        # One thread a process: the physics is one thread, and a lost process takes no other point with it.
        "cores": processes,
        "processes": processes,
        "memory": spec.memory,
        "walltime": spec.walltime,
        "queue": spec.queue,
        "account": spec.account,
        "python": spec.python,
        "local_directory": spec.local_directory,
        "interface": spec.interface,
        "log_directory": str(logs),
        "death_timeout": None if spec.death_timeout is None else int(spec.death_timeout),
        "job_script_prologue": prologue(spec, name, worker=True),
        "job_directives_skip": spec.job_directives_skip,
        "protocol": "tls://" if security else None,
        "security": security,
        "worker_extra_args": [
            *(theirs(spec, "worker_extra_args") or []),
            "--dashboard-address",
            "127.0.0.1:0",
            # The scheduler's pages tell of the workers; theirs would be out of reach, at 20 MB a process.
            "--no-dashboard",
        ],
    }
    if isinstance(spec, Slurm):
        common["job_cpu"] = theirs(spec, "job_cpu") or cores
        extra = [f"--constraint={spec.constraint}"] if spec.constraint else []
        slurm_job: Any = SLURMJob
        return slurm_job(job_extra_directives=[*extra, *_directives(spec)], **common)
    assert isinstance(spec, Pbs)
    common["resource_spec"] = spec.resource_spec or _resources(spec, cores)
    # Without a slash: with one, some servers take the path for a file of that name.
    skip = {*(setting(spec, "job_directives_skip") or ()), f"-e {logs}/", f"-o {logs}/"}
    common["job_directives_skip"] = sorted(skip)
    paths = [f"-e {logs / name}.err", f"-o {logs / name}.out"]
    pbs_job: Any = PBSJob
    return pbs_job(job_extra_directives=[*paths, *_directives(spec)], **common)


def _directives(spec: Jobs) -> list[str]:
    return list(setting(spec, "job_extra_directives") or ())


def _resources(spec: Jobs, cores: int) -> str | None:
    known = theirs(spec, "resource_spec")
    if known:
        return str(known)
    from dask.utils import parse_bytes
    from dask_jobqueue.pbs import pbs_format_bytes_ceil

    return f"select=1:ncpus={cores}:mem={pbs_format_bytes_ceil(parse_bytes(setting(spec, 'memory')))}"


def log_of(spec: Jobs, logs: Path, name: str) -> Path | None:
    """What a job wrote about its errors, if it is there yet."""
    found = sorted(logs.glob(f"{name}*.err"))
    return found[-1] if found else None


def tail(path: Path | None, lines: int = 4) -> str:
    """Last telling lines of a log."""
    if path is None or not path.is_file():
        return ""
    text = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    telling = [
        line for line in text if _FAILED_PROLOGUE in line or re.search(r"error|not found|denied", line, re.I)
    ]
    return " / ".join(line.strip() for line in (telling or text)[-lines:])


def _refusal(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return (
        " / ".join(dict.fromkeys(re.sub(r"^\w+: (error: )?", "", line).rstrip(".") for line in lines[-2:]))
        or "no reason given"
    )


def driver_header(spec: Jobs, name: str, log: Path) -> str:
    """Shebang and directives of a driver's job."""
    wanted = spec.driver
    sized = spec.model_copy(
        update={
            "cores": wanted.cores,
            "processes": 1,
            "memory": wanted.memory,
            "walltime": wanted.walltime or spec.walltime,
            "queue": wanted.queue or spec.queue,
            "resource_spec": None,
        }
    )
    job = _job(sized, name=name, address="none", logs=log.parent, security=None)
    header = [line for line in str(job.job_header).splitlines() if not re.search(r"#\w+ -[eo] ", line)]
    if isinstance(spec, Slurm):
        # A minute for the driver to note what it has and to cancel its workers.
        header += [f"#SBATCH -o {log}", "#SBATCH --signal=B:TERM@60"]
    else:
        header += ["#PBS -j oe", f"#PBS -o {log}"]
    return "\n".join([str(job.shebang), *header])


def system_named(kind: str) -> System:
    """Commands of `slurm` or `pbs`."""
    return SlurmSystem() if kind == "slurm" else PbsSystem()
