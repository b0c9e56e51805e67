"""Keys of a cluster file: the base of every kind, and the keys of kinds whose workers are batch jobs."""

import os
import re
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import BeforeValidator, Field

from . import readings
from .readings import Reading
from .synonyms import SYNONYMS
from .system import System

if TYPE_CHECKING:
    from .dask_pool import DaskPool
    from .visit import Visit


def no_bool(value: Any) -> Any:
    """Refuse true and false as numbers."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


def _optional(function: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: None if value is None else function(value))


def _one_line(value: str | None) -> str | None:
    if value is not None and (not value.strip() or not _is_plain(value)):
        raise ValueError("must be one line of text, not empty")
    return value


def _shell_lines(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if values is not None and not all(_is_plain(value.replace("\n", " ").replace("\t", " ")) for value in values):
        raise ValueError("must be shell lines without control characters")
    return values


def _is_plain(value: str) -> bool:
    """Return whether a text has no control character and no unpaired surrogate."""
    return value.isprintable()


def _word(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[\w.:@+][\w.:@+-]*", value):
        raise ValueError("must be one word of letters, digits, dots, dashes")
    return value


def _folder(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"(~(?=/|$)|[/$])[\w.@+/${}~ :-]*", value):
        raise ValueError("must be an absolute path, which may contain variables such as $TMPDIR")
    return value


def _as_written(words: str) -> pydantic.WithJsonSchema:
    """Form in which a user writes a quantity that is read into numbers, for editors and the reference."""
    return pydantic.WithJsonSchema({"type": ["number", "string", "null"], "title": words})


A_TIME = _as_written("time, such as 90, 30s or 4h")
A_SIZE = _as_written("size, such as 16GB")
Whole = Annotated[int, BeforeValidator(no_bool)]
Span = Annotated[float, BeforeValidator(readings.seconds_of), A_TIME]
MaybeSpan = Annotated[float | None, _optional(readings.seconds_of), A_TIME]
Ports = Annotated[
    tuple[int, int] | None, _optional(readings.ports_of), _as_written("port range, such as 40000-40009")
]
Line = Annotated[str | None, pydantic.AfterValidator(_one_line)]
Word = Annotated[str | None, pydantic.AfterValidator(_word)]
Folder = Annotated[str | None, pydantic.AfterValidator(_folder)]
Lines = Annotated[tuple[str, ...] | None, pydantic.AfterValidator(_shell_lines)]


class Frozen(pydantic.BaseModel):
    """Settings that are checked when created and refuse unknown keys."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


JOBS = "jobs.json"
"""File next to a store with the ids of its worker jobs."""


class Spec(Frozen):
    """A kind of cluster: its keys, and the method that opens its pool.

    A subclass has a field `kind` with the kind's name as its only value; its module calls it `KIND`.

    Args:
        kind: Kind of the cluster.
    """

    system: ClassVar[System | None] = None
    """Batch system whose jobs are the workers."""
    here: ClassVar[bool] = False
    """True if the workers are processes of this machine, in the number that a run requests."""
    synonyms: ClassVar[dict[str, str]] = {}
    """Keys of other programs, each with its replacement."""

    @property
    def own_workers(self) -> int | None:
        """Number of worker processes set by the file, if they run on this machine."""
        return None

    def size(self) -> tuple[int, int | None]:
        """Largest number of jobs, and worker processes per job; without jobs, number of workers, and None."""
        return 1, None

    @classmethod
    def kind_name(cls) -> str:
        """Name of the kind."""
        (name,) = cls.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
        return str(name)

    def open(self, visit: "Visit") -> AbstractContextManager["DaskPool"]:
        """Pool of the cluster; closing it ends everything it started."""
        raise NotImplementedError

    def one_job(self) -> "Spec":
        """The same cluster at its smallest, for `cluster check`."""
        return self

    def advice(self, seen: dict[str, Any]) -> list[str]:
        """Changes that `cluster check` proposes from a worker's report; may add to `seen`."""
        return []


class Adapt(Frozen):
    """Number of jobs that adapts to the work.

    Args:
        minimum: Smallest number of jobs.
        maximum: Largest number of jobs.
        idle: Time without work after which a job ends.
    """

    minimum: Whole = Field(default=0, ge=0, le=10_000)
    maximum: Whole = Field(ge=1, le=10_000)
    idle: Span = 60.0

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "Adapt":
        if self.minimum > self.maximum:
            raise ValueError("`minimum` must not exceed `maximum`")
        return self


def _reading(info: pydantic.ValidationInfo) -> Reading:
    return (info.context or {}).get("reading") or Reading()


def _walltime(value: Any, info: pydantic.ValidationInfo) -> Any:
    return None if value is None else readings.walltime_of(value, _reading(info))


def _memory(value: Any, info: pydantic.ValidationInfo) -> Any:
    return None if value is None else readings.bytes_of(value, _reading(info))


