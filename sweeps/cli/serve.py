"""Command `photogap serve`."""

import dataclasses
import os
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from ..errors import ConfigError
from ..private import is_loopback
from .base import CLUSTERS, OUT, fail_clearly

if TYPE_CHECKING:
    from ..server.options import Options

TOKEN = "PHOTOGAP_TOKEN"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel=CLUSTERS)(serve)


@fail_clearly
def serve(
    folder: Annotated[Path, typer.Argument(help="Folder of cubes, cluster files and materials.")] = Path("results"),
    host: Annotated[
        str, typer.Option(help="Address to listen on; any address but loopback needs a token and TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 picks a free one.", min=0, max=65535)] = 8765,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-n", min=0, help="Worker processes of the local cluster.", show_default="cores"),
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, help="Number of sweeps that run at the same time.")] = 8,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token.", show_default=f"the variable {TOKEN}, else made for the folder"),
    ] = None,
    no_token: Annotated[
        bool,
        typer.Option("--no-token", help="Accept every user of this machine without a token; on loopback only."),
    ] = False,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key, PEM.")] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="Another host name of this server; may be repeated.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Another model allowed in configs, as module:attribute; may be repeated."),
    ] = None,
    cluster: Annotated[
        list[str] | None, typer.Option(help="Scheduler address allowed in configs; may be repeated.")
    ] = None,
    cluster_folder: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of cluster files allowed in configs, in addition to ~/.config/photogap/clusters."
        ),
    ] = None,
    max_body: Annotated[int, typer.Option(min=1024, help="Largest request body, bytes.")] = 64 * 1024,
    max_values: Annotated[int, typer.Option(min=1, help="Largest slice, in numbers.")] = 1_000_000,
    max_points: Annotated[int, typer.Option(min=1, help="Largest sweep, in points, without confirmation.")] = 2_000,
) -> None:
    """Share a folder of cubes with a group: a queue of sweeps, an API and a web page.

    FOLDER contains one cube per sweep and the files that configs name: materials, CSV columns, cluster files.

    It is created if missing, and its cubes from `photogap run` are listed. By default only this machine can
    connect.
    """
    try:
        from ..clusters.cluster_file import own_folder
        from ..model import DEFAULT
        from ..server.access import made
        from ..server.options import Options, RequestLimits
        from ..server.start import serve as start
    except ImportError as error:
        raise ConfigError(f"`serve` needs more packages: pip install 'photogap[serve]' ({error}).") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"FOLDER must be a folder, existing or new. Got {str(folder)!r} ({error}).") from error
    given = _token(token_file)
    if given is not None and no_token:
        raise ConfigError(
            "`--no-token` cannot be combined with a token. Leave out either `--no-token`, or `--token-file` and "
            f"{TOKEN}."
        )
    options = Options(
        folder=folder.resolve(),
        host=host,
        port=port,
        token=given,
        certificate=tls_certificate,
        key=tls_key,
        names=tuple(name or ()),
        workers=workers,
        at_once=at_once,
        models=(DEFAULT, *(model or ())),
        clusters=tuple(cluster or ()),
        cluster_folders=(*filter(Path.is_dir, [own_folder()]), *(f.resolve() for f in cluster_folder or ())),
        limits=RequestLimits(body=max_body, values=max_values, points=max_points),
    )
    if given is None and not no_token and is_loopback(host):
        options = dataclasses.replace(options, token=made(options))
    start(options, lambda url: _tell(options, folder, url, known=given is not None))


def _tell(options: "Options", folder: Path, url: str, *, known: bool) -> None:
    """Print the address of the server, its token if it was generated, and what to do next."""
    address = urlsplit(url)
    # In the fragment, which a browser never sends; the page reads and removes it.
    lines = [f"serving {folder} at {url}" + ("" if known or options.token is None else f"#token={options.token}")]
    if is_loopback(options.host):
        lines.append("Open this address in a browser. From another machine, first run there:")
        who = os.environ.get("USER", "USER")
        lines.append(f"  ssh -L {address.port}:{address.hostname}:{address.port} {who}@{gethostname()}")
    elif options.names:
        lines.append(f"Others open {address.scheme}://{options.names[0]}:{address.port}/ in a browser.")
    else:
        lines.append(f"To let others open it by this machine's name, add `--name`, such as --name {gethostname()}.")
    if options.token is None:
        lines.append(
            "Every user of this machine can use it and run code as you; leave `--no-token` out to require a token."
        )
    lines.append(f"In Python: from photogap.sweeps.client import Client; client = Client({url.rstrip('/')!r})")
    lines.append("Ctrl-C stops it; the next server of this folder continues the queued and running sweeps.")
    for line in lines:
        OUT.print(line, highlight=False, markup=False, soft_wrap=True)


def _token(path: Path | None) -> str | None:
    # Processes that the server starts do not inherit it.
    found = os.environ.pop(TOKEN, None)
    if path is None:
        return found
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"`--token-file` must be a readable file. Got {str(path)!r} ({error}).") from error
