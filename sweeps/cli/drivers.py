"""Shared parts of the commands that start a driver: options, command lines, and how to continue."""

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..ask.plan import Plan
from ..errors import ClusterError
from ..store.place import Place, place
from .base import ERR, OUT, print_json

FullFlag = Annotated[
    bool, typer.Option("--full", help="Run the large sweep under the config's `full` key, meant for a cluster.")
]
RecomputeFlag = Annotated[bool, typer.Option("--recompute", help="Delete the existing cube and start again.")]
DryRunFlag = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Check the config, count missing points and bytes, time a few points; write nothing."
    ),
]


ClusterOption = Annotated[
    str | None,
    typer.Option(
        help="`local`, the name or file of a cluster, or the address of a Dask scheduler.",
        show_default="the config's, else local",
    ),
]


def store_of(name: str, store: str | None, *, full: bool = False) -> Place:
    """The store given by the user, or the default one of the sweep."""
    return place(store or f"results/{name}{'_full' if full else ''}.zarr")


def run_words(
    config: Path,
    target: Place,
    *,
    overrides: Sequence[str] | None = None,
    full: bool = False,
    recompute: bool = False,
    cluster: str | None = None,
    workers: int | None = None,
) -> list[str]:
    """Command line of `photogap run` for the same sweep, valid from any folder."""
    words = ["run", str(config.resolve()), "--store", target.url]
    words += [word for text in overrides or () for word in ("--set", text)]
    words += ["--full"] if full else []
    words += ["--recompute"] if recompute else []
    words += ["--cluster", cluster] if cluster else []
    return words + (["--workers", str(workers)] if workers is not None else [])


def retry_words(
    target: Place, *, trust: bool = False, cluster: str | None = None, workers: int | None = None
) -> list[str]:
    """Command line of `photogap retry` for the same store."""
    words = ["retry", target.url]
    words += ["--trust"] if trust else []
    words += ["--cluster", cluster] if cluster else []
    return words + (["--workers", str(workers)] if workers is not None else [])


def in_words(words: Sequence[str]) -> str:
    """A command line to copy."""
    return f"photogap {shlex.join(words)}"


def warn(text: str) -> None:
    """Print a line that is not part of the result."""
    ERR.print(text, markup=False, highlight=False, soft_wrap=True)


def say_how_to_go_on(words: Sequence[str]) -> None:
    """Print the command that continues a stopped run."""
    warn(f"continue with: {in_words(words)}")


@contextlib.contextmanager
def going_on(words: Sequence[str]) -> Iterator[None]:
    """Print how to continue if a run is interrupted or loses its workers."""
    try:
        yield
    except (KeyboardInterrupt, ClusterError):
        say_how_to_go_on(words)
        raise


def send(
    cluster: str, target: Place, words: Sequence[str], *, name: str, folder: str = ".", as_json: bool = False
) -> None:
    """Submit a driver, and print how to follow it."""
    from ..clusters.submit import submit

    job = submit(cluster, target, words, name=name, folder=folder)
    if as_json:
        print_json(job.__dict__ | {"store": target.url})
        return
    OUT.print(f"submitted job {job.job}; log: {job.log}", highlight=False, soft_wrap=True)
    OUT.print(f"follow it: photogap status {target.url}", highlight=False, soft_wrap=True)


def show_estimate(
    plan: Plan, cluster: str, target: Place | None, *, workers: int | None = None, as_json: bool = False
) -> None:
    """Print points, bytes and time of a sweep; exit code 1 if all sampled points failed.

    Args:
        plan: The sweep.
        cluster: Its cluster.
        target: Store whose finished points are left out; None to count all points.
        workers: Number of workers requested on the command line.
        as_json: Print one JSON object.
    """
    from ..clusters.cluster_file import find
    from ..drive.estimate import estimate, workers_of

    spec, _ = find(cluster, plan.config.folder)
    found: dict[str, Any] = estimate(plan, workers_of(plan.config, spec, workers), target)
    if as_json:
        print_json({name: value for name, value in found.items() if name != "words"})
    else:
        for line in found["words"]:
            OUT.print(line, highlight=False, markup=False, soft_wrap=True)
    if found["missing"] and found["seconds_per_point"] is None:
        raise typer.Exit(1)
