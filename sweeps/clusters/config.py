"""Clusters as configuration: YAML files with a `kind`, found by name or path; unknown keys are refused."""

import os
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pydantic
from dask.utils import parse_bytes, parse_timedelta

from ..errors import ConfigError
from ..files import ANYWHERE, Files
from ..hosts import is_loopback
from ..text import load_yaml, suggest
from .trust import foreign

JOBS = "jobs.json"
"""File beside a store with the ids of its worker jobs."""
_HOUSE = Path(__file__).resolve().parents[2]
_WALLTIME = re.compile(r"(\d+-)?\d{1,3}:\d{2}(:\d{2})?")


class _Frozen(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


def _duration(value: Any) -> Any:
    if value is None:
        return None
    try:
        found = float(parse_timedelta(re.sub(r"min$", "m", value) if isinstance(value, str) else value))
    except (ValueError, TypeError, KeyError):
        raise ValueError("must be a time such as 90s, 5min or 1h") from None
    if found < 0:
        raise ValueError("must be a time such as 90s, 5min or 1h, not negative")
    return found


def _size(value: str | None) -> str | None:
    if value is not None:
        try:
            parse_bytes(value)
        except ValueError:
            raise ValueError("must be a size such as 8GB") from None
    return value


def _walltime(value: str | None) -> str | None:
    if value is not None and not _WALLTIME.fullmatch(value):
        raise ValueError("must be HH:MM:SS, such as 04:00:00, or D-HH:MM:SS")
    return value


class Adapt(_Frozen):
    """Number of jobs that follows the work.

    Args:
        minimum: Jobs that are kept.
        maximum: Jobs at most.
        idle: A job without work for so long ends.
    """

    minimum: int = pydantic.Field(default=0, ge=0)
    maximum: int = pydantic.Field(ge=1)
    idle: float = 60.0

    _times = pydantic.field_validator("idle", mode="before")(_duration)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "Adapt":
        if self.minimum > self.maximum:
            raise ValueError("`minimum` must not exceed `maximum`")
        return self


class Local(_Frozen):
    """Worker processes of this machine."""

    kind: Literal["local"]
    workers: int | None = pydantic.Field(default=None, ge=0)


class Driver(_Frozen):
    """The job of a driver that `photogap submit` sends.

    Args:
        cores: Its cores.
        memory: Its memory.
        walltime: Its wall time, which should span the sweep; the workers' if None.
        queue: Its queue; the workers' if None.
    """

    cores: int = pydantic.Field(default=1, ge=1)
    memory: str = "2GB"
    walltime: str | None = None
    queue: str | None = None

    _sizes = pydantic.field_validator("memory")(_size)
    _wall = pydantic.field_validator("walltime")(_walltime)


class Jobs(_Frozen):
    """Workers as jobs of a batch system; None takes the value of dask-jobqueue's own configuration.

    Args:
        jobs: Number of jobs, kept up while there is work.
        adapt: In place of `jobs`: a number that follows the work.
        cores: Cores of a job.
        memory: Memory of a job.
        processes: Worker processes of a job, one thread each; as many as cores if None.
        walltime: Wall time of a job, HH:MM:SS.
        queue: Queue or partition.
        account: Whom to charge.
        job_extra_directives: Further directives, each without its `#SBATCH` or `#PBS`.
        job_directives_skip: Directives that hold one of these words are left out.
        prologue: Shell lines that run before the worker starts; one that fails ends the job.
        python: Interpreter of the workers; the driver's if None.
        local_directory: Scratch folder of a worker.
        interface: Network interface between driver and workers, such as ib0.
        log_directory: Where jobs write; beside the store if None.
        shared_directory: Private folder that the nodes can read, for certificates.
        tls: Whether connections are encrypted and authenticated.
        retire_before: A job takes no new points so long before its wall time.
        stagger: Jobs retire over such a span, not all at once.
        death_timeout: A worker without a scheduler ends after so long.
        poll: The queue is asked at this interval.
        start_timeout: How long to wait for the first worker; None waits for ever.
        versions: Whether a worker with other versions ends the run or is only named.
        driver: The driver's own job, for `photogap submit`.
    """

    jobs: int | None = pydantic.Field(default=None, ge=1)
    adapt: Adapt | None = None
    cores: int | None = pydantic.Field(default=None, ge=1)
    memory: str | None = None
    processes: int | None = pydantic.Field(default=None, ge=1)
    walltime: str | None = None
    queue: str | None = None
    account: str | None = None
    job_extra_directives: tuple[str, ...] | None = None
    job_directives_skip: tuple[str, ...] | None = None
    prologue: tuple[str, ...] | None = None
    python: str | None = None
    local_directory: str | None = None
    interface: str | None = None
    log_directory: str | None = None
    shared_directory: str | None = None
    tls: bool = True
    retire_before: float | None = None
    stagger: float | None = None
    death_timeout: float | None = 60.0
    poll: float = 10.0
    start_timeout: float | None = None
    versions: Literal["same", "warn"] = "same"
    driver: Driver = Driver()

    _sizes = pydantic.field_validator("memory")(_size)
    _times = pydantic.field_validator(
        "retire_before", "stagger", "death_timeout", "poll", "start_timeout", mode="before"
    )(_duration)

    _wall = pydantic.field_validator("walltime")(_walltime)

    @pydantic.model_validator(mode="after")
    def _one_size(self) -> "Jobs":
        if (self.jobs is None) == (self.adapt is None):
            raise ValueError("one of `jobs` and `adapt` must be given")
        return self


class Slurm(Jobs):
    """Jobs of SLURM.

    Args:
        constraint: Features that a node must have.
    """

    kind: Literal["slurm"]
    constraint: str | None = None


class Pbs(Jobs):
    """Jobs of PBS Pro, OpenPBS or Torque.

    Args:
        resource_spec: What `-l` asks for; made of cores and memory if None.
    """

    kind: Literal["pbs"]
    resource_spec: str | None = None


class Address(_Frozen):
    """A scheduler that somebody else runs.

    Args:
        address: Its address, tls://HOST:PORT; tcp:// only on this machine or with `allow_plain`.
        ca_file: Certificate authority of its certificates, PEM.
        cert: Certificate of this client, PEM.
        key: Private key of this client, PEM; may be in `cert`'s file.
        allow_plain: Whether a tcp:// scheduler elsewhere is accepted.
        timeout: How long to try.
        start_timeout: How long to wait for the first worker; None waits for ever.
        versions: Whether a worker with other versions ends the run or is only named.
    """

    kind: Literal["address"]
    address: str
    ca_file: str | None = None
    cert: str | None = None
    key: str | None = None
    allow_plain: bool = False
    timeout: float = 20.0
    start_timeout: float | None = 300.0
    versions: Literal["same", "warn"] = "same"

    _times = pydantic.field_validator("timeout", "start_timeout", mode="before")(_duration)

    @pydantic.model_validator(mode="after")
    def _guarded(self) -> "Address":
        parts = urlsplit(self.address)
        if parts.scheme == "tls":
            if not (self.ca_file and self.cert):
                raise ValueError("a tls:// scheduler needs `ca_file`, `cert` and `key`")
        elif not (self.allow_plain or is_loopback(parts.hostname) or parts.scheme == "inproc"):
            raise ValueError(
                "a scheduler beyond this machine must be tls://HOST:PORT with `ca_file`, `cert` and `key`: "
                "whoever reaches a plain one runs code as you. Set `allow_plain: true` in a cluster file "
                "if the network is yours alone"
            )
        return self


class Gateway(_Frozen):
    """A cluster of a dask-gateway server; credentials come from dask's own configuration or the environment.

    Args:
        address: URL of the server; of dask's `gateway.address` if None.
        auth: How to log in; of dask's `gateway.auth.type` if None.
        options: Cluster options that the server offers.
        workers: Number of workers.
        adapt: In place of `workers`: a number that follows the work.
        start_timeout: How long to wait for the first worker; None waits for ever.
        versions: Whether a worker with other versions ends the run or is only named.
    """

    kind: Literal["gateway"]
    address: str | None = None
    proxy_address: str | None = None
    auth: Literal["basic", "kerberos", "jupyterhub"] | None = None
    options: dict[str, Any] = {}
    workers: int | None = pydantic.Field(default=None, ge=1)
    adapt: Adapt | None = None
    start_timeout: float | None = 600.0
    versions: Literal["same", "warn"] = "same"

    _times = pydantic.field_validator("start_timeout", mode="before")(_duration)

    @pydantic.model_validator(mode="after")
    def _one_size(self) -> "Gateway":
        if (self.workers is None) == (self.adapt is None):
            raise ValueError("one of `workers` and `adapt` must be given")
        return self


class Kubernetes(_Frozen):
    """A DaskCluster of the dask-kubernetes operator.

    Args:
        name: Name of the cluster.
        namespace: Where it is made.
        image: Container image of scheduler and workers.
        workers: Number of workers.
        adapt: In place of `workers`: a number that follows the work.
        resources: Requests and limits of a worker, as in a pod.
        env: Environment of the workers.
        values: YAML file of a DaskCluster resource, used as it stands.
    """

    kind: Literal["kubernetes"]
    name: str = "photogap"
    namespace: str | None = None
    image: str | None = None
    workers: int | None = pydantic.Field(default=None, ge=1)
    adapt: Adapt | None = None
    resources: dict[str, Any] = {}
    env: dict[str, str] = {}
    values: str | None = None
    start_timeout: float | None = 600.0
    versions: Literal["same", "warn"] = "same"

    _times = pydantic.field_validator("start_timeout", mode="before")(_duration)

    @pydantic.model_validator(mode="after")
    def _one_size(self) -> "Kubernetes":
        if (self.workers is None) == (self.adapt is None):
            raise ValueError("one of `workers` and `adapt` must be given")
        if (self.image is None) == (self.values is None):
            raise ValueError("one of `image` and `values` must be given")
        return self


Cluster = Local | Slurm | Pbs | Address | Gateway | Kubernetes
KINDS: dict[str, type[Cluster]] = {
    "local": Local,
    "slurm": Slurm,
    "pbs": Pbs,
    "address": Address,
    "gateway": Gateway,
    "kubernetes": Kubernetes,
}


def find(text: str, folder: str = ".") -> tuple[Cluster, str]:
    """Cluster that `--cluster` names, and where it was found.

    Args:
        text: `local`, a scheduler's address, a file, or the name of a file in a folder of clusters.
        folder: Folder of the sweep's config, whose parents may hold `configs/clusters`.
    Raises:
        ConfigError: There is no such cluster, its file breaks a rule, or somebody else may have written it.
    """
    if "://" in text:
        return parse({"kind": "address", "address": text}, "--cluster"), "--cluster"
    if text.endswith((".yaml", ".yml")) or os.sep in text:
        path = next((p for p in (Path(text), Path(folder) / text) if p.is_file()), Path(text))
        return read(path), str(path)
    for place in folders(folder):
        path = place / f"{text}.yaml"
        if path.is_file():
            _refuse_foreign(text, path)
            return read(path), str(path)
    if text == "local":
        return Local(kind="local"), "local"
    known = sorted({path.stem for place in folders(folder) for path in place.glob("*.yaml")} | {"local"})
    raise ConfigError(
        f"`cluster` must be `local`, a scheduler's address, a cluster file or the name of one."
        f"{suggest(text, known)} Got {text!r}."
    )


def folders(folder: str) -> list[Path]:
    """Where clusters are looked up by name: the user's own first, then the project's."""
    starts = [Path.cwd(), Path(folder).resolve(), _HOUSE]
    tree = [base / "configs" / "clusters" for start in starts for base in (start, *start.parents)]
    return [path for path in dict.fromkeys([own_folder(), *tree]) if path.is_dir()]


def _refuse_foreign(name: str, path: Path) -> None:
    """Raise for a file that was come upon, not named, and that another user may have written: it runs commands.

    The user's own folder and the one that this code itself lies in are not asked.
    """
    if path.parent in (own_folder(), _HOUSE / "configs" / "clusters"):
        return
    for part in (path, path.parent, path.parent.parent):
        why = foreign(part)
        if why:
            raise ConfigError(
                f"`cluster` {name!r} is {str(path)!r} here, which is passed over: a cluster file runs commands, "
                f"and {str(part)!r} {why}. If you trust it name it by its path, --cluster {path}; or keep a copy "
                f"in {own_folder()}."
            )


def own_folder() -> Path:
    """Where the user keeps clusters of all projects."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "photogap" / "clusters"


def read(path: Path, files: Files = ANYWHERE) -> Cluster:
    """Cluster in a YAML file.

    Raises:
        ConfigError: The file cannot be read, or breaks a rule.
    """
    try:
        text = files.text(path, what="cluster file")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the cluster file must be readable YAML. Got {str(path)!r} ({error}).") from error
    return parse(load_yaml(_quoted(text), str(path)), str(path))


def _quoted(text: str) -> str:
    """YAML 1.1 reads 01:00:00 as the number 3600; a wall time is meant."""
    return re.sub(r"(?m)^(\s*walltime:\s*)((?:\d+-)?\d+(?::\d+)+)(\s*(?:#.*)?)$", r'\1"\2"\3', text)


def parse(tree: Any, where: str) -> Cluster:
    """Cluster of a parsed YAML tree; errors name `where`."""
    if not isinstance(tree, dict) or tree.get("kind") not in KINDS:
        got = tree.get("kind") if isinstance(tree, dict) else tree
        raise ConfigError(f"{where}: `kind` must be one of {', '.join(KINDS)}. Got {got!r}.")
    kind = KINDS[tree["kind"]]
    try:
        return kind(**{str(k): v for k, v in tree.items()})
    except pydantic.ValidationError as error:
        raise ConfigError("\n".join(_explain(e, kind, where) for e in error.errors())) from None


def _explain(error: Any, kind: type[Cluster], where: str) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        groups: dict[str, type[_Frozen]] = {"adapt": Adapt, "driver": Driver}
        inner: type[_Frozen] = groups.get(place.split(".")[0], kind) if "." in place else kind
        known = inner.model_fields
        remedy = suggest(place.rsplit(".", 1)[-1], list(known))
        return f"{where}: `{place}`: unknown key.{remedy} Got {error['input']!r}."
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{where}: `{place}`: required key is missing."
    return f"{where}: {f'`{place}`: ' if place else ''}{message}." + (f" Got {error['input']!r}." if place else "")


def seconds(walltime: str) -> float:
    """Wall time HH:MM:SS, HH:MM or D-HH:MM:SS, or a bare number of minutes, in s."""
    days, sign, rest = walltime.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if len(parts) == 1:
        parts = [0, parts[0], 0] if not sign else [parts[0], 0, 0]
    while len(parts) < 3:
        parts.append(0)
    hours, minutes, left = parts
    return 86400.0 * int(days or 0) + 3600 * hours + 60 * minutes + left
