"""What the benchmarks share. Nothing here asserts on time: machines differ, ratios within one run do not."""

import sys
from pathlib import Path

import pytest

from photogap.core.material import Material
from photogap.sweeps.materials import library as materials

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]


@pytest.fixture(scope="session")
def k3c60() -> Material:
    """The material that the issue states its speeds for."""
    return materials.load("K3C60")


@pytest.fixture
def say(capsys):
    """Print past pytest's capture: a benchmark's numbers are its result."""

    def printer(text: str) -> None:
        with capsys.disabled():
            print(f"\n    {text}")

    return printer
