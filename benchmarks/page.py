"""Times and memory of the page in headless Chromium: `PYTHONPATH=tests python benchmarks/page.py [EVENTS]`.

Prints one line for each measurement: wall seconds from a choice to its picture, and the CPU seconds of the server
and this script, which hardly depend on what else the machine does. EVENTS (600) progress events are then watched,
as a sweep sends them once a second, and the heap is read after each sixth.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from support.filled import filled
from support.page import browser
from support.serving import serving

HUNDRED = {
    "F0": {"geomspace": [0.01, 5, 100]}, "T": {"linspace": [10, 60, 50]}, "tau_esc": {"geomspace": [0.02, 2, 20]},
}  # fmt: skip
MILLION = {"F0": {"geomspace": [0.01, 5, 1000]}, "T": {"linspace": [10, 60, 1000]}}
LONG = {"F0": {"geomspace": [0.01, 5, 100_000]}}
REPEATS = 11
# A watched sweep: an event stream that the script feeds, and a clock that lets each event refresh the page.
WATCH = """
let clock = Date.now();
Date.now = () => (clock += 1100);
window.EventSource = class { constructor() { window.stream = this; setTimeout(() => this.onopen && this.onopen()); }
  close() {} };
"""


HELPERS = """() => {
    window.said = (text) => document.getElementById('legend').textContent.includes(text);
    const forget = () => { document.getElementById('legend').replaceChildren(); };
    window.opened = (name) => { forget(); document.querySelector(`#sweeps button[data-name="${name}"]`).click(); };
    window.put = (id, value) => { forget(); const e = document.getElementById(id); e.value = value;
        e.dispatchEvent(new Event('change')); };
    window.slid = (value) => { document.querySelector('#curve svg').remove();
        const e = document.querySelector('#curvecontrols input[type=range]'); e.value = value;
        e.dispatchEvent(new Event('input')); };
}"""
EVENT = """(n) => fetch('/api/sweeps/hundred').then((a) => a.json()).then((s) => window.stream.onmessage(
    { data: JSON.stringify({ ...s, state: 'running', done: 1000 + n, running: 2 }) }))"""


def metrics(page: Any) -> dict[str, float]:
    """Numbers of the browser's process for the page."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    return {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}


def measure(page: Any, what: str, act: str, ready: str) -> float:
    """Seconds from an act to a condition in the page, which is looked at in each frame."""
    cpu, begin = time.process_time(), time.perf_counter()
    page.evaluate(act)
    page.wait_for_function(f"() => {ready}", polling="raf")
    wall = time.perf_counter() - begin
    cpu = time.process_time() - cpu
    print(f"{what:55} wall {wall:6.3f} s   server and script {cpu:6.3f} s", flush=True)
    return wall


def main() -> None:
    """Print the measurements."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        for name, axes in (("hundred", HUNDRED), ("million", MILLION), ("long", LONG)):
            filled(Path(folder), name, axes)
        with serving(Path(folder)) as client:
            chromium = play.chromium.launch(
                executable_path=browser(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            )
            page = chromium.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(600_000)
            page.goto(client.url)
            page.wait_for_selector("#sweeps li")
            paint, size = page.evaluate(
                """() => [performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000,
                performance.getEntriesByType('resource').reduce((s, r) => s + r.encodedBodySize, 0)]"""
            )
            print(f"{'first paint':55} wall {paint:6.3f} s   {size / 1024:.0f} KiB of files")
            page.evaluate(HELPERS)
            drawn, curve = "!!document.querySelector('#curve svg')", "document.querySelector('#curve path.line')"
            measure(page, "100,000 points: sweep opened", "opened('hundred')", f"said('ok ') && {drawn}")
            panels = "put('map-panels', 'tau_esc')"
            walls = [measure(page, "100,000 points: map, 20 panels", panels, "said('ok ')") for _ in range(REPEATS)]
            print(f"{'median':55} wall {statistics.median(walls):6.3f} s")
            curves = [f"slid({5 + at})" for at in range(REPEATS)]
            walls = [measure(page, "100,000 points: another curve", act, drawn) for act in curves]
            print(f"{'median':55} wall {statistics.median(walls):6.3f} s")
            ready = f"document.title.startsWith('long') && {curve}?.getAttribute('d').length > 5000"
            measure(page, "curve of 100,000 points", "opened('long')", ready)
            measure(page, "1,000,000 points: sweep opened", "opened('million')", "said('ok ')")
            another = "put('map-variable', 'wall_time')"
            measure(page, "1,000,000 points: map of another variable", another, "said('ok ')")
            page.close()
            watch(chromium, client, events)
            chromium.close()


def watch(chromium: Any, client: Any, events: int) -> None:
    """Heap while a sweep of 100,000 points is watched."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(600_000)
    page.add_init_script(WATCH)
    page.goto(f"{client.url}/#hundred")
    page.wait_for_selector("#curve svg")
    session = page.context.new_cdp_session(page)
    heap = []
    for number in range(events):
        with page.expect_response(lambda r: "/plane?" in r.url):
            page.evaluate(EVENT, number)
        if number % max(1, events // 6) == 0:
            session.send("HeapProfiler.collectGarbage")
            nodes = page.evaluate("document.querySelectorAll('*').length")
            heap.append(metrics(page)["JSHeapUsedSize"] / 2**20)
            print(f"watched {number:5} events: heap {heap[-1]:6.1f} MiB, {nodes} elements", flush=True)


if __name__ == "__main__":
    main()
