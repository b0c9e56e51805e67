"""The front door: what a user's script, type checker and notebook see of `import photogap`."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import photogap
from support.patience import PATIENCE

TREE = {
    "name": "front",
    "axes": {"material": ["Pb"], "F0": [0.0, 1e-6], "T": [4.0], "tau_esc": [100.0]},
    "settings": {"n_times": 3, "spacing": 0.5, "window": 60.0},
}


def python(code: str, cwd: Path, timeout: float = 600) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, timeout=timeout)


def test_every_name_exists_and_is_documented():
    for name in photogap.__all__:
        found = getattr(photogap, name)
        assert found.__doc__, name
        assert name in dir(photogap)
    assert photogap.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = photogap.nonsense


def test_stub_names_are_the_names_at_run_time():
    """The type checker's import list and the table of homes say the same."""
    text = Path(photogap.__file__).read_text()
    for name, home in photogap._HOMES.items():
        if name in photogap._MODULES:
            assert f"from .sweeps import {name} as {name}" in text
        else:
            assert f"from .{home} import {name} as {name}" in text


def test_import_is_light(tmp_path):
    done = python(
        "import sys, photogap; print(sorted({'numba', 'numpy', 'xarray', 'dask'} & set(sys.modules)))", tmp_path
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_run_of_a_tree_gives_a_cube(tmp_path):
    ds = photogap.run(TREE, tmp_path / "x.zarr", set={"axes.T": [4.0, 5.0]}, workers=0, progress=False)
    assert isinstance(ds, xr.Dataset)
    assert ds.sizes["T"] == 2
    assert (ds.status == "ok").all()
    again = photogap.open(tmp_path / "x.zarr")
    xr.testing.assert_identical(ds, again)
    same = photogap.run(TREE, tmp_path / "x.zarr", set=["axes.T=[4.0,5.0]"], workers=0, progress=False)
    np.testing.assert_array_equal(same.Delta0, ds.Delta0)


def test_run_in_a_script_without_a_main_guard(tmp_path):
    """Spawned workers must not run the user's script again."""
    script = tmp_path / "mine.py"
    script.write_text(
        "import photogap\n"
        "print('once')\n"
        f"ds = photogap.run({TREE!r}, 'x.zarr', workers=1, progress=False)\n"
        "print(sorted(set(ds.status.values.ravel().tolist())), __file__)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["once", f"['ok'] {script}"]


def test_results_are_short_and_labelled():
    state = photogap.equilibrium("Pb", T=2.0, spacing=0.5, window=60.0)
    assert len(repr(state)) < 200
    assert "<table>" in state._repr_html_()
    ds = state.to_xarray()
    assert float(ds.Tc) == pytest.approx(state.Tc)
    assert {v.attrs["units"] for v in ds.data_vars.values()} <= {"meV", "K", "1"}
    point = photogap.Point(material=photogap.material("Pb"), F0=0.0, omega_pump=1500.0, T=4.0, tau_esc=100.0)
    run = photogap.simulate(point, photogap.Settings(n_times=3, spacing=0.5, window=60.0))
    assert len(repr(run)) < 200
    assert "Delta0_peak" in run._repr_html_()
    labelled = run.to_xarray()
    assert labelled.Delta0.dims == ("time",)
    assert float(labelled.T) == 4.0
    cube = photogap.run({**TREE, "axes": TREE["axes"] | {"F0": [0.0]}}, "memory://front", workers=0, progress=False)
    np.testing.assert_array_equal(cube.Delta0.values.ravel(), labelled.Delta0.values)


def test_accessor_answers_as_the_functions_do():
    importlib.import_module("photogap.sweeps.accessor")
    ds = xr.Dataset(
        {"Delta0": (("F0", "time"), [[0.0, 0.1], [0.0, 1.0], [0.0, 1.01]], {"units": "meV"})},
        {"F0": ("F0", [0.1, 1.0, 5.0], {"units": "mJ cm^-2"}), "time": ("time", [0.0, 1.0], {"units": "ps"})},
    )
    xr.testing.assert_identical(ds.gap.saturation(), photogap.analysis.saturation_fluence(ds))
    xr.testing.assert_identical(ds.gap.threshold(0.5), photogap.analysis.threshold_fluence(ds, 0.5))
    xr.testing.assert_identical(ds.gap.duration(0.5), photogap.analysis.time_above(ds, 0.5))


USER = """
import photogap
import xarray as xr

ds: xr.Dataset = photogap.run({"name": "mine", "axes": {"material": ["Pb"]}}, workers=0)
point = photogap.Point(material=photogap.material("Pb"), F0=1.0, omega_pump=1500.0, T=4.0, tau_esc=100.0)
outcome: str = photogap.simulate(point, photogap.Settings(damping="full")).outcome.value
Tc: float = photogap.equilibrium("Pb", T=2.0).Tc
peak: xr.DataArray = photogap.analysis.peak_gap(photogap.open("mine.zarr"))
reveal_type(photogap.equilibrium("Pb", T=2.0).gap.Delta0)
photogap.Settings(damping="none")
"""


def test_a_users_type_checker_sees_real_types(tmp_path):
    """Outside the repository, with the installed package."""
    (tmp_path / "user.py").write_text(USER)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--disallow-any-expr", "--follow-imports=silent", "user.py"],
        capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if ": error:" in line or ": note:" in line]
    assert any('Revealed type is "float"' in line or 'Revealed type is "builtins.float"' in line for line in lines)
    errors = [line for line in lines if ": error:" in line]
    assert len(errors) == 1, done.stdout
    assert "damping" in errors[0]


def test_module_runs_as_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "photogap", "--version"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=PATIENCE,
    )
    assert done.stdout.startswith("photogap "), done.stderr
