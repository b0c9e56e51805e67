"""Start a server: one per folder; its address is printed once it listens."""

import fcntl
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import uvicorn

from ..errors import BusyError, ConfigError
from .access import announced
from .api import make
from .lines import allow_files, settings
from .options import Options


@contextmanager
def folder_lock(options: Options) -> Iterator[None]:
    """Lock the folder for this server; the lock of a killed server is released.

    Raises:
        BusyError: Another server is using it.
    """
    options.state.mkdir(mode=0o700, exist_ok=True)
    with (options.state / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another server already serves {str(options.folder)!r}. Stop it first.") from None
        yield


def serve(options: Options, told: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Raises:
        ConfigError: Listening on the address or reading the certificate failed.
        BusyError: Another server is using the folder.
    """
    context = tls_context(options)
    with folder_lock(options), _listen(options) as listener, ExitStack() as stack:
        host, port = listener.getsockname()[:2]
        scheme = "https" if options.certificate else "http"
        stack.enter_context(announced(options, port))
        told(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/")
        allow_files()
        app = make(options)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=2,
            **settings(context),
        )
        server = uvicorn.Server(config)
        app.state.closing = lambda: server.should_exit
        server.run(sockets=[listener])


def tls_context(options: Options) -> ssl.SSLContext | None:
    """TLS of the server; None without a certificate.

    Raises:
        ConfigError: Reading the certificate failed.
    """
    if options.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.certificate, options.key)
    except OSError as error:
        raise ConfigError(
            "`--tls-certificate` and `--tls-key` must be a matching pair of PEM files. "
            f"Got {str(options.certificate)!r} and {str(options.key)!r} ({error})."
        ) from error
    return context


@contextmanager
def _listen(options: Options) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((options.host, options.port), family=family)
    except OSError as error:
        raise ConfigError(
            f"`--host` and `--port` must be an address to listen on; `--port 0` picks a free port. "
            f"Got {options.host}:{options.port} ({error})."
        ) from error
    with listener:
        yield listener
