"""No test hangs on how busy the machine is: each waits with `PATIENCE`, and none compares wall times."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CLOCKS = {"perf_counter", "process_time", "thread_time", "monotonic"}
WAITS = {"join", "wait", "result", "communicate", "set_default_timeout", "wait_procs"}
MAY_LOOK = {
    "support/patience.py": "waits",
    "support/serving.py": "waits",
    "server/test_sweeps_over_http.py": "waits",
    "support/daemons.py": "waits, or gives up cleaning",
    "support/ensemble.py": "reports CPU time",
    "sweeps/test_generated_configs.py": "bounds work by CPU time",
    "sweeps/test_packing.py": "kills runs within the time that one takes, and passes whatever that is",
}
"""Files that may read a clock, and why."""


def number(node: ast.expr) -> float:
    found = node.value if isinstance(node, ast.Constant) else None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else 0.0


def haste(tree: ast.AST, name: str) -> Iterator[str]:
    """Places where a test would give up on a slow machine, or look at a clock."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = method or getattr(node.func, "id", "")
            given = [k.value for k in node.keywords if k.arg == "timeout"] + (node.args if method in WAITS else [])
            # Below 1 s a test means to give up: `Client(url, timeout=0.1)` is not to be answered.
            if any(number(arg) >= 1 for arg in given) or (called in CLOCKS and name not in MAY_LOOK):
                yield f"{name}:{node.lineno}"


def test_no_test_gives_up_on_a_slow_machine() -> None:
    files = [path for path in TESTS.rglob("*.py") if path != Path(__file__)]
    places = [haste(ast.parse(path.read_text()), path.relative_to(TESTS).as_posix()) for path in files]
    assert [place for found in places for place in found] == []


@pytest.mark.parametrize("text", ["p.wait(60)", "run(x, timeout=60)", "time.perf_counter()", "f.result(timeout=5)"])
def test_timing_assertions_are_detected(text: str) -> None:
    assert list(haste(ast.parse(text), "a.py")) == ["a.py:1"]
