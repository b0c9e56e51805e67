"""Fixtures shared by the physics' tests."""

import pytest

from photogap.core.material import Material
from photogap.sweeps.materials import library as materials


@pytest.fixture(scope="session")
def k3c60() -> Material:
    return materials.load("K3C60")


@pytest.fixture(scope="session")
def pb() -> Material:
    return materials.load("Pb")
