"""The token of a server, given or generated once per folder, and the note from which the user's clients read it."""

import contextlib
import secrets
from collections.abc import Iterator

from ..private import is_loopback, leave_note, read_private, write_private
from .options import Options


def made(options: Options) -> str:
    """Token of a folder: random, kept with the server's state so that pages and clients stay signed in after a
    restart.

    A token that others may have read or written is replaced.
    """
    path = options.state / "token"
    kept = read_private(path)
    if kept is not None and len(kept) >= 32:
        return kept.decode("ascii", "replace").strip()
    token = secrets.token_urlsafe(32)
    write_private(path, token.encode())
    return token


@contextlib.contextmanager
def announced(options: Options, port: int) -> Iterator[None]:
    """Keep a note of this server, so that the same user's clients on this machine find it by its port."""
    if options.token is None or not is_loopback(options.host):
        yield
        return
    with leave_note(port, options.token):
        yield
