"""The API: each route checks its input, calls the engine, and returns the engine's error messages."""

import asyncio
import importlib.metadata
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles

from ...core.quantities import AXES, DIMS
from ...core.units import typed
from ..ask.selector import pairs
from ..clusters.open import open_pool
from ..errors import BusyError, ClusterError, ConfigError, ContradictionError, StoreError, SweepError
from ..numbers import plain
from ..text import dump_yaml
from ..work.pool import Opener
from . import answers, planes, slices
from . import history as histories
from .document import Documented
from .guard import Guard, cookie_of, is_token, may_write, read_token_of, session_of
from .intake import NAME, ConfirmError, TooLargeError
from .journal import Note
from .keys import all_keys
from .options import Options
from .queue import WAITING
from .runner import BusyNameError, Runner, UnknownError
from .schema import (
    Axes,
    Checked,
    CubeStatus,
    Estimate,
    History,
    Keys,
    Login,
    Map,
    PointDetail,
    Problem,
    Server,
    Slice,
    Submission,
    Sweep,
    SweepDetail,
    Sweeps,
    Verification,
    Words,
)
from .turns import Turns

STATIC = FilePath(__file__).parent / "static"
_TICK_S = 0.25
_PULSE_S = 0.5
# Pause before a browser reopens a stream.
_RETRY_MS = 1000
_MAP_POINTS = 40_000
_CODES: tuple[tuple[type[SweepError], int], ...] = (
    (UnknownError, 404),
    (StoreError, 404),
    (TooLargeError, 413),
    (ConfirmError, 409),
    (BusyNameError, 409),
    (ContradictionError, 409),
    (BusyError, 409),
    (answers.TooBusyError, 429),
    (ConfigError, 422),
    (ClusterError, 503),
)
_REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text}
    for code, text in {
        400: "not readable",
        401: "the token is missing or wrong",
        403: "the request comes from a page of another site",
        404: "no such sweep, cube, point or route",
        408: "the body took too long to arrive",
        409: "not possible in this state, contradicts the cube, or large and not confirmed",
        413: "over a limit of this server",
        421: "the host name is not one of this server's",
        422: "breaks a rule for configs or for this request",
        429: "too many requests at once",
        503: "the cluster does not answer",
    }.items()
}

_QUANTITIES = {name: typed(found.unit) for name, found in (AXES | DIMS).items() if found.unit != "1"}
_UNITS = f"in the axis's own unit ({', '.join(f'{name} {unit}' for name, unit in _QUANTITIES.items())})"
Name = Annotated[str, Path(pattern=NAME, description="Name of a sweep.", examples=["quickstart"])]
At = Annotated[
    list[str],
    Query(
        description=f"Fix an axis at a label, {_UNITS}; may be repeated. Numbers match to five digits.",
        max_length=20,
        examples=[["T=30"]],
    ),
]


def _axis(what: str) -> Any:
    return Query(max_length=100, description=f"{what}, such as F0 or time.")


