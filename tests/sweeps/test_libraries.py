"""Libraries that settings choose: in a point's identity, in the record of a run, and refused where missing."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import Plan, resolve
from photogap.sweeps.drive.numerical_error import converge
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import Watch, replay, retry, run
from photogap.sweeps.errors import ClusterError, ConfigError, ContradictionError
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.place import place
from photogap.sweeps.store.record import unlike
from photogap.sweeps.work.pool import InlinePool
from support.packages import needed

pyfftw = needed("pyfftw")
AXES: dict[str, Any] = {"material": ["K3C60"], "F0": [0.0], "omega_pump": 170, "T": [30], "tau_esc": [0.02]}
COARSE: dict[str, Any] = {"spacing": 2.0, "n_times": 2, "t_start": -0.3, "t_stop": 0.0}


def plan(**settings: Any) -> Plan:
    return resolve(parse({"name": "x", "axes": AXES, "settings": COARSE | settings}))


def test_the_record_names_library_and_versions(tmp_path: Path) -> None:
    target = place(tmp_path / "a.zarr")
    assert run(plan(transforms="fftw"), target, workers=0).counts.done == 1
    record = Cube(target, read_only=True).record
    assert record["config"]["settings"]["transforms"] == "fftw"
    (entry,) = record["runs"]
    assert entry["versions"]["pyfftw"] == pyfftw.__version__
    assert entry["versions"]["fftw"] == pyfftw.fftw_version


def test_points_of_both_libraries_do_not_mix(tmp_path: Path) -> None:
    """In one cube only along an axis; the default leaves identities as they were."""
    labels = plan().grid.labels((0,) * len(plan().grid.axes))
    numpy, stated, fftw = (p.point_id(labels) for p in (plan(), plan(transforms="numpy"), plan(transforms="fftw")))
    assert numpy == stated != fftw
    target = place(tmp_path / "a.zarr")
    run(plan(), target, workers=0)
    with pytest.raises(ContradictionError, match=r"`settings.transforms` is 'numpy' in the store and 'fftw' now"):
        run(plan(transforms="fftw"), target, workers=0)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Context in which pyFFTW is missing."""

    @contextlib.contextmanager
    def missing() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "pyfftw", None)
            yield

    return missing


NEEDS = r"^`transforms: fftw` needs pyFFTW\. Add it: pip install 'photogap\[fftw\]'"
REFINE = {"axis": "F0", "variable": "Delta0_peak", "tolerance": 1e-3, "budget": 3}


def along(*names: str, **more: Any) -> Plan:
    return resolve(parse({"name": "x", "axes": AXES | {"transforms": list(names)}, "settings": COARSE} | more))


def test_the_record_names_the_libraries_of_an_axis(tmp_path: Path) -> None:
    target = place(tmp_path / "a.zarr")
    run(along("numpy", "fftw"), target, workers=0)
    (entry,) = Cube(target, read_only=True).record["runs"]
    assert entry["versions"]["fftw"] == pyfftw.fftw_version


def test_a_missing_library_stops_the_run_and_fails_no_point(tmp_path: Path, without: Callable[[], Any]) -> None:
    target = place(tmp_path / "a.zarr")
    with without(), pytest.raises(ConfigError, match=NEEDS):
        run(plan(transforms="fftw"), target, workers=0)
    assert status(target)["counts"] == {"missing": 1}
    assert run(plan(transforms="fftw"), target, workers=0).counts.done == 1
    with without():
        assert run(plan(transforms="fftw"), target, workers=0).counts.computed == 0, "nothing is left to compute"


def test_a_library_missing_along_an_axis_stops_the_run(tmp_path: Path, without: Callable[[], Any]) -> None:
    """Before the first point, also of the other library; points that are there need none."""
    target = place(tmp_path / "a.zarr")
    zipped = {"axes": AXES | {"F0": [0.0, 0.1], "transforms": ["numpy", "fftw"]}, "zip": [["F0", "transforms"]]}
    refined = {"axes": AXES | {"F0": [0.1, 0.2], "transforms": ["fftw"]}, "refine": REFINE}
    for sweep in (along("numpy", "fftw"), along("numpy", **zipped), along("fftw", **refined)):
        with without(), pytest.raises(ConfigError, match=NEEDS):
            run(sweep, target, workers=2, recompute=True)
        assert set(status(target)["counts"]) == {"missing"}
    run(along("fftw"), target, workers=0, recompute=True)
    with without():
        assert run(along("numpy", "fftw"), target, workers=0).counts.computed == 1


def test_a_worker_without_a_library_ends_the_run(tmp_path: Path, without: Callable[[], Any]) -> None:
    """Workers elsewhere may have what the driver lacks, or lack what it has."""
    target = place(tmp_path / "b.zarr")
    watch = Watch(pool=lambda *_, **__: contextlib.nullcontext(InlinePool()))
    message = r"a worker lacks a package .*`transforms: fftw` needs pyFFTW"
    with without(), pytest.raises(ClusterError, match=message):
        run(along("fftw"), target, watch=watch)
    assert status(target)["counts"] == {"missing": 1}


def test_a_retry_without_a_library_keeps_the_reasons(tmp_path: Path, without: Callable[[], Any]) -> None:
    target = place(tmp_path / "a.zarr")
    failing = resolve(
        parse({"name": "x", "axes": AXES, "settings": COARSE | {"transforms": "fftw"}, "limits": {"time_s": 1e-3}})
    )
    assert run(failing, target, workers=0).counts.failed == 1
    with without(), pytest.raises(ConfigError, match=NEEDS):
        retry(target, workers=0)
    assert status(target)["counts"] == {"timeout": 1}


def test_single_points_without_a_library_are_refused(tmp_path: Path, without: Callable[[], Any]) -> None:
    target = place(tmp_path / "a.zarr")
    sweep = along("numpy", "fftw")
    run(sweep, target, workers=0)
    with without():
        with pytest.raises(ConfigError, match=NEEDS):
            replay(target, "transforms=fftw")
        with pytest.raises(ConfigError, match=NEEDS):
            converge(sweep, sweep.grid.labels((0, 0, 0, 0, 0, 1)))
        record, _ = replay(target, "transforms=numpy")
    assert record["status"] == "ok"


def test_other_libraries_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"`settings.transforms`: .*must be one of numpy, fftw.* Got 'mkl'"):
        plan(transforms="mkl")


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"numpy": "2"}, {"numpy": "2", "pyfftw": "1"}, []),
        ({"numpy": "2", "pyfftw": "1"}, {"numpy": "2", "pyfftw": None}, []),
        ({"numpy": "2", "pyfftw": "1"}, {"numpy": "2", "pyfftw": "2"}, ["pyfftw"]),
        ({"numpy": "2"}, {"numpy": None}, ["numpy"]),
        ({"numpy": "2"}, {}, ["numpy"]),
    ],
)
def test_workers_may_lack_an_optional_package(ours: Any, theirs: Any, expected: list[str]) -> None:
    """If the points need it, the worker says so."""
    assert unlike(ours, theirs) == expected
