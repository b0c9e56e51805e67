"""Routes that read cubes: axes, maps, points, slices, pictures, downloads."""

import re
from typing import Annotated, Literal

from fastapi import FastAPI, Path, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse

from ..ask.selector import pairs
from . import answers, planes, slices
from . import history as histories
from .depends import At, Name, Running, axis
from .schema import Axes, Map, PointDetail, Slice

_MAP_POINTS = 40_000


def add(app: FastAPI) -> None:
    """Add the routes to an application."""

    @app.get("/api/sweeps/{name}/axes")
    def axes(runner: Running, name: Name) -> Axes:
        """Axes with their values and units, and variables."""
        runner.intake.cube(name)
        return Axes(**slices.axes_of(runner.intake.place(name)))

    @app.get("/api/sweeps/{name}/map")
    def status_map(
        runner: Running,
        name: Name,
        x: Annotated[str | None, axis("Axis across")] = None,
        y: Annotated[str | None, axis("Axis down")] = None,
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
        x: Annotated[str | None, axis("Axis across")] = None,
        y: Annotated[str | None, axis("Axis up")] = None,
        panels: Annotated[str | None, axis("Axis of panels")] = None,
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
        x: Annotated[str, axis("Axis across")] = "F0",
        y: Annotated[
            str, Query(max_length=100, description="Variable, drawn as its largest value over time.")
        ] = "Delta0",
        hue: Annotated[str | None, axis("Axis that gives one line per label")] = None,
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