def make(options: Options, opener: Opener = open_pool, *, idle_s: float = 60.0) -> FastAPI:
    """Application over a folder; its lifespan starts and stops the queue."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runner = await asyncio.to_thread(Runner, options, opener, idle_s=idle_s)
        app.state.runner, app.state.board, app.state.watchers = runner, answers.Board(runner), 0
        await asyncio.to_thread(runner.start)
        try:
            yield
        finally:
            await asyncio.to_thread(runner.close)

    app = Documented(
        title="photogap",
        summary="Sweeps of light-driven superconductors: submit, watch, slice.",
        description="Energies in meV, times in ps, F0 in mJ/cm2, T in K; arrays carry their units. "
        "`photogap.sweeps.client` is the Python client.",
        version=importlib.metadata.version("photogap"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
        responses=_REFUSALS,
    )
    # The host process signals the end, so that streams end themselves before they are torn down.
    app.state.closing = lambda: False
    app.add_middleware(Turns)
    app.add_middleware(Guard, options=options)
    app.add_exception_handler(SweepError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    _sweeps(app)
    _cubes(app)
    _streams(app)
    _shell(app, options)
    return app


def _refused(request: Request, error: Exception) -> JSONResponse:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), 422)
    problem = Problem(detail=answers.written(str(error)), points=getattr(error, "points", None))
    return JSONResponse(problem.model_dump(exclude_none=True), code)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    lines = [
        f"`{'.'.join(str(p) for p in e['loc'][1:]) or e['loc'][0]}`: {e['msg']}. Got {str(e.get('input'))[:200]!r}."
        for e in error.errors()
    ]
    return JSONResponse({"detail": answers.written("\n".join(lines))}, 422)


def _runner(request: Request) -> Runner:
    found: Runner = request.app.state.runner
    return found


def _board(request: Request) -> answers.Board:
    found: answers.Board = request.app.state.board
    return found


def _closing(request: Request) -> Callable[[], bool]:
    found: Callable[[], bool] = request.app.state.closing
    return found


def _who(request: Request) -> str:
    """Name that a person gave with the request: it is noted, not verified."""
    given = unquote(request.headers.get("x-photogap-name", ""), errors="replace")
    return "".join(c for c in given if c.isprintable())[:60].strip()


Running = Annotated[Runner, Depends(_runner)]
Who = Annotated[str, Depends(_who)]
Closing = Annotated[Callable[[], bool], Depends(_closing)]
Told = Annotated[answers.Board, Depends(_board)]


def _sweeps(app: FastAPI) -> None:
    """Routes of the queue."""

    @app.get("/api/sweeps")
    def list_sweeps(
        runner: Running,
        search: Annotated[str, Query(max_length=200, description="Text to find in names and configs.")] = "",
        state: Annotated[
            Literal["queued", "running", "done", "cancelled", "failed"] | None, Query(description="Only these.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="Largest number of sweeps.")] = 200,
        offset: Annotated[int, Query(ge=0, le=10**9, description="Number of sweeps to skip.")] = 0,
    ) -> Sweeps:
        """Sweeps, newest first."""
        found = runner.queue.find(search.replace("\0", ""), state, limit, offset)
        return Sweeps(sweeps=[answers.sweep(runner, entry) for entry in found])

    @app.post("/api/sweeps", status_code=201)
    def submit(runner: Running, who: Who, body: Submission) -> Sweep:
        """Check a config and queue its sweep; an existing name extends that cube."""
        config = runner.intake.config(body.config, tuple(body.overrides))
        runner.intake.plan(config, body.confirm_points)
        tree = {k: v for k, v in config.model_dump(mode="json").items() if v is not None}
        written = isinstance(body.config, str) and not body.overrides
        text = str(body.config) if written else dump_yaml(config.model_dump(mode="json", exclude_defaults=True))
        entry = runner.submit(text, tree)
        runner.journal.did(entry.name, "submit", who)
        return answers.sweep(runner, entry)

    @app.post("/api/dry-run")
    def dry_run(runner: Running, body: Submission) -> Estimate:
        """Check a config, count its points and bytes, time a few points; nothing is queued or written."""
        config = runner.intake.config(body.config, tuple(body.overrides))
        runner.intake.plan(config, confirm=False)
        return answers.estimate(runner, config)

    @app.post("/api/check")
    def check(runner: Running, body: Submission) -> Checked:
        """Check a config and count its points and bytes; nothing is computed, queued or written.

        A config that breaks a rule is an answer here, not an error: one that is being typed does all the time.
        """
        return answers.checked(runner, body.config, tuple(body.overrides))

    @app.get("/api/keys")
    def config_keys() -> Keys:
        """Every key that a config may have, with unit, default, values and meaning."""
        return all_keys()

    @app.get("/api/sweeps/{name}")
    def one_sweep(runner: Running, name: Name) -> SweepDetail:
        """A sweep with its config and the location of its cube."""
        return answers.detail(runner, runner.entry(name))

    @app.get("/api/sweeps/{name}/record")
    def record(runner: Running, name: Name) -> dict[str, Any]:
        """Record of the cube: config, resolved settings, versions, hosts and times of every run."""
        runner.entry(name)
        found: dict[str, Any] = plain(runner.intake.cube(name).record)
        return found

    @app.get("/api/sweeps/{name}/status")
    def status(runner: Running, name: Name) -> CubeStatus:
        """Points by status, failures by reason with a replay command each, and the slowest points."""
        return answers.status(runner, name)

    @app.post("/api/sweeps/{name}/cancel")
    def cancel(runner: Running, who: Who, name: Name) -> Sweep:
        """Stop a sweep; finished points are kept."""
        entry = runner.cancel(name)
        runner.journal.did(name, "cancel", who)
        return answers.sweep(runner, entry)

    @app.post("/api/sweeps/{name}/resume")
    def resume(runner: Running, who: Who, name: Name) -> Sweep:
        """Continue a stopped sweep: compute the missing points."""
        entry = runner.again(name, "run")
        runner.journal.did(name, "resume", who)
        return answers.sweep(runner, entry)

    @app.post("/api/sweeps/{name}/retry")
    def retry(
        runner: Running,
        who: Who,
        name: Name,
        like: Annotated[
            str | None,
            Query(
                pattern="^[0-9a-f]{6,128}$",
                description="First digits of a failed point's id: only points that failed for its reason.",
            ),
        ] = None,
    ) -> Sweep:
        """Compute the failed points of a sweep again, all or those with one reason."""
        entry = runner.again(name, f"retry {like}" if like else "retry")
        runner.journal.did(name, "retry", who)
        return answers.sweep(runner, entry)

    @app.post("/api/sweeps/{name}/verify")
    def verify(
        runner: Running,
        who: Who,
        name: Name,
        repair: Annotated[
            bool, Query(description="Mark bad points as missing; `resume` then computes them.")
        ] = False,
    ) -> Verification:
        """Read every chunk of a cube and check its points; refused while a run is using the cube."""
        found = answers.verification(runner, name, repair)
        runner.journal.did(name, "repair" if repair else "verify", who)
        return found

    @app.get("/api/sweeps/{name}/history")
    def history(runner: Running, name: Name) -> History:
        """Runs, resources used, notes, and who did what."""
        return histories.history(runner, name)

    @app.post("/api/sweeps/{name}/note")
    def note(runner: Running, who: Who, name: Name, body: Words) -> History:
        """Replace the notes, tags and archive flag of a sweep; refused if somebody has changed them meanwhile."""
        runner.entry(name)
        if not runner.journal.write(name, Note(body.text, tuple(body.tags), body.archived, body.version)):
            raise BusyNameError(f"somebody has changed the notes of {name!r} meanwhile. Read them again first.")
        runner.journal.did(name, "note", who)
        return histories.history(runner, name)


def _cubes(app: FastAPI) -> None:
    """Routes that read cubes."""

    @app.get("/api/sweeps/{name}/axes")
    def axes(runner: Running, name: Name) -> Axes:
        """Axes with their values and units, and variables."""
        runner.intake.cube(name)
        return Axes(**slices.axes_of(runner.intake.place(name)))

    @app.get("/api/sweeps/{name}/map")
    def status_map(
        runner: Running,
        name: Name,
        x: Annotated[str | None, _axis("Axis across")] = None,
        y: Annotated[str | None, _axis("Axis down")] = None,
        at: At = [],  # noqa: B006
    ) -> Map:
        """Status of the points over two axes."""
        cube = runner.intake.cube(name)
        job = runner.job(name)
        running = job.running(cube) if job else set()
        return Map(**planes.status_map(cube, running, x, y, pairs(at, "at"), _MAP_POINTS))

    @app.get(
        "/api/sweeps/{name}/plane",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}}},
    )
    def plane(
        runner: Running,
        name: Name,
        variable: Annotated[
            str | None,
            Query(
                max_length=100, description="Numeric variable; a series gives its largest value. None: status only."
            ),
        ] = None,
        x: Annotated[str | None, _axis("Axis across")] = None,
        y: Annotated[str | None, _axis("Axis up")] = None,
        panels: Annotated[str | None, _axis("Axis of panels")] = None,
        at: At = [],  # noqa: B006
    ) -> Response:
        """Numbers and status of points over two axes, or three, as bytes.

        Little-endian: length of the head (uint32), head (JSON: axes, labels, `shape`, `kinds` of status), float32
        values if a variable is given, one byte of status per point (place in `kinds`); order panels, rows, columns.
        """
        cube = runner.intake.cube(name)
        job = runner.job(name)
        running = job.running(cube) if job else set()
        limit = runner.options.limits.values
        body = planes.packed(cube, running, variable, x=x, y=y, panels=panels, at=pairs(at, "at"), limit=limit)
        return Response(body, media_type="application/octet-stream")

    @app.get("/api/sweeps/{name}/points/{point}")
    def point(
        runner: Running,
        name: Name,
        point: Annotated[
            str,
            Path(
                min_length=1,
                max_length=500,
                description="First digits of the point's id, or its labels: T=30,F0=1.",
                examples=["T=30,F0=1"],
            ),
        ],
    ) -> PointDetail:
        """Labels, outcome, traceback and diagnostics of a point, selected by its id's first digits or by labels."""
        return answers.point(runner, name, point)

    @app.get(
        "/api/sweeps/{name}/slice",
        response_model=Slice,
        responses={200: {"content": {"text/csv": {}, "application/x-netcdf": {}}}},
    )
    def cut(
        runner: Running,
        name: Name,
        variable: Annotated[
            list[str],
            Query(
                min_length=1,
                max_length=20,
                description="Name of a variable; may be repeated.",
                examples=[["Delta0"]],
            ),
        ],
        at: At = [],  # noqa: B006
        largest: Annotated[
            list[str],
            Query(
                max_length=5, description="Dim of the outputs, such as time, over which to take the largest value."
            ),
        ] = [],  # noqa: B006
        format: Annotated[
            Literal["json", "csv", "netcdf"], Query(description="CSV has units in its header; NetCDF is version 3.")
        ] = "json",
    ) -> Response:
        """Part of the cube with labels and units: as JSON, CSV or NetCDF."""
        runner.intake.cube(name)
        ds = slices.cut(runner.intake.place(name), variable, at, runner.options.limits.values, largest)
        ds = ds[list(dict.fromkeys(variable))]
        if format == "json":
            return JSONResponse(slices.as_json(ds))
        body: str | bytes = slices.as_csv(ds) if format == "csv" else slices.as_netcdf(ds)
        kind, end = ("text/csv", "csv") if format == "csv" else ("application/x-netcdf", "nc")
        return Response(body, media_type=kind, headers=_as_file(_file_name(name, variable, at, end)))

    @app.get(
        "/api/sweeps/{name}/picture",
        response_class=Response,
        responses={200: {"content": {"image/png": {}, "image/svg+xml": {}, "application/pdf": {}}}},
    )
    def picture(
        runner: Running,
        name: Name,
        x: Annotated[str, _axis("Axis across")] = "F0",
        y: Annotated[
            str, Query(max_length=100, description="Variable, drawn as its largest value over time.")
        ] = "Delta0",
        hue: Annotated[str | None, _axis("Axis that gives one line per label")] = None,
        at: At = [],  # noqa: B006
        format: Annotated[Literal["png", "svg", "pdf"], Query(description="File format.")] = "png",
        style: Annotated[Literal["screen", "paper", "slides"], Query(description="Medium.")] = "screen",
        columns: Annotated[int, Query(ge=0, le=2, description="Columns of a journal; 0 leaves the width.")] = 0,
    ) -> Response:
        """The picture that `photogap plot` draws, as PNG, SVG or PDF."""
        runner.intake.cube(name)
        limit = runner.options.limits.values
        body = slices.picture(
            runner.intake.place(name), format, limit, x=x, y=y, hue=hue, at=at, style=style, columns=columns
        )
        kind = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}[format]
        return Response(body, media_type=kind, headers=_as_file(_file_name(name, [y, x], at, format)))

    @app.get(
        "/api/sweeps/{name}/cube",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}}},
    )
    def whole(runner: Running, name: Name) -> StreamingResponse:
        """The whole cube as a zip file, which `xarray.open_zarr(zarr.storage.ZipStore(FILE))` opens."""
        pieces = histories.zipped(runner, name)
        return StreamingResponse(pieces, media_type="application/zip", headers=_as_file(f"{name}.zarr.zip"))


