"""Bodies of requests and answers, described in the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..status import Status

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
    """Model whose attribute docstrings appear in the document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class _Strict(_Told):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class Problem(_Told):
    """Reason for a refused request."""

    detail: str = Field(examples=["`axes.T`: `T` must be positive, in K. Got -1."])
    """The argument, the rule, the value received, and the remedy if there is one."""
    points: int | None = None
    """For a sweep that needs confirmation: the required value of `confirm_points`."""


class Submission(_Strict):
    """A config to run or to estimate."""

    config: str | dict[str, Any] = Field(examples=[CONFIG])
    """YAML text, or an equivalent JSON object."""
    overrides: list[str] = Field(default=[], max_length=50, examples=[["axes.T=[20,30]"]])
    """Overrides, as for `photogap run --set`."""
    confirm_points: int | None = None
    """Number of points of a large sweep, to confirm its size."""


class Login(_Strict):
    """A token to store as a cookie."""

    token: str = Field(max_length=1000)
    """Token of the server."""


class Sweep(_Told):
    """A sweep and its progress. Times are s since 1970, UTC."""

    name: str
    """Name of the sweep and of its cube."""
    state: Literal["queued", "running", "done", "cancelled", "failed"]
    """`failed` means that the sweep could not continue; a sweep with failed points is `done`."""
    action: str
    """Current or last action: `run`, or `retry` of failed points."""
    cluster: str
    """Cluster of its config, which runs its points."""
    message: str
    """Reason for a failure or stop; empty otherwise."""
    submitted: float
    """Time of the last submission, s since 1970."""
    started: float | None
    """Start of its last run, s since 1970."""
    ended: float | None
    """End of its last run, s since 1970."""
    total: int
    """Number of points of the config; 0 until its run has counted them."""
    done: int
    """Points with results, including those of earlier runs."""
    failed: int
    """Points that failed; each has its reason."""
    computed: int
    """Points that the last run computed."""
    running: int
    """Points that workers are computing now."""
    lost: int
    """Batches whose worker died in the last run; their points were retried."""
    points_per_s: float
    """Points per second since the run began; 0 if unknown."""
    seconds_left: float | None
    """Remaining time at that rate, s."""
    at: float
    """Time of these numbers, s since 1970."""
    stopping: bool
    """True if it was asked to stop and waits for running points."""
    tags: list[str] = Field(examples=[["paper"]])
    """Tags of the group."""
    archived: bool
    """True if the group has archived it."""
    elsewhere: bool
    """True if another process, such as the command line, is computing it."""
    dask: bool
    """True if its pool has Dask's pages."""


class SweepDetail(Sweep):
    """A sweep with its config and the place of its cube."""

    config: str
    """Submitted config, YAML."""
    store: str
    """Path of its cube on the server."""
    has_cube: bool
    """True if the cube exists; it is created shortly after the first run starts."""


class Sweeps(_Told):
    """Sweeps, newest first."""

    sweeps: list[Sweep]
    """At most `limit` sweeps."""


class Estimate(_Told):
    """Cost of a sweep: the numbers of `photogap run --dry-run`."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")
    points: int
    """Points of the sweep."""
    bytes: int
    """Size of its outputs before compression, bytes."""
    seconds_per_point: float | None
    """Mean time of the sampled points that did not fail, s; null if all failed."""
    estimated_seconds: float | None
    """Time of the whole sweep with its workers, s; null if all sampled points failed."""
    words: list[str] = []
    """The estimate in sentences, with warnings."""


class Run(_Told):
    """One run of a sweep, by this server or by another process."""

    start: float
    """Start, s since 1970."""
    end: float | None
    """End, s since 1970; null while it is running, or if its driver was killed."""
    outcome: str = Field(examples=["complete"])
    """`complete`, `cancelled`, `running`, or the reason of its end."""
    host: str
    """Machine of the driver."""
    git: str | None
    """Revision of the code, with `+` if it was modified; null outside a repository."""
    versions: dict[str, str]
    """Versions of Python, photogap and its dependencies."""
    computed: int | None
    """Points that it computed; null while it is running."""
    pool: dict[str, Any]
    """Description of its workers."""


class Action(_Told):
    """An action of a person on a sweep."""

    at: float
    """Time, s since 1970."""
    what: str = Field(examples=["submit"])
    """`submit`, `cancel`, `resume`, `retry`, `verify` or `note`."""
    who: str
    """Name that the person gave; empty if none. It is not verified."""


class Words(_Strict):
    """The group's notes on a sweep."""

    text: str = Field(default="", max_length=20_000)
    """Notes, free text."""
    tags: list[Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\s,]+$")]] = Field(
        default=[], max_length=20, examples=[["paper", "fig3"]]
    )
    """Short words without spaces or commas."""
    archived: bool = False
    """True to leave the sweep out of the list of the page."""
    version: int = Field(default=0, ge=0)
    """Version of the words that these replace."""


