"""Sweeps in buckets on loopback that answer late, wrongly or not at all."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import yaml
from typer.testing import CliRunner

from photogap.sweeps.ask.config import read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.drive import flow
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import Watch, run
from photogap.sweeps.drive.verify import verify
from photogap.sweeps.errors import BusyError, StoreError
from photogap.sweeps.store import buckets, lock
from photogap.sweeps.store.blobs import ObjectBlobs
from photogap.sweeps.store.place import Place, place
from support.buckets import proxy
from support.cubes import QUICKSTART, physics
from support.driving import go, plan_of
from support.fake_config import tree
from support.gateway import gateway
from support.patience import PATIENCE
from support.store_suite import StoreSuite

AXES = {"F0": {"geomspace": [0.01, 10, 6]}, "damping": ["full", "real"]}
FEW = {"F0": [1.0, 2.0, 3.0, 4.0]}
pytestmark = [pytest.mark.real, pytest.mark.slow]


class TestAmazon(StoreSuite):
    @pytest.fixture
    def target(self, amazon: str, tmp_path: Path) -> Place:
        return place(f"{amazon}/{tmp_path.name}.zarr")


class TestGoogle(StoreSuite):
    @pytest.fixture
    def target(self, google: str, tmp_path: Path) -> Place:
        return place(f"{google}/{tmp_path.name}.zarr")


def compare(url: str, path: Path) -> None:
    xr.testing.assert_identical(physics(place(url).zarr()), physics(path))


def test_sweeps_with_two_workers_equal_the_local_ones(bucket: str, tmp_path: Path) -> None:
    target, wider = place(f"{bucket}/two.zarr"), plan_of(AXES | {"T": [30, 60]})
    report = run(plan_of(AXES), target, workers=2)
    assert (report.counts.done, report.counts.computed) == (12, 12)
    assert run(plan_of(AXES), target).counts.computed == 0
    assert run(wider, target, workers=0).counts.computed == 12
    run(wider, place(tmp_path / "local.zarr"), workers=0)
    compare(target.url, tmp_path / "local.zarr")
    assert status(target)["counts"] == {"ok": 24}
    assert list(target.blobs.keys()) == ["root"]
    assert run(wider, target, workers=0, recompute=True).counts.computed == 24
    compare(target.url, tmp_path / "local.zarr")


def test_quick_start_in_a_bucket_equals_the_local_one(
    s3: int, credentials: Callable[[int], None], quickstart: xr.Dataset
) -> None:
    credentials(s3)
    target = place("s3://sweeps/quickstart.zarr")
    report = run(resolve(read(QUICKSTART)), target, workers=2)
    assert (report.counts.computed, report.counts.failed) == (24, 0)
    xr.testing.assert_identical(physics(target.zarr()), quickstart)
    assert list(target.blobs.keys()) == ["root"]


def test_suspended_driver_writes_nothing_after_losing_the_store(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.lock.RENEW_S", 0.01)
    monkeypatch.setattr("photogap.sweeps.drive.sweep._LOOK_S", 0.0)
    credentials(s3)
    target = place("s3://sweeps/slept.zarr")
    theirs = b'{"host": "elsewhere", "pid": 1, "at": 0, "token": "theirs"}'
    seen: list[dict[str, bytes | None]] = []

    def objects() -> dict[str, bytes | None]:
        keys = list(target.objects.keys())
        return {key: target.objects.get(key) for key in keys}

    def taken() -> None:
        target.blobs.put("driver", theirs)
        seen.append(objects())

    with pytest.raises(BusyError, match="process 1 on elsewhere already drives"):
        run(plan_of(AXES), target, workers=0, watch=Watch(stopped=taken))
    assert objects() == seen[-1]
    assert list(target.blobs.keys("parts/")), "what ended is in parts"
    assert target.blobs.get("driver") == theirs
    target.blobs.delete(["driver"])
    assert run(plan_of(AXES), target, workers=0).counts.done == 12


SLEPT = [
    ("_seen", 2, "Delta0/c/"),
    ("_put_if", 1, "Delta0/c/"),
    ("_put_if", 1, "status/c/"),
    ("_put_if", 2, "status/c/"),
    ("_put_if", 2, "zarr.json"),
]
"""Before the look at an object's version, or between the check of the claim and the request that writes it."""


