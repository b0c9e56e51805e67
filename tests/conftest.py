"""What tests of several folders share: helper modules, the fake model for processes, the quick start's cube."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# A slow machine fails no test: a case may take as long as it takes.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
# Their assertions say what differs, as those of a test file do.
pytest.register_assert_rewrite("support")
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])


@pytest.fixture
def tally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Points of the fake model that were begun, by whatever process; a `Tally`, which can hold them back."""
    from support.tallies import Tally

    found = Tally(tmp_path / "tally.txt")
    monkeypatch.setenv("PHOTOGAP_TEST_TALLY", str(found.path))
    yield found
    found.open()


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Numbers of the whole quick start, computed on this machine once: what it must be wherever it runs."""
    from photogap.sweeps.ask.config import read
    from photogap.sweeps.ask.plan import resolve
    from photogap.sweeps.drive.sweep import run
    from photogap.sweeps.store.place import place
    from support.cubes import QUICKSTART, physics

    store = tmp_path_factory.mktemp("quickstart") / "local.zarr"
    report = run(resolve(read(QUICKSTART)), place(store), workers=2)
    assert (report.counts.done, report.counts.failed) == (24, 0)
    return physics(store)
