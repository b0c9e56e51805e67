"""Bodies of requests and answers, as the OpenAPI document describes them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

CONFIG = """\
name: first
axes:   # F0 mJ/cm2, omega_pump meV, T K, tau_esc ps
  material: [K3C60]
  F0: {geomspace: [0.01, 1, 8]}
  omega_pump: [170]
  T: [30, 60]
  tau_esc: [0.02]
"""


class _Told(BaseModel):
    """Model whose attributes' docstrings are told by the document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class _Strict(_Told):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class Problem(_Told):
    """Why a request was refused."""

    detail: str = Field(examples=["`axes.T`: `T` must be positive, in K. Got -1."])
    """The argument, the rule, the value received, and the remedy if there is one."""
    points: int | None = None
    """Of a sweep that wants a confirmation: the value of `confirm_points` that gives it."""


class Submission(_Strict):
    """A config to run or to estimate."""

    config: str | dict[str, Any] = Field(examples=[CONFIG])
    """YAML text, or the same as a JSON object."""
    overrides: list[str] = Field(default=[], max_length=50, examples=[["axes.T=[20,30]"]])
    """Changes, as `photogap run --set` takes them."""
    confirm_points: int | None = None
    """Number of points of a large sweep, to show that its size is meant."""


class Login(_Strict):
    """A token to be kept as a cookie."""

    token: str = Field(max_length=1000)
    """Token of the server."""


class Sweep(_Told):
    """A sweep and how far it is. Instants are s since 1970, UTC."""

    name: str
    """Name of the sweep and of its cube."""
    state: Literal["queued", "running", "done", "cancelled", "failed"]
    """`failed` is a sweep that could not go on; one with failed points is `done`."""
    action: str
    """What is or was due: `run`, or `retry` of failed points."""
    cluster: str
    """Where its points run, as its config says."""
    message: str
    """Why it failed or stopped; empty otherwise."""
    submitted: float
    """When it was submitted last, s since 1970."""
    started: float | None
    """When its last run began, s since 1970."""
    ended: float | None
    """When its last run ended, s since 1970."""
    total: int
    """Points of the config; 0 until its run has counted them."""
    done: int
    """Points that ended well, those of earlier runs included."""
    failed: int
    """Points that failed; each has its reason."""
    computed: int
    """Points that the last run computed."""
    running: int
    """Points that workers have now."""
    lost: int
    """Batches whose worker died in the last run; their points were tried again."""
    points_per_s: float
    """Points a second since the run began; 0 if not known."""
    seconds_left: float | None
    """Time to the end at that rate, s."""
    at: float
    """When these numbers were told, s since 1970."""
    stopping: bool
    """Whether it was asked to stop and waits for what runs."""


class SweepDetail(Sweep):
    """A sweep with its config and the place of its cube."""

    config: str
    """Config as it was submitted, YAML."""
    store: str
    """Where its cube lies on the server."""
    has_cube: bool
    """Whether the cube exists; it is made a moment after the first run begins."""


class Sweeps(_Told):
    """Sweeps, newest first."""

    sweeps: list[Sweep]
    """As many as `limit` allows."""