WallTime = Annotated[float | None, BeforeValidator(_walltime), _as_written("wall time, such as 04:00:00 or 4h")]
Memory = Annotated[int | None, BeforeValidator(_memory), A_SIZE]


class Driver(Frozen):
    """The driver's job of `photogap submit`.

    Args:
        cores: Its cores.
        memory: Its memory.
        walltime: Its wall time, which should span the sweep; the workers' if None.
        queue: Its queue; the workers' if None.
        python: Its interpreter; the workers' if None, or this one where theirs is a command of several words, such
            as a container's: a driver needs the batch system's commands.
    """

    cores: Whole = Field(default=1, ge=1, le=4096)
    memory: Annotated[int, BeforeValidator(_memory), A_SIZE] = 2 * 2**30
    walltime: WallTime = None
    queue: Line = None
    python: Line = None


class Jobs(Spec):
    """Keys of jobs of a batch system; None takes the value of dask-jobqueue's own configuration.

    `batch.BatchJobs`, the base of every such kind, adds the method that opens a pool.

    Args:
        jobs: Number of jobs, maintained while there is work.
        adapt: In place of `jobs`: a number that adapts to the work.
        cores: Cores of a job.
        memory: Memory of a job, such as 16GB.
        processes: Worker processes of a job, one thread each; as many as cores if None.
        gpus: GPUs of a job, one or None; a job with one runs one process unless `processes` is given.
        walltime: Wall time of a job, such as 4h.
        queue: Queue or partition.
        account: Account to charge.
        job_extra_directives: Further directives, with or without their `#SBATCH` or `#PBS`.
        job_directives_skip: Directives that contain one of these words are left out.
        prologue: Shell lines that run before the worker starts; one that fails ends the job.
        python: Command of the workers' interpreter, such as a container's; the driver's interpreter if None.
        local_directory: Folder on the node in which a job makes its scratch folder; $TMPDIR, else /tmp, if None.
        interface: Network interface between driver and workers, such as ib0.
        scheduler_ports: First and last port of the scheduler, on the driver's host; any if None.
        worker_ports: First and last port of workers and nannies, two for each process of a node; any if None.
        log_directory: Folder of the jobs' output; next to the store if None.
        shared_directory: Private folder that the nodes can read, for certificates.
        tls: Whether connections are encrypted and authenticated.
        retire_before: Time before its wall time at which a job stops taking new points.
        stagger: Span over which jobs retire, rather than all at once.
        death_timeout: Time after which a worker without a scheduler ends.
        poll: Interval between queries of the queue.
        start_timeout: Longest wait for the first worker; None waits forever.
        versions: Whether a worker with other versions ends the run or is only reported.
        driver: The driver's own job, for `photogap submit`.
    """

    system: ClassVar[System] = System()
    synonyms: ClassVar[dict[str, str]] = SYNONYMS

    jobs: Annotated[int | None, BeforeValidator(no_bool)] = Field(default=None, ge=1, le=10_000)
    adapt: Adapt | None = None
    cores: Annotated[int | None, BeforeValidator(no_bool)] = Field(default=None, ge=1, le=4096)
    memory: Memory = None
    processes: Annotated[int | None, BeforeValidator(no_bool)] = Field(default=None, ge=1, le=4096)
    gpus: Annotated[int | None, BeforeValidator(no_bool)] = Field(default=None, ge=1, le=1)
    walltime: WallTime = None
    queue: Line = None
    account: Line = None
    job_extra_directives: Lines = None
    job_directives_skip: Lines = None
    prologue: Lines = None
    python: Line = None
    local_directory: Folder = None
    interface: Word = None
    scheduler_ports: Ports = None
    worker_ports: Ports = None
    log_directory: Line = None
    shared_directory: Line = None
    tls: bool = True
    retire_before: MaybeSpan = None
    stagger: MaybeSpan = None
    death_timeout: MaybeSpan = 60.0
    poll: Span = 10.0
    start_timeout: MaybeSpan = None
    versions: Literal["same", "warn"] = "same"
    driver: Driver = Driver()

    @pydantic.field_validator("job_extra_directives")
    @classmethod
    def _bare(cls, values: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if values is None else tuple(cls.system.bare_directive(value) for value in values)

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Jobs":
        if (self.jobs is None) == (self.adapt is None):
            raise ValueError("one of `jobs` and `adapt` must be given")
        if self.worker_ports:
            needed, (first, last) = 2 * (self.processes or self.cores or 1), self.worker_ports
            if last - first + 1 < needed:
                raise ValueError(
                    f"`worker_ports` must have two ports for each process of a job, {needed} here, and more if "
                    f"several jobs share a node. Got {last - first + 1}"
                )
        return self

    def own_directives(self) -> list[str]:
        """Directives of the keys that only this kind has."""
        return []


def expanded(path: str) -> str:
    """Path with its variables and `~` of this machine."""
    return os.path.expanduser(os.path.expandvars(path))
