"""Fixtures shared by the physics' tests."""

import sys
from pathlib import Path

import pytest

from photogap.core.material import Material
from photogap.sweeps.materials import library as materials

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def k3c60() -> Material:
    return materials.load("K3C60")


@pytest.fixture(scope="session")
def pb() -> Material:
    return materials.load("Pb")