class Estimate(_Told):
    """What a sweep will cost; the numbers of `photogap run --dry-run`."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")
    points: int
    """Points of the sweep."""
    bytes: int
    """Size of its outputs before compression, bytes."""
    seconds_per_point: float
    """Mean time of the points that were tried, s."""
    estimated_seconds: float
    """Time of the whole sweep with the workers that it will have, s."""


class Reason(_Told):
    """Failures of one kind, and one of them to look at."""

    status: str
    """Such as `error`, `not_converged`, `timeout`, `nan`."""
    count: int
    """Points that failed so."""
    message: str
    """Reason of one of them."""
    point_id: str
    """That point."""
    labels: dict[str, Any]
    """Its labels, in the units of the axes."""
    replay: str
    """Command that computes it again with full diagnostics."""


class Verification(_Told):
    """Whether a cube is whole; as `photogap verify` reports it."""

    points: int
    """Points of the cube."""
    ok: int
    """Points with results that are whole."""
    bad_points: int
    """Points that are damaged, or missing after a repair."""
    problems: list[str] = Field(examples=[["Delta0 Delta0/c/0/0/0/0/0/0: ValueError"]])
    """Each damaged chunk, array or part."""
    notes: list[str]
    """Checks that could not be made."""
    repaired: bool
    """Whether the damage is gone now."""


class Status(_Told):
    """Numbers of a cube; as `photogap status` tells them."""

    counts: dict[str, int] = Field(examples=[{"ok": 90, "error": 6}])
    """Points by status."""
    points: int
    """Points of the cube."""
    live: bool
    """Whether a run is at work on it."""
    reasons: list[Reason]
    """Failures by reason."""
    failed: list[dict[str, Any]]
    """Failed points, as many as `photogap status` lists."""
    slowest: list[dict[str, Any]]
    """The points that took longest, times in s."""
    points_per_s: float | None
    """Points a second over the last 200 that ended."""


class Map(_Told):
    """Status of points over two axes, the others fixed."""

    x: str
    """Axis across."""
    y: str | None
    """Axis down; null if the cube has one axis only."""
    at: dict[str, Any]
    """Labels of the other axes."""
    x_values: list[Any]
    """Labels across, sorted, in the unit of the axis."""
    y_values: list[Any]
    """Labels down, sorted, in the unit of the axis."""
    status: list[list[str]] = Field(examples=[[["ok", "running"], ["missing", "error"]]])
    """Rows of `y_values`, columns of `x_values`."""


class Coordinate(_Told):
    """Labels along a dim."""

    dim: str
    """Dim along which they lie; another name than the labels' own where the config zips axes."""
    units: str = Field(examples=["mJ cm-2"])
    """Unit as CF writes it; empty for words."""
    printed: str = Field(examples=["mJ/cm²"])
    """Unit as print writes it; empty for a number."""
    long_name: str = Field(examples=["incident fluence of the pump"])
    """What it is, in words."""
    values: list[Any]
    """Labels, sorted; an infinite one is the word `inf`."""


class About(_Told):
    """A variable without its values."""

    dims: list[str]
    """Its dims, in order."""
    units: str = Field(examples=["meV"])
    """Unit as CF writes it."""
    printed: str = Field(examples=["meV"])
    """Unit as print writes it; empty for a number."""
    long_name: str
    """What it is, in words."""
    numeric: bool
    """Whether it can be drawn."""


class Axes(_Told):
    """Axes and variables of a cube."""

    dims: list[str]
    """Axes of the sweep, in the cube's order."""
    own_dims: list[str]
    """Dims that outputs have beside them, such as `time`."""
    coords: dict[str, Coordinate]
    """By name."""
    variables: dict[str, About]
    """By name."""
    points: int
    """Points of the cube."""


class Point(_Told):
    """One point: labels, outcome, and what its driver's log has of it."""

    point_id: str
    """Hash of the point's specification and of the model's version."""
    labels: dict[str, Any]
    """In the units of the axes."""
    status: str
    """`ok`, `missing`, or the kind of failure."""
    message: str
    """Reason of a failure."""
    traceback: str
    """Where in the code it failed."""
    host: str
    """Machine that computed it."""
    wall_time: float | None
    """s"""
    cpu_time: float | None
    """s"""
    attempts: int
    """Times that it was started."""
    peak_memory: float | None
    """Bytes of its worker at most."""
    diagnostics: dict[str, Any]
    """What the solver counted."""
    replay: str
    """Command that computes it again with full diagnostics."""


class Array(_Told):
    """Labelled numbers or words."""

    dims: list[str]
    """Its dims, in order."""
    units: str = Field(examples=["meV"])
    """Unit as CF writes it."""
    printed: str = Field(examples=["meV"])
    """Unit as print writes it; empty for a number."""
    long_name: str
    """What it is, in words."""
    values: Any
    """Nested lists, one level a dim; NaN is null, an infinity the word `inf`."""


class Slice(_Told):
    """Part of a cube with labels and units; failed points are null."""

    dims: dict[str, int] = Field(examples=[{"F0": 8, "time": 53}])
    """Length of each dim that is left."""
    coords: dict[str, Array]
    """By name; those fixed with `at` have no dim."""
    variables: dict[str, Array]
    """By name."""


class Server(_Told):
    """What this server is and takes."""

    version: str
    """Version of photogap."""
    workers: int | None
    """Workers of the local cluster; null for one a core."""
    models: list[str]
    """Models that configs may name."""
    clusters: list[str]
    """Clusters that configs may name, beside cluster files in the served folder."""
    limits: dict[str, int]
    """Largest requests: bytes of a `body`, `points` without a confirmation, `values` of a slice, ..."""
    materials: list[str]
    """Materials that come with it."""
