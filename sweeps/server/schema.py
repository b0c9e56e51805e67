"""Bodies of requests and answers, as the OpenAPI document describes them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """Why a request was refused: what, which rule, the value received, the remedy."""

    detail: str
    points: int | None = None


class Submission(_Strict):
    """A config to run or to estimate.

    Args:
        config: YAML text, or the same as a JSON object.
        overrides: Changes such as `axes.T=[20,30]`, as `photogap run --set` takes them.
        confirm_points: Number of points of a large sweep, to show that its size is meant.
    """

    config: str | dict[str, Any]
    overrides: list[str] = Field(default=[], max_length=50)
    confirm_points: int | None = None


class Login(_Strict):
    """A token to be kept as a cookie."""

    token: str = Field(max_length=1000)


class Sweep(BaseModel):
    """A sweep and how far it is. Times in s since 1970."""

    name: str
    state: Literal["queued", "running", "done", "cancelled", "failed"]
    action: str
    cluster: str
    message: str
    submitted: float
    started: float | None
    ended: float | None
    total: int
    done: int
    failed: int
    computed: int
    running: int
    lost: int
    points_per_s: float
    seconds_left: float | None
    at: float
    stopping: bool


class SweepDetail(Sweep):
    """A sweep with its config and the place of its cube."""

    config: str
    store: str
    has_cube: bool


class Sweeps(BaseModel):
    """Sweeps, newest first."""

    sweeps: list[Sweep]


class Estimate(BaseModel):
    """What a sweep will cost; the numbers of `photogap run --dry-run`."""

    model_config = ConfigDict(extra="allow")
    points: int
    bytes: int
    seconds_per_point: float
    estimated_seconds: float


class Reason(BaseModel):
    """Failures of one kind, and the command that computes one of them again with full diagnostics."""

    status: str
    count: int
    message: str
    point_id: str
    labels: dict[str, Any]
    replay: str


class Status(BaseModel):
    """Numbers of a cube; as `photogap status` tells them."""

    counts: dict[str, int]
    points: int
    live: bool
    reasons: list[Reason]
    failed: list[dict[str, Any]]
    slowest: list[dict[str, Any]]
    points_per_s: float | None


class Map(BaseModel):
    """Status of points over two axes, the others fixed."""

    x: str
    y: str | None
    at: dict[str, Any]
    x_values: list[Any]
    y_values: list[Any]
    status: list[list[str]]


class Axes(BaseModel):
    """Axes and variables of a cube."""

    dims: list[str]
    own_dims: list[str]
    coords: dict[str, Any]
    variables: dict[str, Any]
    points: int


class Point(BaseModel):
    """One point: labels, outcome, and what its driver's log has of it."""

    point_id: str
    labels: dict[str, Any]
    status: str
    message: str
    traceback: str
    host: str
    wall_time: float | None
    cpu_time: float | None
    attempts: int
    peak_memory: float | None
    diagnostics: dict[str, Any]
    replay: str


class Slice(BaseModel):
    """Part of a cube with labels and units; NaN is null."""

    dims: dict[str, int]
    coords: dict[str, Any]
    variables: dict[str, Any]


class Server(BaseModel):
    """What this server is and takes."""

    version: str
    workers: int | None
    models: list[str]
    clusters: list[str]
    limits: dict[str, int]
    materials: list[str]