def _file_name(name: str, variables: list[str], at: list[str], end: str) -> str:
    """Name of a download: the sweep, its variables and the labels of the slice."""
    said = "-".join([name, *dict.fromkeys(variables), *at])
    return f"{re.sub(r'[^A-Za-z0-9._=-]+', '_', said)[:150]}.{end}"


def _as_file(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


def _streams(app: FastAPI) -> None:
    """Routes for live progress."""

    async def place_for_one(request: Request) -> AsyncIterator[None]:
        state = request.app.state
        if state.watchers >= state.runner.options.limits.watchers:
            raise HTTPException(429, "too many clients are watching this server; try again later.")
        state.watchers += 1
        try:
            yield
        finally:
            state.watchers -= 1

    def known(runner: Running, name: Name) -> str:
        return runner.entry(name).name

    @app.get("/api/events", response_class=EventSourceResponse, dependencies=[Depends(place_for_one)])
    async def all_events(board: Told, closing: Closing) -> AsyncIterator[ServerSentEvent]:
        """Server-sent events: first every sweep, then each sweep when it changes."""
        async for sweep in _changes(board, None, closing):
            yield ServerSentEvent(data=sweep, retry=_RETRY_MS)

    @app.get("/api/sweeps/{name}/events", response_class=EventSourceResponse, dependencies=[Depends(place_for_one)])
    async def events(
        board: Told, closing: Closing, name: Annotated[str, Depends(known)]
    ) -> AsyncIterator[ServerSentEvent]:
        """Server-sent events: progress of one sweep, to its end."""
        async for sweep in _changes(board, name, closing):
            yield ServerSentEvent(data=sweep, retry=_RETRY_MS)


async def _changes(
    board: answers.Board, name: str | None, closing: Callable[[], bool]
) -> AsyncIterator[dict[str, Any]]:
    """Sweeps at every change, until the server or the single sweep ends."""
    seen: dict[str, tuple[dict[str, Any], float]] = {}
    clock = asyncio.get_running_loop().time
    while not closing():
        entries = board.rows() if name is None else [board.row(name)]
        for found in entries:
            before, told = seen.get(found["name"], (None, 0.0))
            pulse = found["state"] == "running" and clock() - told > _PULSE_S
            if found != before or pulse:
                seen[found["name"]] = (found, clock())
                yield found
        if name is not None and all(e["state"] not in WAITING for e in entries):
            return
        await asyncio.sleep(_TICK_S)


def _shell(app: FastAPI, options: Options) -> None:
    """The page, the login and information on the server."""

    @app.get("/api/server")
    def server(runner: Running, request: Request) -> Server:
        """Version, limits, models and clusters of this server."""
        from ..materials import library as materials

        return Server(
            version=app.version,
            workers=options.workers,
            models=list(options.models),
            clusters=sorted({"local", *options.named_clusters}) + list(options.clusters),
            limits=dict(vars(options.limits)),
            materials=list(materials.names()),
            may_write=may_write(request.scope),
            read_token=read_token_of(options.token) if options.token and may_write(request.scope) else None,
        )

    @app.post("/api/login", status_code=204)
    async def login(body: Login) -> Response:
        """Keep the token in a cookie that page scripts cannot read."""
        known = [options.token, read_token_of(options.token)] if options.token else []
        token = next((t for t in known if is_token(t, body.token)), None)
        if known and token is None:
            await asyncio.sleep(0.5)
            raise HTTPException(401, "the token is wrong.")
        answer = Response(status_code=204)
        if token is not None:
            answer.set_cookie(
                cookie_of(token),
                session_of(token),
                httponly=True,
                samesite="strict",
                secure=options.certificate is not None,
                max_age=30 * 86400,
            )
        return answer

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
