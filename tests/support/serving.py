"""A server in this process, for tests."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.patience import PATIENCE

FAKE = "support.fake_model:MODEL"


@contextlib.contextmanager
def serving(folder: Path, *, port: int = 0, idle_s: float = 60.0, **options: Any) -> Iterator[Any]:
    """A server in this process, on a free port or on that of one before; yields a client with its app as `app`."""
    import uvicorn

    from photogap.sweeps.client import Client
    from photogap.sweeps.model import DEFAULT
    from photogap.sweeps.server.api import make
    from photogap.sweeps.server.lines import settings
    from photogap.sweeps.server.options import Options
    from photogap.sweeps.server.start import tls_context

    given = Options(**{"folder": folder, "workers": 0, "models": (DEFAULT, FAKE)} | options)
    app = make(given, idle_s=idle_s)
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, **settings(tls_context(given)))
        )
        app.state.closing = lambda: server.should_exit
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = time.monotonic() + PATIENCE
        while not server.started and time.monotonic() < end:
            time.sleep(0.02)
        assert server.started
        client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", token=options.get("token"))
        client.app = app
        try:
            yield client
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()
