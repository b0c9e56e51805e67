"""Many clients that watch one sweep: each hears of progress (`benchmarks/bench_watchers.py`: how soon)."""

import contextlib
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.fake_config import tree
from support.patience import PATIENCE, until
from support.tallies import Tally

WATCHERS = 50


@pytest.mark.slow
def test_fifty_clients_receive_progress_without_growth_of_the_server(
    tmp_path: Path, start_server: Any, record_property: Any, tally: Tally
) -> None:
    server, client = start_server(tmp_path, "--workers", 1)
    process = psutil.Process(server.pid)
    late, busy = progress(client, process, "seen", tally)
    record_property("latest_s", late[-1])
    assert len(late) == WATCHERS
    for _ in range(5):
        with_many = [threading.Thread(target=lambda: list(client.watch("seen"))) for _ in range(WATCHERS)]
        for thread in with_many:
            thread.start()
        for thread in with_many:
            thread.join(PATIENCE)
    grown = process.memory_info().rss - busy
    print(f"memory grew by {grown / 2**20:.1f} MiB over {5 * WATCHERS} more watchers")
    assert grown < 30 * 2**20
    until(lambda: len(process.net_connections()) < 20)  # streams that ended are closed


def progress(client: Any, process: psutil.Process, name: str, tally: Tally) -> tuple[list[float], int]:
    """How late each of many watchers of a sweep heard of it at worst, s, sorted; the server's memory meanwhile."""
    tally.admit(len(tally()) + 1)
    client.submit(tree({"F0": {"linspace": [1, 10, 60]}, "seconds": [0.1]}, name=name))
    until(lambda: client.sweep(name)["done"] >= 1)
    late: list[float] = []
    last: list[dict[str, Any]] = []
    hearing: list[bool] = []

    def watch() -> None:
        worst, found, heard = 0.0, {}, None
        for found in client.watch(name):
            now = time.time()
            if heard is None:
                hearing.append(True)
            elif found["state"] == "running" and len(hearing) == WATCHERS:
                # How old the numbers are, and how long nothing was heard.
                worst = max(worst, now - found["at"], now - heard)
            heard = now
        late.append(worst)
        last.append(found)

    threads = [threading.Thread(target=watch) for _ in range(WATCHERS)]
    for thread in threads:
        thread.start()
    until(lambda: len(hearing) == WATCHERS)
    tally.open()
    busy = int(process.memory_info().rss)
    for thread in threads:
        thread.join(PATIENCE)
    assert len(last) == WATCHERS
    assert {(e["state"], e["done"]) for e in last} == {("done", 60)}
    return sorted(late), busy


def test_too_many_watchers_are_refused(tmp_path: Path) -> None:
    from photogap.sweeps.client import RefusedError
    from photogap.sweeps.server.options import RequestLimits
    from support.serving import serving

    with serving(tmp_path, limits=RequestLimits(watchers=1)) as client:
        client.submit(tree({"F0": {"linspace": [1, 10, 40]}, "seconds": [0.05]}, name="seen"))
        first = client.watch("seen")
        next(first)
        with pytest.raises(RefusedError, match="too many clients"):
            next(client.watch("seen"))
        assert list(first)[-1]["state"] == "done"

        def has_room() -> bool:
            with contextlib.suppress(RefusedError):
                return bool(next(client.watch("seen"))["state"] == "done")
            return False

        # The client sees the end of its stream a little before the server counts it out.
        until(has_room)
