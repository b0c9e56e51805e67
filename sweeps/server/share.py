"""Fair sharing: one pool per cluster, with slots assigned to sweeps in turn.

Each sweep's `Flow` sees a `Share`, a pool like any other. A `Hub` owns the real pool and submits no more batches
than it can run at once, always from the share with the fewest running: a small sweep gets half of the pool while a
big one runs, and a single sweep gets all.
"""

import contextlib
import dataclasses
import hashlib
import importlib.util
import itertools
import queue
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..ask.config import Config
from ..clusters.spec import Spec
from ..errors import ClusterError
from ..store.place import Place
from ..work.pool import Ended, InlinePool, Opener, Pool
from ..work.task import Batch, Job

HAS_PAGES = importlib.util.find_spec("bokeh") is not None
"""Whether Dask's pages can be drawn."""
_LOOK_S = 2.0
_DRAIN_S = 20.0


class Share:
    """A sweep's part of a pool."""

    dashboard: str | None = None

    def __init__(self, hub: "Hub", pool: Pool, cap: int | None, memory: int | None) -> None:
        self._hub, self._cap = hub, cap
        self.own_process = pool.own_process
        self.memory = min(filter(None, (pool.memory, memory)), default=None)
        self._description = pool.describe()
        self.waiting: deque[tuple[int, Batch]] = deque()
        self.flying: dict[int, Batch] = {}
        self.served = 0
        self.ended: queue.SimpleQueue[Ended | BaseException] = queue.SimpleQueue()

    @property
    def pages(self) -> str | None:
        """Address of Dask's pages of the shared pool, which only the server may know."""
        return self._hub.dashboard

    @property
    def eager(self) -> bool:
        """True if it has a batch that may start."""
        return bool(self.waiting) and len(self.flying) < (self._cap or len(self.flying) + 1)

    def slots(self) -> int:
        """Slots of the pool, or the sweep's own limit if lower; other sweeps only delay a batch."""
        return min(self._hub.slots, self._cap or self._hub.slots)

    def running(self) -> int:
        """Batches submitted to the pool."""
        return len(self.flying)

    def jobs(self) -> list[Job]:
        """Points submitted to the pool."""
        return [job for batch in list(self.flying.values()) for job in batch.jobs]

    def submit(self, key: int, batch: Batch) -> None:
        """Queue a batch for its turn."""
        self._hub.enqueue(self, key, batch)

    def wait(self, timeout: float) -> list[Ended]:
        """Finished batches."""
        out: list[Ended] = []
        with contextlib.suppress(queue.Empty):
            out.append(_told(self.ended.get(timeout=timeout)))
            while True:
                out.append(_told(self.ended.get_nowait()))
        return out

    def describe(self) -> dict[str, Any]:
        """The shared pool."""
        return self._description | {"shared": True}


def _told(item: Ended | BaseException) -> Ended:
    if isinstance(item, BaseException):
        raise ClusterError(str(item)) from item
    return item


