"""Every notebook runs from a clean start, without an error, and shows pictures; its source holds no output."""

import base64
import os
import re
import shutil
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

from support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
NAMES = [
    "01_first_cube",
    "02_fluence_saturation",
    "03_populations_and_phonons",
    "04_optical_response",
    "05_phase_diagram",
    "06_bring_your_own_material",
    "07_on_a_cluster",
    "08_a_cube_from_a_colleague",
    "09_sweeps_that_decide",
]


def test_all_notebooks_exist():
    assert [path.stem for path in NOTEBOOKS] == NAMES


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of Jupyter's own packages; the notebook's kernel has its own filter
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_shows_pictures(path, tmp_path, monkeypatch):
    for name in ("notebooks", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("results"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = jupytext.read(path)
    folder = {"metadata": {"path": str(tmp_path / "notebooks")}}
    NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3", resources=folder).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.output_type == "error"]
    pictures = [out.data["image/png"] for out in outputs if "image/png" in getattr(out, "data", {})]
    keep = os.environ.get("PHOTOGAP_TEST_PICTURES")
    for i, picture in enumerate(pictures if keep else []):
        Path(keep, f"{path.stem}_{i}.png").write_bytes(base64.b64decode(picture))
    if path.stem == "04_optical_response":
        told = " ".join(out.text for out in outputs if out.output_type == "stream")
        fitted, error = map(float, re.search(r"tau_esc = ([\d.]+) \+- ([\d.]+) ps", told).groups())
        assert abs(fitted - 0.03) < 3 * error < 0.01
    assert pictures
    assert all(len(picture) > 4000 for picture in pictures)