@pytest.mark.parametrize(("step", "number", "name"), SLEPT)
def test_a_driver_that_slept_in_a_request_puts_back_no_old_data(
    s3: int,
    credentials: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    step: str,
    number: int,
    name: str,
) -> None:
    """While it sleeps before its first or second write of an object, another driver completes the sweep."""
    monkeypatch.setattr(flow, "PACK_S", 0.0)
    monkeypatch.setattr(lock, "RENEW_S", 1e6)
    monkeypatch.setattr(lock, "WATCH_S", 0.0)
    monkeypatch.setattr(lock.fcntl, "flock", lambda file, how: None)
    credentials(s3)
    go(tmp_path, "calm.zarr", FEW)
    target = place(f"s3://sweeps/{step}{number}{name[0]}.zarr")
    real, times, seen = getattr(ObjectBlobs, step), [0], []

    def objects() -> dict[str, bytes | None]:
        keys = list(target.objects.keys())
        return {key: target.objects.get(key) for key in keys}

    def slept(self: ObjectBlobs, *args: Any) -> Any:
        if self.url == target.url and any(str(a).startswith(name) for a in args):
            times[0] += 1
            if times[0] == number and not seen:
                seen.append({})
                assert run(plan_of(FEW), target, workers=0).counts.done == 4
                seen[0] = objects()
        return real(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectBlobs, step, slept)
        with pytest.raises((BusyError, StoreError), match=r"already drives|at the same time"):
            run(plan_of(FEW), target, workers=0)
    assert len(seen) == 1, "it slept"
    assert objects() == seen[0]
    assert verify(target)["problems"] == []
    compare(target.url, tmp_path / "calm.zarr")


def test_unreliable_store_is_retried(s3: int, credentials: Callable[[int], None], tmp_path: Path) -> None:
    with proxy(s3, lambda n, method: n % 9 == 3) as port:
        credentials(port)
        target = place("s3://sweeps/flaky.zarr")
        assert run(plan_of(AXES), target, workers=0).counts.done == 12
        go(tmp_path, "local.zarr", AXES)
        compare(target.url, tmp_path / "local.zarr")


