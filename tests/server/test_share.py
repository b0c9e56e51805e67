"""Fair sharing of one pool, with a pool that the test moves by hand."""

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import dask
import distributed  # noqa: F401  its defaults are part of what is compared
import pytest

from photogap.sweeps.ask.config import parse
from photogap.sweeps.clusters.dask_pool import settled
from photogap.sweeps.errors import ClusterError
from photogap.sweeps.server.share import Hubs
from photogap.sweeps.work.pool import Ended
from support.fake_config import tree
from support.patience import PATIENCE, until


class Hand:
    """A pool whose batches end when the test says so."""

    own_process = True
    memory = None

    def __init__(self, slots: int) -> None:
        self._slots, self.flying, self.order, self.fail = slots, [], [], None
        self.lock = threading.Lock()
        self.opened = self.open_now = self.most_open = 0
        self.story = ""
        self.may_close = threading.Event()
        self.may_close.set()

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
            if not self.flying:
                return []
            return [Ended(self.flying.pop(0), lost=bool(self.story), story=self.story, innocent=bool(self.story))]

    def describe(self) -> dict[str, Any]:
        return {"kind": "hand", "workers": self._slots}

    @contextlib.contextmanager
    def open(self, config: Any, workers: int | None, **_: Any) -> Iterator["Hand"]:
        self.opened, self.open_now = self.opened + 1, self.open_now + 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            yield self
        finally:
            self.may_close.wait(PATIENCE)
            self.open_now -= 1


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
    big = threading.Thread(target=work, args=(hubs, "big", 600))
    big.start()
    until(lambda: len(hand.order) > 50)
    # All at once: what is dealt hangs on the hub then, not on how soon this thread runs again.
    work(hubs, "small", 20, window=20)
    big.join(PATIENCE)
    hubs.close()
    (first, *_, last) = (i for i, name in enumerate(hand.order) if name == "small")
    assert Counter(hand.order[first : last + 1])["big"] <= 1.5 * 20 + 5, "each gets its half"
    assert Counter(hand.order) == {"big": 600, "small": 20}
    assert hand.opened == 1, "one pool for both"


def test_sweep_never_exceeds_its_workers() -> None:
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


def test_dead_pool_ends_its_sweeps_and_the_next_gets_a_new_one() -> None:
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
    until(lambda: not any(hub._thread.is_alive() for hub in hubs._hubs.values()))
    work(hubs, "b", 5)
    assert hand.opened == 2
    hubs.close()


def test_pool_opens_after_the_previous_one_has_closed() -> None:
    """Both note their jobs in one file, and the one that closes removes it."""
    hand = Hand(2)
    hubs = Hubs(hand.open, None, idle_s=0.05)
    hand.may_close.clear()
    work(hubs, "a", 5)
    (first,) = hubs._hubs.values()
    until(lambda: first._closing)
    late = threading.Thread(target=work, args=(hubs, "b", 5))
    late.start()
    until(lambda: first not in hubs._hubs.values())
    time.sleep(0.1)
    assert hand.opened == 1
    hand.may_close.set()
    late.join(PATIENCE)
    hubs.close()
    assert (hand.opened, hand.most_open, Counter(hand.order)) == (2, 1, {"a": 5, "b": 5})


def test_batch_systems_reason_for_a_lost_batch_reaches_its_sweep() -> None:
    hand = Hand(2)
    hand.story = "job 7 PREEMPTED"
    hubs = Hubs(hand.open, None)
    with hubs.opener(lambda: None, lambda share: None)(parse(tree()), None) as pool:
        pool.submit(5, "a")  # type: ignore[arg-type]
        (ended,) = pool.wait(PATIENCE)
    hubs.close()
    assert (ended.key, ended.lost, ended.story, ended.innocent) == (5, True, "job 7 PREEMPTED", True)


def test_joining_a_dead_pool_raises() -> None:
    hand = Hand(2)
    hubs = Hubs(hand.open, None)
    hub = hubs._hub(parse(tree()))
    hub._open.wait(PATIENCE)
    hand.fail = ClusterError("the scheduler is gone")
    with hub._turn:  # something is flying, so that the pool is waited for
        hub._owner[-1] = (None, -1)  # type: ignore[assignment]
        hub._turn.notify()
    hub._thread.join(PATIENCE)
    with pytest.raises(ClusterError, match="the scheduler is gone"), hub.share(None, None, lambda: None):
        pass
    hubs.close()
    with pytest.raises(ClusterError, match="the server is stopping"):
        work(hubs, "late", 1)


def test_stopping_server_abandons_a_pool_without_workers() -> None:
    given_up = []

    @contextlib.contextmanager
    def waiting(*_: Any, stopped: Callable[[], str | None], **__: Any) -> Iterator[Any]:
        until(stopped)
        given_up.append(True)
        raise ClusterError("stopped while waiting for the first worker")
        yield

    hubs = Hubs(waiting, None)
    hub = hubs._hub(parse(tree()))
    assert not given_up
    hubs.close()
    assert given_up
    assert not hub._thread.is_alive()


def test_first_of_two_pools_to_close_keeps_dasks_settings() -> None:
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


def test_pool_that_cannot_open_gives_the_reason() -> None:
    def closed(*_: Any, **__: Any) -> Any:
        raise ClusterError("no such scheduler")

    hubs = Hubs(closed, None)
    with pytest.raises(ClusterError, match="no such scheduler"):
        work(hubs, "a", 1)
    hubs.close()
