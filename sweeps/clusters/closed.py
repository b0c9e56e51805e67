"""Scheduler and worker without Dask's pages, which every user of their host could read.

A requested dashboard is served below a path that cannot be guessed; every other path is refused. The scheduler's
folder is private: its process imports from there, and Dask's own place for it could belong to another user.
"""

import contextlib
import re
import secrets
import tempfile
from pathlib import Path
from typing import Any

from distributed import Scheduler, Worker
from tornado.routing import PathMatches, Rule, RuleRouter

from ..private import private_folder

PORT = 8787
BELOW = "dask"
"""First part of the path of a dashboard."""


class ClosedWorker(Worker):
    """Worker that serves no pages."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Listen on no port."""


class ClosedScheduler(Scheduler):
    """Scheduler that serves no pages, or its dashboard below a secret path.

    Args:
        pages: Whether to serve a dashboard, on loopback.
        kwargs: As of `distributed.Scheduler`.
    """

    def __init__(self, *, pages: bool = False, **kwargs: Any) -> None:
        self._pages = f"/{BELOW}/{secrets.token_urlsafe(24)}" if pages else None
        self._private = contextlib.ExitStack()
        folder = self._private.enter_context(private_folder(Path(tempfile.gettempdir()), "photogap"))
        closed = {"dashboard": pages, "dashboard_address": f"127.0.0.1:{PORT}", "http_prefix": self._pages}
        super().__init__(**kwargs | closed | {"local_directory": str(folder)})

    async def close(self, *args: Any, **kwargs: Any) -> None:
        """Close, and remove the folder."""
        try:
            await super().close(*args, **kwargs)
        finally:
            self._private.close()

    def start_http_server(self, *args: Any, **kwargs: Any) -> None:
        """Listen on no port, or answer only below the path: Dask's own `/` and `/sitemap.json` would reveal it."""
        if self._pages is None:
            return
        super().start_http_server(*args, **kwargs)  # type: ignore[no-untyped-call]
        below = PathMatches(f"{re.escape(self._pages)}/.+")
        self.http_server.request_callback = RuleRouter([Rule(below, self.http_application)])

    @property
    def dashboard(self) -> str | None:
        """Address of the dashboard, whose port may differ from the requested one; None without a dashboard."""
        if self._pages is None:
            return None
        port = self.services["dashboard"].port
        return f"http://127.0.0.1:{port}{self._pages}/status"