class Hub:
    """One pool, opened with its first share and closed when idle for a while.

    Args:
        opener: Opens the pool.
        config: Config of the first sweep, which names the cluster.
        workers: Workers of a local cluster.
        idle_s: Time without a share after which the pool closes.
        place: Path next to which the cluster's jobs and their logs are recorded.
        cluster: The cluster; if None, the one named in the config.
        after: The previous hub of this cluster, whose records must be complete before this one starts.
    """

    def __init__(
        self,
        opener: Opener,
        config: Config,
        workers: int | None,
        idle_s: float = 60.0,
        place: Place | None = None,
        cluster: Spec | None = None,
        after: "Hub | None" = None,
    ) -> None:
        self._opener, self._config, self._workers, self._idle_s = opener, config, workers, idle_s
        self._place, self._cluster, self._after = place, cluster, after
        self._turn = threading.Condition()
        self._shares: list[Share] = []
        self._users = 0
        self._owner: dict[int, tuple[Share, int]] = {}
        self._keys = itertools.count()
        self._clock = itertools.count(1)
        self._pool: Pool | None = None
        self._open = threading.Event()
        self._closing = False
        self.error: BaseException | None = None
        self.slots = 1
        self._idle_since = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="photogap-hub", daemon=True)
        self._thread.start()

    @property
    def dashboard(self) -> str | None:
        """Address of Dask's pages of the pool while it is open."""
        return self._pool.dashboard if self._pool and not self._closing else None

    @contextlib.contextmanager
    def share(self, cap: int | None, memory: int | None, stopped: Callable[[], str | None]) -> Iterator[Share]:
        """Part of the pool for one sweep; on exit, waits for a while for its submitted batches."""
        while not self._open.wait(0.2):
            if stopped():
                raise ClusterError("stopped before the cluster was ready. Resume the sweep to continue.")
        pool = self._pool
        if pool is None:
            raise ClusterError(f"the cluster cannot be reached: {self.error or 'it was closed'}")
        share = Share(self, pool, cap, memory)
        with self._turn:
            if self._closing:
                raise ClusterError(f"the cluster cannot be reached: {self.error or 'it was closed'}")
            self._shares.append(share)
        try:
            yield share
        finally:
            with self._turn:
                share.waiting.clear()
            end = time.monotonic() + _DRAIN_S
            # Otherwise a run that follows at once would compute a running batch again.
            while share.flying and time.monotonic() < end and self.error is None:
                with contextlib.suppress(queue.Empty):
                    share.ended.get(timeout=0.2)
            with self._turn:
                self._shares.remove(share)

    def join(self) -> bool:
        """Count a user that will request a share; False if the hub is closing and another is needed."""
        with self._turn:
            if self._closing or self.error:
                return False
            self._users += 1
            return True

    def leave(self) -> None:
        """End of `join`."""
        with self._turn:
            self._users -= 1
            self._idle_since = time.monotonic()

    def enqueue(self, share: Share, key: int, batch: Batch) -> None:
        """Accept a batch of a share."""
        with self._turn:
            share.waiting.append((key, batch))
            self._turn.notify()

    def close(self) -> None:
        """Close the pool, even if it is in use."""
        with self._turn:
            self._closing = True
            self._turn.notify()
        self._thread.join(60)

    def _given_up(self) -> str | None:
        """Reason to stop waiting for the pool's first worker."""
        with self._turn:
            idle = not self._users and time.monotonic() - self._idle_since > self._idle_s
            self._closing = self._closing or idle
            return "stopped" if self._closing else None

    def _run(self) -> None:
        if self._after:
            self._after._thread.join()
            self._after = None
        try:
            if self._given_up():
                raise ClusterError("stopped before the cluster was ready. Resume the sweep to continue.")
            with self._opener(
                self._config,
                self._workers,
                place=self._place,
                cluster=self._cluster,
                dashboard=HAS_PAGES,
                stopped=self._given_up,
            ) as pool:
                self._pool = pool
                self.slots = pool.slots()
                self._open.set()
                self._loop(pool)
        except BaseException as error:
            self.error = error
        finally:
            with self._turn:
                self._closing = True
                left = list(self._shares)
            self._open.set()
            for share in left:
                share.ended.put(self.error or ClusterError("the cluster was closed"))

    def _loop(self, pool: Pool) -> None:
        looked = time.monotonic()
        while True:
            with self._turn:
                for key, batch in self._deal(pool):
                    pool.submit(key, batch)
                flying = len(self._owner)
                if self._closing:
                    return
                if not flying:
                    idle = time.monotonic() - self._idle_since
                    if not self._users and idle > self._idle_s:
                        self._closing = True
                        return
                    self._turn.wait(0.5)
                    continue
            if time.monotonic() - looked > _LOOK_S:
                self.slots, looked = pool.slots(), time.monotonic()
            # While slots are free, a new batch must not wait for an old one to end.
            for ended in pool.wait(0.2 if flying >= self._room() else 0.02):
                self._route(ended)

    def _room(self) -> int:
        """Largest number of batches in the pool: one per slot and a few spare ones, so that no worker waits."""
        return self.slots + max(1, self.slots // 4)

    def _deal(self, pool: Pool) -> Iterator[tuple[int, Batch]]:
        while len(self._owner) < self._room():
            eager = [share for share in self._shares if share.eager]
            if not eager:
                return
            share = min(eager, key=lambda s: (len(s.flying), s.served))
            share.served = next(self._clock)
            own, batch = share.waiting.popleft()
            key = next(self._keys)
            self._owner[key] = (share, own)
            share.flying[own] = batch
            yield key, batch

    def _route(self, ended: Ended) -> None:
        with self._turn:
            share, own = self._owner.pop(ended.key)
            share.flying.pop(own, None)
        share.ended.put(dataclasses.replace(ended, key=own))


class Hubs:
    """The hub of each cluster.

    Args:
        opener: Opens a pool.
        workers: Workers of the local cluster.
        idle_s: Time without a sweep after which a pool closes.
        folder: Folder with the state of the clusters, including jobs left by a killed server.
        find: From a config's cluster to its source and its specification; raises if it is not allowed.
    """

    def __init__(
        self,
        opener: Opener,
        workers: int | None,
        idle_s: float = 60.0,
        folder: Path | None = None,
        find: Callable[[str], tuple[str, Spec | None]] = lambda text: (text, None),
    ) -> None:
        self._opener, self._workers, self._idle_s, self._folder = opener, workers, idle_s, folder
        self._find = find
        self._lock = threading.Lock()
        self._hubs: dict[str, Hub] = {}
        self._closed = False

    def opener(self, stopped: Callable[[], str | None], opened: Callable[[Share], None]) -> Opener:
        """Opener for one sweep: a share of the pool of its cluster."""

        @contextlib.contextmanager
        def share(config: Config, workers: int | None, *, in_process: bool = False, **_: Any) -> Iterator[Pool]:
            if workers == 0 or in_process:
                yield InlinePool()  # nothing is missing
                return
            hub = self._hub(config)
            try:
                with hub.share(workers, _bytes(config.limits.memory), stopped) as part:
                    opened(part)
                    yield part
            finally:
                hub.leave()

        return share

    def dashboards(self) -> list[str]:
        """Addresses of Dask's pages of the open pools."""
        with self._lock:
            hubs = list(self._hubs.values())
        return [hub.dashboard for hub in hubs if hub.dashboard]

    def _hub(self, config: Config) -> Hub:
        where, cluster = self._find(config.cluster)
        with self._lock:
            if self._closed:
                raise ClusterError("the server is stopping. Start the server again to continue.")
            hub = self._hubs.get(where)
            if hub is None or not hub.join():
                ours = where == "local" or (cluster is not None and cluster.here and cluster.own_workers is None)
                workers = self._workers if ours else None
                hub = self._hubs[where] = Hub(
                    self._opener, _of_all(config), workers, self._idle_s, self._place(where), cluster, hub
                )
                hub.join()
            return hub

    def _place(self, cluster: str) -> Place | None:
        """One folder per cluster, whichever sweep requests it."""
        if self._folder is None or cluster == "local":
            return None
        word = re.sub(r"[^A-Za-z0-9]+", "-", Path(cluster).stem)[:40]
        return Place(str(self._folder / f"cluster-{word}-{hashlib.sha256(cluster.encode()).hexdigest()[:8]}"))

    def close(self) -> None:
        """Close every pool."""
        with self._lock:
            self._closed = True
            hubs = list(self._hubs.values())
        for hub in hubs:
            hub.close()


def _of_all(config: Config) -> Config:
    """The part of a sweep's config that a shared cluster uses: the cluster, but not the sweep's own limits."""
    limits = config.limits.model_copy(update={"memory": "auto"})
    return config.model_copy(update={"limits": limits, "workers": None})


def _bytes(memory: str) -> int | None:
    if memory == "auto":
        return None
    from dask.utils import parse_bytes

    return int(parse_bytes(memory))