class History(_Told):
    """Runs of a sweep, the resources that it used, notes, and who did what."""

    runs: list[Run]
    """The last fifty runs, newest first."""
    core_hours: float
    """CPU time of all finished points, hours."""
    wall_hours: float
    """Wall time of all finished points, hours."""
    bytes: int
    """Size of the cube on disk, bytes."""
    note: Words
    """Notes, tags, archive."""
    actions: list[Action]
    """Actions of people through this server, newest first."""


class Key(_Told):
    """A key that a config may have."""

    path: str = Field(examples=["settings.damping"])
    """Key, with those of the sections that it is in."""
    unit: str = Field(examples=["mJ/cm^2"])
    """Unit; empty for words and pure numbers."""
    default: Any
    """Value if it is left out; null if it is required or there is none."""
    values: str = Field(examples=["full | real | window"])
    """Possible values, or the rule for them."""
    meaning: str
    """Meaning, in a sentence."""


class Keys(_Told):
    """Keys of a config."""

    keys: list[Key]
    """All of them, in the order of a config's sections."""


class Checked(_Told):
    """A config that was checked without timing points, or the rule that it breaks."""

    problem: str | None = None
    """The rule that it breaks, as a submission would be refused; null if it may be submitted."""
    name: str = ""
    """Name of its cube."""
    points: int = 0
    """Points of the sweep."""
    shape: dict[str, int] = Field(default={}, examples=[{"F0": 6, "T": 2}])
    """Values of each axis."""
    bytes: int = 0
    """Size of its outputs before compression, bytes."""
    axes: dict[str, Any] = Field(default={}, examples=[{"F0": {"geomspace": [0.01, 5, 6]}}])
    """Axes as written."""
    exists: bool = False
    """True if a cube of that name exists, which the sweep would extend."""


class Reason(_Told):
    """Failures of one kind, with an example."""

    status: str
    """Such as `error`, `not_converged`, `timeout`, `nan`."""
    count: int
    """Number of points that failed in this way."""
    message: str
    """Reason for the example's failure."""
    point_id: str
    """That point."""
    labels: dict[str, Any]
    """Labels of the example, in the units of the axes."""
    replay: str
    """Command that computes the point again with full diagnostics."""


class Verification(_Told):
    """Integrity of a cube, as `photogap verify` reports it."""

    points: int
    """Points of the cube."""
    ok: int
    """Points with intact results."""
    unchecksummed: int
    """Points with results that were written before chunks had checksums: a changed number cannot be seen."""
    bad_points: int
    """Points that are damaged, or missing after a repair."""
    problems: list[str] = Field(examples=[["Delta0 Delta0/c/0/0/0/0/0/0: ValueError"]])
    """Each damaged chunk, array or part."""
    notes: list[str]
    """Checks that were not possible."""
    repaired: bool
    """True if the damage has been repaired."""


class CubeStatus(_Told):
    """Statistics of a cube, as `photogap status` reports them."""

    counts: dict[str, int] = Field(examples=[{Status.OK: 90, Status.ERROR: 6}])
    """Points by status."""
    points: int
    """Points of the cube."""
    live: bool
    """True if a run is using the cube."""
    reasons: list[Reason]
    """Failures by reason."""
    failed: list[dict[str, Any]]
    """Failed points, as many as `photogap status` lists."""
    slowest: list[dict[str, Any]]
    """The slowest points, times in s."""
    points_per_s: float | None
    """Points per second over the last 200 finished points."""


