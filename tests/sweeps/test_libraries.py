"""Libraries that settings choose: in a point's identity, in the record of a run, and refused where missing."""

import sys
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import Plan, resolve
from photogap.sweeps.drive.report import status
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.errors import ClusterError, ConfigError, ContradictionError
from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.place import place
from photogap.sweeps.store.record import unlike
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
    with pytest.raises(ContradictionError, match=r"`settings.transforms` is .* in the store and 'fftw' now"):
        run(plan(transforms="fftw"), target, workers=0)


def test_a_missing_library_stops_the_run_and_fails_no_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = place(tmp_path / "a.zarr")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyfftw", None)
        with pytest.raises(
            ConfigError, match=r"^`transforms: fftw` needs pyFFTW\. Add it: pip install 'photogap\["
        ):
            run(plan(transforms="fftw"), target, workers=0)
        # as on workers elsewhere: along an axis the driver does not look
        axis = resolve(parse({"name": "x", "axes": AXES | {"transforms": ["fftw"]}, "settings": COARSE}))
        with pytest.raises(ClusterError, match=r"a worker lacks a package .*`transforms: fftw` needs pyFFTW"):
            run(axis, place(tmp_path / "b.zarr"), workers=0)
        assert status(place(tmp_path / "b.zarr"))["counts"] == {"missing": 1}
    assert status(target)["counts"] == {"missing": 1}
    assert run(plan(transforms="fftw"), target, workers=0).counts.done == 1
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyfftw", None)
        assert run(plan(transforms="fftw"), target, workers=0).counts.computed == 0, "nothing is left to compute"


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
