"""Attacks of another user of the machine on a run or a server; a script, whose standard input says on what.

Each entry of the printed table is how often an attack was tried and how often it got through.
"""

import asyncio
import contextlib
import json
import os
import ssl
import sys
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distributed import Client
from distributed.comm import connect

SECONDS = 3.0
NOBODY = 65534
PAGES = (
    "",
    "status",
    "health",
    "metrics",
    "sitemap.json",
    "json/counts.json",
    "info/main/workers.html",
    "individual",
)
table: dict[str, list[int]] = defaultdict(lambda: [0, 0])


def attack(name: str, function: Callable[..., Any], *args: Any) -> None:
    """Count an attack; it got through if it returned something true."""
    table[name][0] += 1
    with contextlib.suppress(Exception):
        table[name][1] += bool(function(*args))


def stranger(folder: str | None) -> ssl.SSLContext:
    """TLS that trusts everybody, with a certificate of this attacker's own run or with none."""
    from photogap.sweeps.clusters.tls import certify

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if folder is not None:
        certify(Path(folder))
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return context


def speak(address: str, context: ssl.SSLContext | None) -> Any:
    """Identity of what listens, as any Dask node gives it to who may speak with it."""

    async def ask() -> Any:
        more = {} if context is None else {"ssl_context": context}
        comm = await connect(address, timeout=SECONDS, **more)
        await comm.write({"op": "identity"})
        return await asyncio.wait_for(comm.read(), SECONDS)

    return asyncio.run(ask())


def run_code(address: str) -> Any:
    """Environment of the scheduler's process."""
    with Client(address, timeout=SECONDS, set_as_default=False) as client:
        return client.run_on_scheduler(lambda: dict(os.environ))


def get(url: str, **headers: str) -> Any:
    """Whether a page is given."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SECONDS) as answer:
        return answer.status == 200


def readable(path: str) -> Any:
    """Content of a file or a folder."""
    return os.listdir(path) if os.path.isdir(path) else Path(path).read_bytes()


def replace(folder: str) -> Any:
    """Put a module into a folder, or another folder in its place."""
    with contextlib.suppress(OSError):
        Path(folder, "yaml.py").write_text("")
        return True
    os.rename(folder, f"{folder}-aside")
    return True


def become_nobody() -> None:
    """Leave root for good; not before the start, as Python itself may lie where only root reads."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def main(given: dict[str, Any]) -> None:
    """Try all, and print the table."""
    with tempfile.TemporaryDirectory() as own:
        certificate, none = stranger(own), stranger(None)
    with contextlib.suppress(Exception):
        run_code("tcp://127.0.0.1:9")  # imports what is imported late
    become_nobody()
    attack("dask Client, plain, runs code", run_code, given["nodes"][0].replace("tls://", "tcp://"))
    for node in given["nodes"]:
        attack("plain tcp to scheduler, nannies, workers", speak, node.replace("tls://", "tcp://"), None)
        if node.startswith("tls://"):
            attack("TLS without a certificate", speak, node, none)
            attack("TLS with a certificate of another run", speak, node, certificate)
    for port in given["ports"]:
        for page in PAGES:
            attack("pages of Dask on every port", get, f"http://127.0.0.1:{port}/{page}")
    for pid in given["pids"]:
        for name in ("environ", "mem", "maps"):
            attack(
                f"read /proc/PID/{name}", lambda p: os.close(os.open(p, os.O_RDONLY)) is None, f"/proc/{pid}/{name}"
            )
    for path in given["paths"]:
        attack("read private files and folders", readable, path)
    for folder in given["imports"]:
        attack("replace what a run imports", replace, folder)
    for page in ("sweeps", "server", "openapi.json", "events"):
        url = f"{given['server']}/api/{page}"
        attack("API without a token", get, url)
        attack("API with a wrong token", lambda u: get(u, Authorization="Bearer " + 43 * "x"), url)
        attack("API with a wrong cookie", lambda u: get(u, Cookie=f"{given['cookie']}=" + 64 * "0"), url)
    print(json.dumps(table))


if __name__ == "__main__":
    main(json.load(sys.stdin))
