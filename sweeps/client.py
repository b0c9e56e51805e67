"""Client of a `photogap serve`: submit a sweep, watch it, take slices as xarray; nothing but the standard library.

from photogap.sweeps.client import Client
client = Client("http://127.0.0.1:8765")
client.submit(open("quickstart.yaml").read())
client.wait("quickstart")
client.slice("quickstart", "Delta0", T=30).Delta0.max("time").plot(x="F0", xscale="log")
"""

import io
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from .errors import SweepError

ENDED = ("done", "cancelled", "failed")


class RefusedError(SweepError):
    """The server's refusal, in its own words.

    Args:
        status: HTTP status.
        detail: The reason.
        points: Points of a sweep that wants a confirmation.
    """

    def __init__(self, status: int, detail: str, points: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.points = status, detail, points


class UnreachableError(SweepError):
    """No server answers at the address."""


class Client:
    """A server's sweeps.

    Args:
        url: Address of the server.
        token: Its token; the variable PHOTOGAP_TOKEN if None.
        certificate: File of the authority that signed its certificate, where the system does not know it.
        timeout: Longest wait for an answer, s.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8765",
        *,
        token: str | None = None,
        certificate: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.url, self.timeout = url.rstrip("/"), timeout
        self._token = token if token is not None else os.environ.get("PHOTOGAP_TOKEN")
        context = ssl.create_default_context(cafile=certificate)
        self._open = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context)).open

    def submit(
        self, config: str | dict[str, Any], *overrides: str, confirm_points: int | None = None
    ) -> dict[str, Any]:
        """Queue a sweep: a config as YAML text or as a dict, and overrides such as `axes.T=[20,30]`.

        Raises:
            RefusedError: The config breaks a rule, contradicts its cube, or is large and not confirmed.
        """
        body = {"config": config, "overrides": overrides, "confirm_points": confirm_points}
        return self._json("POST", "sweeps", body)

    def dry_run(self, config: str | dict[str, Any], *overrides: str) -> dict[str, Any]:
        """Points, bytes and time that a config will take."""
        return self._json("POST", "dry-run", {"config": config, "overrides": overrides}, timeout=300)

    def sweeps(self, search: str = "", state: str | None = None) -> list[dict[str, Any]]:
        """Sweeps whose name or config holds a text, newest first."""
        query = {"search": search} | ({"state": state} if state else {})
        found: list[dict[str, Any]] = self._json("GET", f"sweeps?{urlencode(query)}")["sweeps"]
        return found

    def sweep(self, name: str) -> dict[str, Any]:
        """One sweep with its config."""
        return self._json("GET", _path(name))

    def record(self, name: str) -> dict[str, Any]:
        """What the cube says of itself."""
        return self._json("GET", _path(name, "record"))

    def status(self, name: str) -> dict[str, Any]:
        """Points by status, failures by reason, slowest points."""
        return self._json("GET", _path(name, "status"))

    def point(self, name: str, point: str = "", **labels: Any) -> dict[str, Any]:
        """One point's outcome and log, by the first digits of its id or by labels."""
        text = point or ",".join(f"{k}={v}" for k, v in labels.items())
        return self._json("GET", _path(name, f"points/{quote(text, safe='')}"))

    def cancel(self, name: str) -> dict[str, Any]:
        """Stop a sweep; finished points are kept."""
        return self._json("POST", _path(name, "cancel"))

    def resume(self, name: str) -> dict[str, Any]:
        """Go on with a sweep that stopped."""
        return self._json("POST", _path(name, "resume"))

    def retry(self, name: str) -> dict[str, Any]:
        """Compute the failed points of a sweep again."""
        return self._json("POST", _path(name, "retry"))

    def watch(self, name: str) -> Iterator[dict[str, Any]]:
        """A sweep's numbers as they change, to its end."""
        with self._answer("GET", _path(name, "events")) as answer:
            for line in answer:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    def wait(self, name: str, timeout: float | None = None) -> dict[str, Any]:
        """A sweep's numbers at its end; a server that is started again meanwhile is found again.

        Raises:
            TimeoutError: It has not ended in time.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            found = self.sweep(name)
            if found["state"] in ENDED:
                return found
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"the sweep {name!r} is still {found['state']} after {timeout} s.")
            time.sleep(0.2)

    def slice(self, name: str, *variables: str, **at: Any) -> Any:
        """Part of the cube as an xarray Dataset, such as `slice("a", "Delta0", T=30)`."""
        import xarray as xr

        ds: xr.Dataset = xr.load_dataset(io.BytesIO(self.download(name, *variables, format="netcdf", **at)))
        return ds

    def download(self, name: str, *variables: str, format: str = "csv", **at: Any) -> bytes:
        """Part of the cube as a file: `csv`, `json` or `netcdf`."""
        query = [("variable", v) for v in variables] + [("at", f"{k}={v}") for k, v in at.items()]
        with self._answer("GET", _path(name, f"slice?{urlencode([*query, ('format', format)])}")) as answer:
            return bytes(answer.read())

    def picture(
        self, name: str, *, x: str = "F0", y: str = "Delta0", hue: str | None = None, format: str = "png", **at: Any
    ) -> bytes:
        """The picture that `photogap plot` draws, PNG or SVG."""
        query = [("x", x), ("y", y), ("format", format)] + ([("hue", hue)] if hue else [])
        query += [("at", f"{k}={v}") for k, v in at.items()]
        with self._answer("GET", _path(name, f"picture?{urlencode(query)}")) as answer:
            return bytes(answer.read())

    def _json(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> dict[str, Any]:
        with self._answer(method, path, body, timeout) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def _answer(self, method: str, path: str, body: Any = None, timeout: float | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/{path}", data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            return self._open(request, timeout=timeout or self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.read()) from None
        except urllib.error.URLError as error:
            raise UnreachableError(
                f"`url` must be the address of a running `photogap serve`. Got {self.url!r} ({error.reason})."
            ) from error


def _refusal(status: int, body: bytes) -> RefusedError:
    try:
        problem = json.loads(body)
        return RefusedError(status, str(problem["detail"]), problem.get("points"))
    except (ValueError, KeyError, TypeError):
        return RefusedError(status, body.decode(errors="replace")[:2000])


def _path(name: str, rest: str = "") -> str:
    return f"sweeps/{quote(name, safe='')}" + (f"/{rest}" if rest else "")
