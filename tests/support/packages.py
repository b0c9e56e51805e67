"""Packages of the extra `test` that a folder's environment may lack."""

import importlib
import os
from typing import Any

import pytest


def needed(name: str) -> Any:
    """A module; without it the test is skipped, and fails in CI, which installs all of them."""
    return importlib.import_module(name) if os.environ.get("CI") == "true" else pytest.importorskip(name)