class Map(_Told):
    """Status of points over two axes, the others fixed."""

    x: str
    """Axis across."""
    y: str | None
    """Vertical axis; null if the cube has only one axis."""
    at: dict[str, Any]
    """Labels of the other axes."""
    x_values: list[Any]
    """Horizontal labels, sorted, in the unit of the axis."""
    y_values: list[Any]
    """Vertical labels, sorted, in the unit of the axis."""
    status: list[list[str]] = Field(examples=[[[Status.OK, "running"], [Status.MISSING, Status.ERROR]]])
    """Status values; rows follow `y_values`, columns `x_values`."""


class Coordinate(_Told):
    """Labels along a dim."""

    dim: str
    """Dim of the labels; its name differs from that of the labels if the config zips axes."""
    units: str = Field(examples=["mJ cm^-2"])
    """CF unit; empty for words."""
    printed: str = Field(examples=["mJ/cm²"])
    """Unit in printed form; empty for a pure number."""
    long_name: str = Field(examples=["incident fluence of the pump"])
    """Description."""
    symbol: str = Field(examples=["F_{0}"])
    """Symbol; `_{...}` and `^{...}` enclose what is lowered and raised."""
    values: list[Any]
    """Labels, sorted; infinity is the word `inf`."""
    shown: list[str] = Field(examples=[["K₃C₆₀"]])
    """The labels in print, without units."""


class About(_Told):
    """A variable without its values."""

    dims: list[str]
    """Its dims, in order."""
    units: str = Field(examples=["meV"])
    """CF unit."""
    printed: str = Field(examples=["meV"])
    """Unit in printed form; empty for a pure number."""
    long_name: str
    """Description."""
    symbol: str = Field(examples=["Δ_{0}"])
    """Symbol; `_{...}` and `^{...}` enclose what is lowered and raised."""
    numeric: bool
    """True if it can be drawn."""
    error: bool
    """True if `converge` measured its error at some points: the variable `NAME_error`."""


class Axes(_Told):
    """Axes and variables of a cube."""

    dims: list[str]
    """Axes of the sweep, in the cube's order."""
    own_dims: list[str]
    """Further dims of the outputs, such as `time`."""
    coords: dict[str, Coordinate]
    """By name."""
    variables: dict[str, About]
    """By name."""
    points: int
    """Points of the cube."""


class PointDetail(_Told):
    """One point: labels, outcome, and its entry in the driver's log."""

    point_id: str
    """Hash of the point's specification and of the model's version."""
    labels: dict[str, Any]
    """In the units of the axes."""
    status: str
    """`ok`, `missing`, or the kind of failure."""
    message: str
    """Reason of a failure."""
    traceback: str
    """Traceback of a failure."""
    host: str
    """Machine that computed it."""
    wall_time: float | None
    """s"""
    cpu_time: float | None
    """s"""
    attempts: int
    """Number of times it was started."""
    peak_memory: float | None
    """Peak memory of its worker, bytes."""
    diagnostics: dict[str, Any]
    """Counters of the solver."""
    replay: str
    """Command that computes the point again with full diagnostics."""


class Array(_Told):
    """Labelled numbers or words."""

    dims: list[str]
    """Its dims, in order."""
    units: str = Field(examples=["meV"])
    """CF unit."""
    printed: str = Field(examples=["meV"])
    """Unit in printed form; empty for a pure number."""
    long_name: str
    """Description."""
    values: Any
    """Nested lists, one level per dim; NaN is null, infinity the word `inf`."""


class Slice(_Told):
    """Part of a cube with labels and units; failed points are null."""

    dims: dict[str, int] = Field(examples=[{"F0": 8, "time": 53}])
    """Length of each remaining dim."""
    coords: dict[str, Array]
    """Coordinates by name; those fixed with `at` have no dim."""
    variables: dict[str, Array]
    """By name."""


class Server(_Told):
    """Version and limits of this server."""

    version: str
    """Version of photogap."""
    workers: int | None
    """Workers of the local cluster; null for one per core."""
    models: list[str]
    """Models that configs may name."""
    clusters: list[str]
    """Clusters that configs may name, in addition to cluster files in the served folder."""
    limits: dict[str, int]
    """Limits of requests: bytes of a `body`, `points` without confirmation, `values` of a slice, ..."""
    materials: list[str]
    """Built-in materials."""
    may_write: bool
    """False for a token that may only read."""
    read_token: str | None
    """Token that may only read, for a link; null without a token, or if the request's own is that token."""
