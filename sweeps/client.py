"""Client of `photogap serve`: submit a sweep, watch it, read slices as xarray.

from pathlib import Path
from photogap.sweeps.client import Client
client = Client("http://127.0.0.1:8765")
client.submit(Path("quickstart.yaml"))
client.wait("quickstart")
client.slice("quickstart", "Delta0", T=30).Delta0.max("time").plot(x="F0", xscale="log")
"""

import contextlib
import http.client
import io
import json
import math
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlencode, urlsplit

from .errors import ConfigError, SweepError
from .private import is_loopback, noted_token

ENDED = ("done", "cancelled", "failed")
_BROKEN = (OSError, http.client.HTTPException)
# The server sends something every 15 s, even if nothing changes.
_QUIET_S = 40.0
_T = TypeVar("_T")


class RefusedError(SweepError):
    """The server refused the request; the message is the server's.

    Args:
        status: HTTP status.
        detail: The reason.
        points: Number of points of a sweep that needs confirmation.
    """

    def __init__(self, status: int, detail: str, points: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.points = status, detail, points


class UnreachableError(SweepError):
    """No server answers at the address in time."""


class Client:
    """Sweeps of a server.

    Args:
        url: Address of the server; may end in `#token=...`, as `photogap serve` prints it.
        token: Its token; if None that of `url`, the variable PHOTOGAP_TOKEN, or for a server that the same user
            runs on this machine the server's own token.
        certificate: CA file for the server's certificate, if the system does not trust it.
        timeout: Longest wait for an answer, s, and for `watch` and `wait` to find a lost server again.
        name: Your name, noted with each action; by default that of your account. It is not verified.

    Raises:
        ConfigError: `url` is not an address.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8765",
        *,
        token: str | None = None,
        certificate: str | None = None,
        timeout: float = 60.0,
        name: str | None = None,
    ) -> None:
        base, _, fragment = url.partition("#")
        self.url, self.timeout = base.rstrip("/"), timeout
        self._name = quote((name if name is not None else os.environ.get("USER", ""))[:60], safe=" ")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"`url` must begin with http:// or https:// and name a host. Got {self.url!r}.")
        here = unquote(fragment.removeprefix("token=")) if fragment.startswith("token=") else None
        self._token = token if token is not None else here or os.environ.get("PHOTOGAP_TOKEN")
        self._port = parts.port if is_loopback(parts.hostname) else None
        context = ssl.create_default_context(cafile=certificate)
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
        if is_loopback(parts.hostname):
            # A login node's proxy cannot reach this machine's loopback.
            handlers.append(urllib.request.ProxyHandler({}))
        self._open = urllib.request.build_opener(*handlers).open

    def __repr__(self) -> str:
        """Representation with the address, without the token."""
        return f"Client({self.url!r})"

    def submit(
        self, config: str | dict[str, Any] | Path, *overrides: str, confirm_points: int | None = None
    ) -> dict[str, Any]:
        """Queue a sweep: a config as YAML text, dict or path, and overrides such as `axes.T=[20,30]`.

        Returns:
            The state of the sweep, as `sweep` returns it.

        Raises:
            RefusedError: The config breaks a rule, contradicts its cube, or is large and not confirmed: `points`
                of the error is then the required `confirm_points`.
        """
        body = {"config": _config(config), "overrides": overrides, "confirm_points": confirm_points}
        return self._json("POST", "sweeps", body)

    def dry_run(self, config: str | dict[str, Any] | Path, *overrides: str) -> dict[str, Any]:
        """Points, bytes and time (s) of a config, estimated by computing a few points."""
        return self._json("POST", "dry-run", {"config": _config(config), "overrides": overrides}, timeout=300)

    def sweeps(self, search: str = "", state: str | None = None) -> list[dict[str, Any]]:
        """Sweeps whose name or config contains a text, newest first."""
        query = {"search": search} | ({"state": state} if state else {})
        found: list[dict[str, Any]] = self._json("GET", f"sweeps?{urlencode(query)}")["sweeps"]
        return found

    def sweep(self, name: str) -> dict[str, Any]:
        """One sweep: `state`, `total`, `done` and `failed` points, `seconds_left`, ... and its `config`."""
        return self._json("GET", _path(name))

    def record(self, name: str) -> dict[str, Any]:
        """Record of the cube."""
        return self._json("GET", _path(name, "record"))

    def axes(self, name: str) -> dict[str, Any]:
        """Axes with their labels and units, and variables with their dims and units."""
        return self._json("GET", _path(name, "axes"))

    def status(self, name: str) -> dict[str, Any]:
        """Points by status, failures by reason, slowest points."""
        return self._json("GET", _path(name, "status"))

    def point(self, name: str, point: str = "", **labels: Any) -> dict[str, Any]:
        """One point's outcome and log, by the first digits of its id or by labels: `point("a", T=30, F0=1)`."""
        text = point or ",".join(f"{k}={v}" for k, v in labels.items())
        return self._json("GET", _path(name, f"points/{quote(text, safe='')}"))

    def cancel(self, name: str) -> dict[str, Any]:
        """Stop a sweep; finished points are kept."""
        return self._json("POST", _path(name, "cancel"))

    def resume(self, name: str) -> dict[str, Any]:
        """Continue a stopped sweep."""
        return self._json("POST", _path(name, "resume"))

    def retry(self, name: str, like: str | None = None) -> dict[str, Any]:
        """Compute the failed points again; with `like`, the id of one, only those with the same reason."""
        return self._json("POST", _path(name, "retry" + (f"?{urlencode({'like': like})}" if like else "")))

    def history(self, name: str) -> dict[str, Any]:
        """Runs with hosts and versions, core hours, notes and tags, and who did what."""
        return self._json("GET", _path(name, "history"))

    def note(self, name: str, text: str | None = None, **changes: Any) -> dict[str, Any]:
        """Change the notes of a sweep, its `tags`, or whether it is `archived`; the rest is unchanged.

        Raises:
            RefusedError: Somebody else changed them at the same moment.
        """
        words = self.history(name)["note"] | ({} if text is None else {"text": text}) | changes
        return self._json("POST", _path(name, "note"), words)

    def verify(self, name: str, *, repair: bool = False) -> dict[str, Any]:
        """Check every chunk of a cube; with `repair`, bad points become missing and `resume` computes them."""
        return self._json("POST", _path(name, f"verify?repair={str(repair).lower()}"))

    def watch(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the state of a sweep at every change, to its end; reconnects to a restarted server.

        Raises:
            UnreachableError: No server answers, or the server has been gone for `timeout`.
        """
        found: dict[str, Any] = {}
        answer = self._stream(name)
        while True:
            with answer, contextlib.suppress(*_BROKEN):
                for line in answer:
                    if line.startswith(b"data:") and line.endswith(b"\n"):
                        found = json.loads(line[5:])
                        yield found
            if found.get("state") in ENDED:
                return
            answer = self._patient(self._stream, name)

    def wait(self, name: str, timeout: float | None = None) -> dict[str, Any]:
        """Wait for the end of a sweep and return its state; reconnects to a restarted server.

        Interrupting the wait does not stop the sweep.

        Returns:
            The state of the sweep; `state` is how it ended.

        Raises:
            TimeoutError: The sweep has not ended in time.
            UnreachableError: No server answers, or the server has been gone for the client's `timeout`.
        """
        end = None if timeout is None else time.monotonic() + timeout
        found, pause = self.sweep(name), 0.1
        while found["state"] not in ENDED:
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"the sweep {name!r} is still {found['state']} after {timeout} s.")
            time.sleep(pause)
            pause = min(1.0, 1.2 * pause)
            found = self._patient(self.sweep, name, end)
        return found

    def slice(self, name: str, *variables: str, **at: Any) -> Any:
        """Part of the cube as an xarray Dataset with labels and units, such as `slice("a", "Delta0", T=30)`.

        Raises:
            RefusedError: The variable or label does not exist, or the slice is over the server's limit.
        """
        import xarray as xr

        ds: xr.Dataset = xr.load_dataset(io.BytesIO(self.download(name, *variables, format="netcdf", **at)))
        return ds

    def download(self, name: str, *variables: str, format: str = "csv", **at: Any) -> bytes:
        """Part of the cube as a file: `csv`, `json` or `netcdf`."""
        query = [("variable", v) for v in variables] + [("at", f"{k}={v}") for k, v in at.items()]
        return self._bytes("GET", _path(name, f"slice?{urlencode([*query, ('format', format)])}"))

    def picture(
        self, name: str, *, x: str = "F0", y: str = "Delta0", hue: str | None = None, format: str = "png", **at: Any
    ) -> bytes:
        """The picture that `photogap plot` draws, PNG or SVG; `IPython.display.Image` shows it."""
        query = [("x", x), ("y", y), ("format", format)] + ([("hue", hue)] if hue else [])
        query += [("at", f"{k}={v}") for k, v in at.items()]
        return self._bytes("GET", _path(name, f"picture?{urlencode(query)}"))

    def _json(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._bytes(method, path, body, timeout))
        return found

    def _bytes(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> bytes:
        try:
            with self._answer(method, path, body, timeout) as answer:
                return bytes(answer.read())
        except _BROKEN as error:
            raise self._unreachable(error) from error

    def _stream(self, name: str) -> Any:
        return self._answer("GET", _path(name, "events"), timeout=max(self.timeout, _QUIET_S))

    def _patient(self, ask: Callable[[str], _T], name: str, end: float | None = None) -> _T:
        """Repeat a request while the server is unreachable, at most until `end`."""
        end = min(end or math.inf, time.monotonic() + self.timeout)
        while True:
            try:
                return ask(name)
            except UnreachableError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)

    def _answer(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/{path}", data, method=method)
        if self._name and method != "GET":
            request.add_header("X-Photogap-Name", self._name)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        token = self._token
        if token is None and self._port is not None:
            token = noted_token(self._port)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            return self._open(request, timeout=timeout or self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.read()) from None
        except _BROKEN as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> UnreachableError:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return UnreachableError(
                f"the server at {self.url!r} did not answer in time. "
                f"Raise the client's `timeout`. Got {self.timeout} s."
            )
        return UnreachableError(
            f"`url` must be the address of a running `photogap serve`. Got {self.url!r} ({reason})."
        )


def _config(config: str | dict[str, Any] | Path) -> str | dict[str, Any]:
    return config.read_text(encoding="utf-8") if isinstance(config, Path) else config


def _refusal(status: int, body: bytes) -> RefusedError:
    try:
        problem = json.loads(body)
        return RefusedError(status, str(problem["detail"]), problem.get("points"))
    except (ValueError, KeyError, TypeError):
        return RefusedError(status, body.decode(errors="replace")[:2000])


def _path(name: str, rest: str = "") -> str:
    return f"sweeps/{quote(name, safe='')}" + (f"/{rest}" if rest else "")
