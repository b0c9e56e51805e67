"""The API: each route checks its input, calls the engine, and returns the engine's error messages."""

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from ..clusters.open import open_pool
from ..errors import BusyError, ClusterError, ConfigError, ContradictionError, StoreError, SweepError
from ..numbers import plain
from ..text import dump_yaml
from ..work.pool import Opener
from . import answers, cube_routes, dask_pages, streams
from . import history as histories
from .depends import Name, Running, Who
from .document import Documented
from .guard import Guard, cookie_of, is_token, may_write, read_token_of, session_of
from .intake import ConfirmError, TooLargeError
from .journal import Note
from .key_list import all_keys
from .options import Options
from .runner import BusyNameError, Runner, UnknownError
from .schema import (
    Checked,
    CubeStatus,
    Estimate,
    History,
    Keys,
    Login,
    Problem,
    Server,
    Submission,
    Sweep,
    SweepDetail,
    Sweeps,
    Verification,
    Words,
)
from .turns import Turns

STATIC = FilePath(__file__).parent / "static"
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
    cube_routes.add(app)
    streams.add(app)
    dask_pages.add(app)
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
