"""Memory of server and page while a sweep of 100,000 points is watched.

`PYTHONPATH=tests:benchmarks python benchmarks/page_hour.py [MINUTES]`

A `photogap serve` process computes the last points of the sweep, one every few seconds; a page in headless Chromium
shows it, with its own event stream and clock, and is left alone. Each minute prints the points that have ended, the
memory of the server and of the page's process, the page's heap after a collection, its elements, and the server's
CPU time. Playwright would keep a copy of each answer in the process of the page, so Chromium is asked directly,
once a minute.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from page import HUNDRED
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.client import Client
from support.fake_config import tree
from support.filled import filled
from support.page import browser
from support.serving import FAKE

PAUSE_S = 5.0
"""Duration of a point."""
TESTS = Path(__file__).parent.parent / "tests"
READ = """JSON.stringify([document.getElementById('numbers').textContent, document.querySelectorAll('*').length,
    !!document.querySelector('#curve svg')])"""


def main() -> None:
    """Serve, watch, print."""
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        prepare(Path(folder), 2 * int(minutes * 60 / PAUSE_S))
        with subprocess.Popen(
            [sys.executable, "-m", "photogap.sweeps.cli", "serve", folder, "--port", "0", "--workers", "1",
             "--model", FAKE, "--no-token"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {"PYTHONPATH": str(TESTS), "PHOTOGAP_TEST_SECONDS": str(PAUSE_S)},
        ) as server:  # fmt: skip
            try:
                assert server.stdout is not None
                found = re.search(r"(https?://\S+?)/?\s*$", server.stdout.readline())
                assert found
                client = Client(found[1])
                client.submit(tree(HUNDRED, name="hundred", limits={"points": 10**6}), confirm_points=100_000)
                watch(f"{client.url}/#hundred", Path(profile), psutil.Process(server.pid), minutes)
            finally:
                server.terminate()


def prepare(folder: Path, left: int) -> None:
    """A cube of 100,000 points, of which some are missing."""
    cube = filled(folder, "hundred", HUNDRED)
    plan = resolve(parse(tree(HUNDRED, name="hundred", limits={"points": 10**7})))
    ids = [plan.point_id(cube.grid.labels(where)) for where in np.ndindex(cube.grid.shape)]
    status = cube.status()
    cube.array("point_id")[...] = np.array(ids, dtype=object).reshape(status.shape)
    np.ravel(status)[-left:] = "missing"
    cube.array("status")[...] = status


def watch(url: str, profile: Path, server: psutil.Process, minutes: int) -> None:
    """Print a line a minute."""
    with subprocess.Popen(
        [str(browser()), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--remote-debugging-port=0", f"--user-data-dir={profile}", "--window-size=1400,900", url],
        stderr=subprocess.DEVNULL,
    ) as chromium:  # fmt: skip
        try:
            port = profile / "DevToolsActivePort"
            while not port.exists():
                time.sleep(0.1)
            time.sleep(20)  # the page is drawn
            begin = time.monotonic()
            for minute in range(minutes + 1):
                time.sleep(max(0.0, begin + 60 * minute - time.monotonic()))
                numbers, nodes, drawn, heap, wrong = IOLoop().run_sync(
                    lambda: read(int(port.read_text().split()[0]))
                )
                print(
                    f"{minute:3} min  {numbers[:44]:44}  server {server.memory_info().rss / 2**20:6.1f} MiB "
                    f"{sum(server.cpu_times()[:2]):6.1f} s CPU  page process {rss_of_page(chromium.pid):6.1f} MiB  "
                    f"heap {heap:5.2f} MiB  {nodes} elements  {'drawn' if drawn else 'EMPTY'}  {wrong} errors",
                    flush=True,
                )
        finally:
            chromium.terminate()


async def read(port: int) -> tuple[str, int, bool, float, int]:
    """Numbers that the page shows, its elements, whether it has a curve, heap after a collection, MiB, errors."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
        (page,) = [p for p in json.load(answer) if p["type"] == "page"]
    line = await websocket_connect(page["webSocketDebuggerUrl"])
    wrong = 0
    answers = []
    asked: list[tuple[str, dict[str, Any]]] = [
        ("Log.enable", {}), ("HeapProfiler.collectGarbage", {}), ("Performance.enable", {}),
        ("Performance.getMetrics", {}), ("Runtime.evaluate", {"expression": READ}),
    ]  # fmt: skip
    for number, (method, params) in enumerate(asked):
        await line.write_message(json.dumps({"id": number, "method": method, "params": params}))
        while (found := json.loads(str(await line.read_message()))).get("id") != number:
            entry = found.get("params", {}).get("entry", {})
            wrong += entry.get("level") == "error"
        answers.append(found["result"])
    line.close()
    heap = next(m["value"] for m in answers[3]["metrics"] if m["name"] == "JSHeapUsedSize")
    numbers, nodes, drawn = json.loads(answers[4]["result"]["value"])
    return numbers, nodes, drawn, heap / 2**20, wrong


def rss_of_page(pid: int) -> float:
    """Memory of Chromium's largest process that holds a page, MiB."""
    own = psutil.Process(pid).children(recursive=True)
    return max(p.memory_info().rss for p in own if "--type=renderer" in p.cmdline()) / 2**20


if __name__ == "__main__":
    main()
