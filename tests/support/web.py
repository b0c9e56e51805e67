"""A web server of one folder, with ranges, as repositories and public buckets serve files."""

import contextlib
import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class _Ranges(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Headers of a file."""
        self.do_GET()

    def do_GET(self) -> None:
        """A file, or a part of it; signatures and lists are refused, as by a public bucket."""
        if "Authorization" in self.headers or "list-type=" in self.path:
            self.send_error(403)
            return
        if self.command == "GET":
            self.asked.append(f"{self.path} {self.headers.get('Range', '')}".strip())
        path = Path(self.translate_path(self.path))
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        first, last = (int(found[1]), int(found[2] or len(data) - 1)) if found else (0, len(data) - 1)
        part = data[first : last + 1]
        self.send_response(206 if found else 200)
        if found:
            self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Last-Modified", self.date_time_string(int(path.stat().st_mtime)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{path.stat().st_mtime_ns:x}-{len(data):x}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)


@contextlib.contextmanager
def web(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Address of a folder on this machine, and the requests so far."""
    asked: list[str] = []
    handler = functools.partial(type("Handler", (_Ranges,), {"asked": asked}), directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()