def test_unreachable_store_ends_the_run_and_resumes(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.buckets.PATIENCE_S", 1.5)
    away = threading.Event()
    with proxy(s3, lambda n, method: away.is_set() and method == "PUT") as port:
        credentials(port)
        target = place("s3://sweeps/away.zarr")
        assert run(plan_of({"F0": [0.01]}), target, workers=0).counts.done == 1
        away.set()
        with pytest.raises(StoreError, match=r"s3://sweeps/away.zarr does not answer: http\S+ answers 500") as told:
            run(plan_of({"F0": [0.01, 1.0]}), target, workers=0)
        assert "\n" not in str(told.value)
        away.clear()
        assert run(plan_of({"F0": [0.01, 1.0]}), target, workers=0).counts.done == 2


def test_run_survives_an_absent_gateway(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("photogap.sweeps.store.buckets.PATIENCE_S", 60.0)
    away = threading.Event()
    with proxy(s3, lambda n, method: away.is_set()) as port:
        credentials(port)
        target = place("s3://sweeps/gateway.zarr")
        begun: list[threading.Timer] = []

        def turn(counts: Any) -> None:
            if counts.done >= 4 and not begun:
                away.set()
                begun.append(threading.Timer(5.0, away.clear))
                begun[0].start()

        assert run(plan_of(AXES), target, workers=0, watch=Watch(tell=turn)).counts.done == 12
        assert begun
        go(tmp_path, "local.zarr", AXES)
        compare(target.url, tmp_path / "local.zarr")


def test_a_run_outlives_connections_that_are_reset(
    s3: int, credentials: Callable[[int], None], tmp_path: Path
) -> None:
    """Half of them, before a request is whole, between it and its answer, and during an answer."""
    with gateway(s3) as way:
        credentials(way.port)
        target = place("s3://sweeps/reset.zarr")
        way.risk = 0.5
        way.turn("flaky")
        assert run(plan_of(AXES), target, workers=0).counts.done == 12
        assert way.faults > 10
        way.turn("open")
        go(tmp_path, "local.zarr", AXES)
        compare(target.url, tmp_path / "local.zarr")


def test_a_run_whose_gateway_stays_away_is_patient_once(
    s3: int, credentials: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end writes to the store too: that does not wait anew, request by request."""
    monkeypatch.setattr(buckets, "PATIENCE_S", 2.0)
    monkeypatch.setattr(buckets, "_LOOK_S", 0.5)
    asked: list[float] = []
    plain = buckets._opened

    def opened(url: str, seconds: float) -> Any:
        asked.append(seconds)
        return plain(url, seconds)

    with gateway(s3) as way:
        credentials(way.port)
        target = place("s3://sweeps/stays-away.zarr")

        def turn(counts: Any) -> None:
            if counts.done >= 4 and way.mode == "open":
                way.turn("away")
                monkeypatch.setattr(buckets, "_opened", opened)

        with pytest.raises(StoreError, match=r"does not answer: .*Finished points are kept") as told:
            run(plan_of(AXES), target, workers=0, watch=Watch(tell=turn))
        assert "\n" not in str(told.value)
        ended = len(asked) - 1 - asked[::-1].index(2.0)
        assert asked[ended + 1 :], "what follows is asked as a look is"
        way.turn("open")
        monkeypatch.setattr(buckets, "_opened", plain)
        assert run(plan_of(AXES), target, workers=0).counts.done == 12


COMMANDS = (
    ("run", "CONFIG", "--workers", "0", "--store"),
    ("status",),
    ("plot",),
    ("show",),
    ("retry", "--failed"),
    ("replay", "T=30"),
    ("cancel",),
    ("verify", "--repair"),
    ("converge", "T=30"),
    ("movie", "--at", "T=30"),
)
WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "no credentials": ({"AWS_ACCESS_KEY_ID": None}, "needs credentials: set AWS_ACCESS_KEY_ID"),
    "dead endpoint": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "no connection to http://127.0.0.1:9"),
    "no such bucket": (
        {},
        "cannot be used: there is no such bucket as 'absent'. Create it first, or correct `--store`.",
    ),
    "wrong key": ({}, "cannot be used: "),
    "503": ({}, "answers 503"),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_commands_report_any_store_error_in_one_line(
    s3: int,
    credentials: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: tuple[str, ...],
    how: str,
) -> None:
    silent = how in ("dead endpoint", "503")
    monkeypatch.setattr("photogap.sweeps.store.buckets._LOOK_S", 0.6 if silent else PATIENCE)
    change, message = WRONG[how]
    codes = {"wrong key": (403, "SignatureDoesNotMatch"), "503": (503, "")}
    with proxy(s3, lambda n, method: how in codes, codes.get(how, (500, ""))) as port:
        credentials(port)
        for name, value in change.items():
            monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
        config = tmp_path / "c.yaml"
        config.write_text(yaml.safe_dump(tree()))
        words = [str(config) if word == "CONFIG" else word for word in command]
        url = f"s3://{'absent' if how == 'no such bucket' else 'sweeps'}/{how.replace(' ', '')}.zarr"
        at = len(words) if words[0] == "run" else 1
        told = CliRunner().invoke(app, [*words[:at], url, *words[at:]])
    assert told.exit_code in (2, 5), told.output
    assert told.exception is None or isinstance(told.exception, SystemExit)
    lines = [line for line in told.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, told.stderr
    assert message in lines[0]
