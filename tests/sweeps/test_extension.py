"""Models and outputs of one's own, as docs/extending.md shows them."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import photogap
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.extension import Output, with_outputs
from photogap.sweeps.model import resolve
from photogap.sweeps.solver import MODEL
from support import fake_model
from support.patience import PATIENCE

DOCS = Path(__file__).parents[2] / "docs" / "extending.md"


def test_plugin_of_the_docs_from_a_wheel(tmp_path):
    """The page's ten lines, built and installed, are swept by name in a process that finds the entry point."""
    blocks = dict(
        re.findall(r"```(?:python|toml)\n# (condensate\.py|pyproject\.toml)\n(.*?)```", DOCS.read_text(), re.DOTALL)
    )
    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    for name, text in blocks.items():
        (source / name).write_text(text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(site), str(source)], check=True, timeout=PATIENCE, capture_output=True)
    code = """
import numpy as np, photogap
axes = {"material": ["Pb"], "F0": [1e-6], "T": [4.0], "tau_esc": [100.0]}
tree = {"name": "mine", "model": "condensate", "axes": axes}
settings = {"n_times": 3, "spacing": 0.5, "window": 60.0}
ds = photogap.run(tree | {"settings": settings}, "x.zarr", workers=1, progress=False)
N0 = photogap.material("Pb").N0
np.testing.assert_allclose(ds.U_cond, 0.5 * N0 * ds.Delta0**2)
print(ds.U_cond.attrs["units"], dict(ds.U_cond.sizes)["time"], ds.attrs["source"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"meV nm^-3 3 condensate {MODEL.version}+1"), done.stdout


def test_unknown_plugin_error_lists_the_installed_ones():
    with pytest.raises(ConfigError, match=r"Got 'nonsense' \(no module and no plug-in"):
        resolve("nonsense")


def output(name: str, *needs: str) -> Output:
    return Output(name=name, dims=(), units="1", long_name=name, compute=lambda p, s, d: np.array(1.0), needs=needs)


def test_output_is_off_without_its_inputs():
    model = with_outputs(MODEL, output("mine", "f"), name="mine", version="1")
    off, on = photogap.Settings(), photogap.Settings(energies=(1.0,))
    assert "mine" not in {v.name for v in model.variables(off)}
    assert "mine" in {v.name for v in model.variables(on)}


def test_names_that_are_taken_are_refused():
    with pytest.raises(ValueError, match="`name` must differ"):
        with_outputs(MODEL, output("mine"), name=MODEL.name, version="1")
    with pytest.raises(ValueError, match=r"distinct names\. Got 'mine' twice"):
        with_outputs(MODEL, output("mine"), output("mine"), name="mine", version="1")
    clash = with_outputs(MODEL, output("Delta0"), name="mine", version="1")
    with pytest.raises(ValueError, match=r"must not reuse a name of the model\. Got 'Delta0'"):
        clash.variables(photogap.Settings())


def test_a_failed_point_stays_failed():
    model = with_outputs(fake_model.MODEL, output("mine"), name="mine", version="1")
    point = fake_model.Point(material=fake_model.FILMS["A"], F0=1.0, omega_pump=170.0, T=30.0, tau_esc=0.02)
    settings = fake_model.Settings()
    assert model.simulate(point, settings).data["mine"] == 1.0
