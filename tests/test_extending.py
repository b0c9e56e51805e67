"""The examples of docs/extending.md, executed where the page says that they belong."""

import dataclasses
import importlib
import re
import sys
import types
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import xarray as xr

import photogap
from photogap.core import processes, result, series
from photogap.core import settings as settings_module
from photogap.core.declaration import declarations
from photogap.core.settings import Point, Settings
from photogap.core.simulate import simulate
from photogap.core.terms.escape import Pinning
from photogap.sweeps import figures
from photogap.sweeps.clusters import kinds
from photogap.sweeps.materials import formats, spectra
from photogap.sweeps.materials.library import load

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "extending.md").read_text()
BLOCKS: dict[str, str] = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
COARSE: dict[str, Any] = {"spacing": 2.0, "n_times": 3, "t_stop": 0.3}
CLUSTER: dict[str, Any] = {"jobs": 1, "cores": 1, "memory": "1GB", "walltime": "00:10:00"}


def executed(path: str, package: str) -> dict[str, Any]:
    """Names of an example, executed as a module of `package`."""
    module = types.ModuleType(f"{package}.example")
    module.__package__ = package
    exec(compile(BLOCKS[path], path, "exec"), vars(module))
    return vars(module)


def value(path: str) -> Any:
    """A row of the page, evaluated among the names of the module to which it belongs."""
    home = importlib.import_module("photogap." + path.removesuffix(".py").replace("/", "."))
    return eval(BLOCKS[path], dict(vars(home)))


def with_fields(**fields: Any) -> Any:
    """Settings with further fields."""
    made = [(name, kind, field) for name, (kind, field) in fields.items()]
    return dataclasses.make_dataclass("Extended", made, bases=(Settings,), frozen=True, kw_only=True)


def tau_trap() -> tuple[Any, Any]:
    names = dict(vars(settings_module))
    exec(BLOCKS["core/settings.py"], names)
    return float, names["tau_trap"]


@pytest.fixture
def point() -> Point:
    return Point(material=load("K3C60"), F0=0.5, omega_pump=170.0, T=30.0, tau_esc=0.02)


def test_the_setting_checks_and_describes_itself() -> None:
    extended = with_fields(tau_trap=tau_trap())
    found = declarations(extended)["tau_trap"]
    assert (found.unit, found.later) == ("ps", True)
    with pytest.raises(ValueError, match=r"`tau_trap` must be positive, in ps; use \.inf for none\. Got -1\.0"):
        extended(tau_trap=-1.0)


def test_the_process_acts_and_its_ledger_closes(point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    trapping = executed("core/terms/trapping.py", "photogap.core.terms")["Trapping"]
    order = [*(p for p in processes.IN_A_SLAB if p is not Pinning), trapping, Pinning]
    monkeypatch.setattr(processes, "IN_A_SLAB", tuple(order))
    extended = with_fields(tau_trap=tau_trap())
    free, trapped = (simulate(point, extended(tau_trap=tau, **COARSE)).data for tau in (np.inf, 0.05))
    assert trapped["U_qp"][-1] < 0.5 * free["U_qp"][-1]
    assert trapped["U_escaped"][-1] > free["U_escaped"][-1]
    # as small as without traps: the energy that they take is in the ledger
    assert trapped["ledger_error"] < 3 * free["ledger_error"]


def test_the_output_is_switched_on_by_its_setting(point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result, "OUTPUTS", (*result.OUTPUTS, value("core/result.py")))
    extended = with_fields(record_density=(bool, dataclasses.field(default=False)))
    off, on = extended(**COARSE), extended(record_density=True, **COARSE)
    assert {v.name for v in result.variables(on)} - {v.name for v in result.variables(off)} == {"n_qp"}
    lines = re.search(r"`core/series.py`:\n\n```python\n(.*?)```", TEXT, re.DOTALL)
    assert lines is not None
    plain = series._slab_series

    def extended_series(samples: Any, film: Any, point: Point, settings: Any) -> dict[str, Any]:
        names = {"np": np, "settings": settings, "samples": samples, "data": plain(samples, film, point, settings)}
        exec(lines[1], names)
        return names["data"]

    monkeypatch.setattr(series, "_slab_series", extended_series)
    assert "n_qp" not in simulate(point, off).data
    density = simulate(point, on).data["n_qp"]
    assert 0 < density[0] < density[-1]


def test_the_format_is_recognised_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = value("sweeps/materials/formats.py")
    monkeypatch.setitem(formats.FORMATS, row.name, row)
    THz = np.linspace(0.1, 2.0, 20)
    path = tmp_path / "a.dat"
    path.write_text("# mycode: alpha2F\n" + "\n".join(f"{x} {0.3 * x * (x < 1.95)}" for x in THz))
    # h times 1 THz, in meV
    assert spectra.read(path).omega[-1] == pytest.approx(2.0 * 4.135667696)


def test_the_cluster_kind_is_the_one_that_is_tested_as_a_plugin() -> None:
    assert BLOCKS["photogap_lsf.py"] == (ROOT / "tests" / "clusters" / "plugins" / "photogap_lsf.py").read_text()


def test_the_cluster_kind_fits_into_the_package_with_a_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from photogap.sweeps.clusters.cluster_file import parse

    kind = executed("photogap_lsf.py", "photogap.sweeps.clusters.kinds")["Lsf"]
    own = kinds._own() | {kind.kind_name(): kind}
    monkeypatch.setattr(kinds, "_own", lambda: own)
    assert parse(CLUSTER | {"kind": "lsf"}, "f.yaml").kind_name() == "lsf"
    system = kinds.system_named("lsf")
    assert system is not None
    assert system.walltime(600) == "00:10"


def test_the_typed_accessor_and_the_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = re.findall(r"```python\n(import photogap\n.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    exec(text, names)
    ds = names["ds"]
    assert isinstance(names["peak"], xr.DataArray)
    xr.testing.assert_identical(names["peak"], ds.gap.peak())
    assert isinstance(ds.gap, photogap.Gap)
    matplotlib.use("Agg")
    drawing = executed("sweeps/figures/energies.py", "photogap.sweeps.figures")["energy_balance"]
    example = types.SimpleNamespace(energy_balance=drawing)
    monkeypatch.setitem(sys.modules, "photogap.sweeps.figures.energies", example)
    monkeypatch.setitem(figures.FIGURES, "energies", value("sweeps/figures/registry.py"))
    (ax,) = ds.gap.plot("energies").axes
    drawn = [np.asarray(line.get_ydata()) for line in ax.lines]
    for name in ("U_qp", "U_ph", "U_escaped"):
        assert any(np.array_equal(line, ds[name].squeeze()) for line in drawn)
