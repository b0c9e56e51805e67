"""Fair sharing of one pool, with a pool that the test moves by hand."""

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import dask
import distributed  # noqa: F401  its defaults are part of what is compared
import pytest
from fake_config import tree

from photogap.sweeps.clusters.dask_pool import settled
from photogap.sweeps.config import parse
from photogap.sweeps.errors import ClusterError
from photogap.sweeps.pool import Ended
from photogap.sweeps.server.share import Hubs


class Hand:
    """A pool whose batches end when the test says so."""

    own_process = True
    memory = None

    def __init__(self, slots: int) -> None:
        self._slots, self.flying, self.order, self.fail = slots, [], [], None
        self.lock = threading.Lock()
        self.opened = 0

    def slots(self) -> int:
        return self._slots

    def running(self) -> int:
        return len(self.flying)

    def submit(self, key: int, batch: Any) -> None:
        with self.lock:
            self.flying.append(key)
            self.order.append(batch)

    def wait(self, timeout: float) -> list[Ended]:
        time.sleep(0.001)
        if self.fail:
            raise self.fail
        with self.lock:
            return [Ended(self.flying.pop(0))] if self.flying else []

    def describe(self) -> dict[str, Any]:
        return {"kind": "hand", "workers": self._slots}

    @contextlib.contextmanager
    def open(self, config: Any, workers: int | None, **_: Any) -> Iterator["Hand"]:
        self.opened += 1
        yield self


def work(hubs: Hubs, what: str, count: int, window: int = 9, workers: int | None = None) -> None:
    """What `Flow` does: keep a window of batches in the pool until all have ended."""
    opener = hubs.opener(lambda: None, lambda share: None)
    with opener(parse(tree()), workers) as pool:
        left, flying = count, 0
        while left or flying:
            while left and flying < window:
                pool.submit(left, what)  # type: ignore[arg-type]
                left, flying = left - 1, flying + 1
            flying -= len(pool.wait(0.2))


def test_a_small_sweep_is_not_starved_by_a_big_one() -> None:
    hand = Hand(2)
    hubs = Hubs(hand.open, None)
    big = threading.Thread(target=work, args=(hubs, "big", 300))
    big.start()
    while len(hand.order) < 50:
        time.sleep(0.001)
    begin = len(hand.order)
    work(hubs, "small", 20)
    since = Counter(hand.order[begin : len(hand.order) - 1])
    big.join(30)
    hubs.close()
    assert since["small"] >= 19
    assert since["big"] <= 1.5 * since["small"] + 5, "each gets its half"
    assert Counter(hand.order) == {"big": 300, "small": 20}
    assert hand.opened == 1, "one pool for both"


def test_a_sweep_with_few_workers_never_has_more() -> None:
    hand, most = Hand(8), [0]
    hubs = Hubs(hand.open, None)

    def look() -> None:
        while not done.is_set():
            most[0] = max(most[0], len(hand.flying))
            time.sleep(0.0005)

    done = threading.Event()
    watcher = threading.Thread(target=look)
    watcher.start()
    work(hubs, "capped", 60, workers=2)
    done.set()
    watcher.join()
    hubs.close()
    assert most[0] <= 2


def test_a_pool_that_dies_ends_its_sweeps_and_the_next_gets_another() -> None:
    hand = Hand(2)
    hubs = Hubs(hand.open, None)
    threading.Timer(0.1, lambda: setattr(hand, "fail", ClusterError("the scheduler is gone"))).start()
    with pytest.raises(ClusterError, match="the scheduler is gone"):
        work(hubs, "a", 10**6)
    hand.fail, hand.flying = None, []
    work(hubs, "b", 5)
    assert hand.opened == 2
    hubs.close()


def test_an_idle_pool_is_closed_and_opened_again() -> None:
    hand = Hand(2)
    hubs = Hubs(hand.open, None, idle_s=0.2)
    work(hubs, "a", 5)
    end = time.monotonic() + 10
    while any(hub._thread.is_alive() for hub in hubs._hubs.values()):
        assert time.monotonic() < end
        time.sleep(0.05)
    work(hubs, "b", 5)
    assert hand.opened == 2
    hubs.close()


def test_of_two_pools_the_first_to_close_leaves_dasks_settings_to_the_other() -> None:
    def state() -> tuple[Any, int]:
        tries = dask.config.get("distributed.scheduler.allowed-failures")
        return tries, logging.getLogger("distributed.core").level

    before = state()
    with contextlib.ExitStack() as second:
        with settled():
            second.enter_context(settled())
            inside = state()
        assert state() == inside == (0, logging.CRITICAL)
    assert state() == before


def test_a_pool_that_cannot_open_says_why() -> None:
    def closed(*_: Any, **__: Any) -> Any:
        raise ClusterError("no such scheduler")

    hubs = Hubs(closed, None)
    with pytest.raises(ClusterError, match="no such scheduler"):
        work(hubs, "a", 1)
    hubs.close()
