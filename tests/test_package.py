"""The package as a whole: what it imports, what the wheel holds, what its examples print."""

import doctest
import importlib
import pickle
import pkgutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import photogap.core
import photogap.sweeps
from photogap.sweeps.materials.library import load
from support.patience import PATIENCE

ROOT = Path(__file__).parent.parent


def run(code, **kwargs):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, **kwargs)


def test_core_is_pure():
    """Importing every module of the physics loads no Dask, Zarr, xarray or command line (numba loads yaml)."""
    code = """
import importlib, pkgutil, sys
import photogap.core
for module in pkgutil.walk_packages(photogap.core.__path__, "photogap.core."):
    importlib.import_module(module.name)
foreign = {"dask", "distributed", "zarr", "xarray", "pandas", "pydantic", "typer", "matplotlib"}
print(sorted(foreign & set(sys.modules)), [m for m in sys.modules if m.startswith("photogap.sweeps")])
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[] []"


def test_a_worker_imports_little_for_a_point(tmp_path):
    """No reader of stores or of files: some tenths of a second in each process."""
    code = """
import pickle
import sys
import photogap.sweeps.work.run
from photogap.sweeps.model import DEFAULT, resolve
model, material = resolve(DEFAULT), pickle.load(open(sys.argv[1], "rb"))
point = model.point(material=material, F0=0.1, omega_pump=170.0, T=30.0, tau_esc=0.02)
print(model.simulate(point, model.settings(spacing=2.0, t_stop=0.0)).outcome.value)
spared = {"zarr", "xarray", "pandas", "obstore", "scipy.signal", "pydantic", "ruamel.yaml", "pyfftw"}
print(sorted(spared & set(sys.modules)))
"""
    (tmp_path / "material").write_bytes(pickle.dumps(load("K3C60")))
    command = [sys.executable, "-c", code, tmp_path / "material"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["ok", "[]"]


WORKS = """
import sys
import photogap
from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.clusters.open import open_pool
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.store.place import place
from support.fake_config import tree

HEAVY = {"bokeh", "PIL", "matplotlib", "holoviews", "panel"}


def loaded():
    return sorted(HEAVY & set(sys.modules))


if __name__ == "__main__":
    config = parse(tree())
    report = run(resolve(config), place(sys.argv[1]), workers=0)
    with open_pool(config, 1) as pool:
        print(report.counts.done, loaded(), *pool._client.run(loaded).values())
"""


@pytest.mark.slow
def test_neither_a_run_nor_its_workers_load_bokeh_or_pillow(tmp_path):
    """Pictures and Dask's dashboard load them, once one is asked for."""
    (tmp_path / "works.py").write_text(WORKS)
    command = [sys.executable, tmp_path / "works.py", tmp_path / "a.zarr"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path)
    assert done.stdout.splitlines()[-1:] == ["3 [] []"], done.stderr


@pytest.mark.parametrize("package", ["core", "sweeps"])
def test_a_bare_import_is_refused(package):
    """It would make a second copy of every class."""
    done = run(f"import {package}", cwd=ROOT)
    assert done.returncode != 0
    assert f"import this package as `photogap.{package}`" in done.stderr


def tracked():
    """Files of the source: those of git, else (in an unpacked sdist) all but caches and environments."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and (ROOT / ".git").exists():
        return [ROOT / name for name in filter(None, listed.stdout.split("\0"))]
    made = ("__pycache__", "build", "results")
    return [
        p
        for p in ROOT.rglob("*")
        if (p.is_symlink() or p.is_file())
        and not any(part.startswith(".") or part in made for part in p.relative_to(ROOT).parts)
    ]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    out = tmp_path_factory.mktemp("source")
    for path in tracked():
        target = out / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(path.readlink())
        elif path.is_file():
            target.write_bytes(path.read_bytes())
    return out


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    # pip, and not the wheel's builder alone: what a user's `pip install .` does
    quiet = ("--quiet", "--no-deps", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *quiet, "-w", out, source], check=True, timeout=PATIENCE)
    return next(out.glob("*.whl"))


@pytest.mark.slow
def test_sdist_holds_one_copy_of_everything(source, tmp_path):
    """Its wheel and its tests are those of the repository: links stay links."""
    subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "-o", tmp_path, source],
        check=True,
        timeout=PATIENCE,
        capture_output=True,
    )
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        members = {m.name.partition("/")[2]: m for m in archive.getmembers()}
    for name in ("core", "sweeps", "configs"):
        assert members[f"src/photogap/{name}"].linkname == f"../../{name}"
    files = {name for name, m in members.items() if not m.isdir()}
    made = {name for name in files if ".egg-info/" in name or name in ("PKG-INFO", "setup.cfg")}
    hidden = {".gitignore", ".pre-commit-config.yaml"}
    wanted = {str(p.relative_to(ROOT)) for p in tracked()}
    assert {name for name in wanted - files - hidden if not name.startswith((".github/", ".ci/"))} == set()
    assert files - wanted - made == set()


def test_wheel_holds_every_module(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    for package in ("core", "sweeps"):
        for path in (ROOT / package).rglob("*.py"):
            assert f"photogap/{path.relative_to(ROOT)}" in held, path
    for path in (ROOT / "core" / "data").rglob("*.yaml"):
        assert f"photogap/{path.relative_to(ROOT)}" in held
    for path in (ROOT / "configs").rglob("*.*"):
        assert f"photogap/{path.relative_to(ROOT)}" in held


def test_wheel_works(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import photogap.core.equilibrium as e
from photogap.sweeps.materials.library import load
assert e.__file__.startswith(sys.argv[1]), e.__file__
print(round(e.solve_equilibrium(load("Pb"), 2.0).Tc, 2))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path
    )
    assert done.stdout.strip() == "8.0", done.stderr


def modules():
    for package in (photogap.core, photogap.sweeps):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            yield module.name


@pytest.mark.parametrize("name", sorted(modules()))
def test_examples_in_docstrings(name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert not failed


def test_no_module_is_too_long():
    long = {p: n for p in ROOT.glob("[cs]*/**/*.py") if (n := len(p.read_text().splitlines())) > 500}
    assert not long
