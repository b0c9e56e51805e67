"""Contract of `Blobs`: a class of tests that each implementation inherits."""

import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photogap.sweeps.store.blobs import Blobs

KEYS = st.sampled_from(["root", "a", "parts/x", "parts/y", "parts/deep/z", "partsy/x"])
DATA = st.binary(max_size=3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, DATA),
        st.tuples(st.just("create"), KEYS, DATA),
        st.tuples(st.just("swap"), KEYS, DATA),
        st.tuples(st.just("delete"), st.lists(KEYS, max_size=3), st.none()),
        st.tuples(st.just("look"), KEYS, st.none()),
        st.tuples(st.just("keys"), st.sampled_from(["", "parts/", "parts", "parts/deep/", "none/"]), st.none()),
    ),
    max_size=12,
)


UNHEALTHY = (HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow)
"""The fixture is cleared at each case, and each implementation is an executor of its own."""


def step(blobs: Blobs, oracle: dict[str, bytes], what: str, key: Any, data: Any) -> None:
    """One call of an implementation, and what a dictionary says it does."""
    if what == "put":
        blobs.put(key, data)
        oracle[key] = data
    elif what == "create":
        written = blobs.create(key, data)
        assert written == (key not in oracle) or oracle.get(key) == data
        oracle.setdefault(key, data)
    elif what == "swap":
        held = blobs.look(key)
        assert (held is not None) == (key in oracle)
        if held:
            assert blobs.swap(key, held[1], data)
            oracle[key] = data
    elif what == "delete":
        blobs.delete(key)
        for each in key:
            oracle.pop(each, None)
    elif what == "look":
        assert (blobs.look(key) or (None,))[0] == blobs.get(key) == oracle.get(key)
        assert blobs.exists(key) == (key in oracle)
    else:
        folder = key.rstrip("/") + "/" if key else ""
        assert sorted(blobs.keys(key)) == sorted(k for k in oracle if k.startswith(folder))


def contents(blobs: Blobs) -> dict[str, bytes | None]:
    return {key: blobs.get(key) for key in list(blobs.keys())}


class BlobsSuite:
    """Inherit it, and give a fixture `blobs` without objects."""

    @pytest.fixture
    def blobs(self) -> Blobs:
        raise NotImplementedError

    @settings(max_examples=25, suppress_health_check=UNHEALTHY)
    @given(steps=STEPS)
    def test_any_sequence_of_calls_acts_as_on_a_dictionary(self, blobs: Blobs, steps: Any) -> None:
        blobs.delete(list(blobs.keys()))
        oracle: dict[str, bytes] = {}
        for each in steps:
            step(blobs, oracle, *each)
        assert contents(blobs) == oracle

    def test_keys_of_all_depths_are_listed_once(self, blobs: Blobs) -> None:
        keys = {"parts/a", "parts/b/c", "parts/b/d/e", "partsy/f", "g"}
        for key in keys:
            blobs.put(key, key.encode())
        assert sorted(blobs.keys()) == sorted(keys)
        assert (
            sorted(blobs.keys("parts/")) == sorted(blobs.keys("parts")) == ["parts/a", "parts/b/c", "parts/b/d/e"]
        )
        assert list(blobs.keys("part")) == list(blobs.keys("none/")) == list(blobs.keys("g/")) == []

    def test_a_folder_is_no_object(self, blobs: Blobs) -> None:
        blobs.put("parts/a", b"1")
        assert (blobs.exists("parts"), blobs.get("parts"), blobs.look("parts")) == (False, None, None)
        blobs.delete(["parts"])
        assert not blobs.swap("parts", blobs.look("parts/a")[1], b"2")  # type: ignore[index]
        blobs.renew("parts", blobs.look("parts/a")[1], b"2")  # type: ignore[index]
        assert contents(blobs) == {"parts/a": b"1"}

    def test_nothing_is_below_an_object(self, blobs: Blobs) -> None:
        blobs.put("a", b"1")
        assert (blobs.exists("a/b"), blobs.get("a/b"), blobs.look("a/b")) == (False, None, None)
        blobs.delete(["a/b"])
        assert list(blobs.keys()) == ["a"]

    def test_absent_objects_do_not_stop_the_deletion_of_others(self, blobs: Blobs) -> None:
        for key in ("parts/a", "parts/b", "parts/c"):
            blobs.put(key, key.encode())
        blobs.delete(key for key in ["parts/0", "parts/a", "parts/1", "parts/b", "parts/2"])
        assert list(blobs.keys()) == ["parts/c"]
        blobs.delete([])

    def test_swap_writes_over_the_version_seen_and_no_other(self, blobs: Blobs) -> None:
        blobs.put("key", b"1")
        first = blobs.look("key")[1]  # type: ignore[index]
        assert blobs.swap("key", first, b"2")
        assert not blobs.swap("key", first, b"3")
        assert blobs.get("key") == b"2"
        assert not blobs.swap("absent", first, b"3")
        assert list(blobs.keys()) == ["key"]

    def test_a_refused_swap_keeps_the_version_too(self, blobs: Blobs) -> None:
        blobs.put("key", b"1")
        first = blobs.look("key")
        blobs.put("key", b"2")
        second = blobs.look("key")
        assert first is not None
        assert first != second
        assert not blobs.swap("key", first[1], b"3")
        assert blobs.look("key") == second

    def test_renew_changes_the_version_and_not_what_it_is(self, blobs: Blobs) -> None:
        blobs.put("key", b"1")
        for n in range(5):
            seen = blobs.look("key")
            assert seen is not None
            blobs.renew("key", seen[1], f"1 at {n}".encode())
            renewed = blobs.look("key")
            assert renewed is not None
            assert renewed[1] != seen[1]
            assert renewed[0] in (seen[0], f"1 at {n}".encode())

    def test_renew_leaves_anothers_object_and_its_version(self, blobs: Blobs) -> None:
        blobs.put("key", b"mine")
        mine = blobs.look("key")
        blobs.put("key", b"theirs")
        theirs = blobs.look("key")
        assert mine is not None
        blobs.renew("key", mine[1], b"mine again")
        assert blobs.look("key") == theirs
        blobs.delete(["key"])
        blobs.renew("key", mine[1], b"mine again")
        assert not blobs.exists("key")

    def test_one_of_many_creates_and_one_of_many_swaps(self, blobs: Blobs) -> None:
        # A bucket's version is a hash: the data of the two races must differ.
        def race(word: bytes, act: Any) -> list[bytes]:
            won: list[bytes] = []
            start = threading.Barrier(6)

            def enter(n: int) -> None:
                start.wait()
                if act(data := word + f"{n}".encode() * 1000):
                    won.append(data)

            threads = [threading.Thread(target=enter, args=(n,)) for n in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return won

        assert race(b"new", lambda data: blobs.create("key", data)) == [blobs.get("key")]
        seen = blobs.look("key")[1]  # type: ignore[index]
        assert race(b"next", lambda data: blobs.swap("key", seen, data)) == [blobs.get("key")]

    def test_a_reader_sees_whole_objects_only(self, blobs: Blobs) -> None:
        sizes, end, torn = 100_000, threading.Event(), []

        def read() -> None:
            while not end.is_set():
                data = blobs.get("key")
                if data is not None and (len(data) != sizes or len(set(data)) != 1):
                    torn.append(data)

        thread = threading.Thread(target=read)
        thread.start()
        try:
            for n in range(8):
                blobs.put("key", bytes([n]) * sizes)
                blobs.delete(["key"])
                assert blobs.create("key", bytes([n + 8]) * sizes)
        finally:
            end.set()
            thread.join()
        assert not torn
