"""Pools, counts and processes for tests of the service."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from support.buckets import amazon, bucket, credentials, google, s3
from support.fake_config import tree

__all__ = ["amazon", "bucket", "credentials", "google", "s3"]


@pytest.fixture(scope="session")
def two_workers() -> Iterator[Any]:
    """One pool of two workers for all tests that need no fault."""
    from photogap.sweeps.ask.config import parse
    from photogap.sweeps.clusters.open import open_pool

    with open_pool(parse(tree()), 2) as pool:
        yield pool


@pytest.fixture
def shared_pool(two_workers: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the service use the session's pool instead of starting its own."""
    from photogap.sweeps.drive import sweep as service
    from photogap.sweeps.work.pool import InlinePool, Pool

    @contextmanager
    def opened(config: Any, workers: int | None, *, in_process: bool = False, **_: Any) -> Iterator[Pool]:
        yield InlinePool() if in_process or workers == 0 else two_workers

    opener: Callable[..., AbstractContextManager[Pool]] = opened
    monkeypatch.setattr(service, "open_pool", opener)
    return two_workers


@pytest.fixture
def photogap() -> Callable[..., subprocess.Popen[str]]:
    """Start the command line as a process of its own."""

    def start(*args: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "photogap.sweeps.cli", *map(str, args)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
