"""Packaged examples: listed, found by name, copied, complete."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from typer.testing import CliRunner

import photogap
from photogap.sweeps.ask.config import read
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.main import app
from photogap.sweeps.clusters.cluster_file import find
from photogap.sweeps.errors import ConfigError
from photogap.sweeps.examples import _notebook as notebook
from photogap.sweeps.examples import about, clusters, located, names, write


def cli(*args: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in args])


def test_examples_are_listed() -> None:
    found = json.loads(cli("examples", "--json").stdout)
    assert set(found["examples"]) == set(names()) >= {"quickstart", "fig8_fluence", "headline"}
    assert all(len(text) > 20 for text in found["examples"].values())
    assert "yaml-language-server" not in about("quickstart")
    assert "quickstart" in cli("examples").stdout


@pytest.mark.parametrize("name", ["quickstart", "fig8"])
def test_example_is_read_by_its_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(name).name.startswith(name)
    coarse = ("--set", "axes.F0=[0.1]", "--set", "settings.spacing=4", "--set", "axes.tau_esc=[-1]")
    done = cli("run", name, "--dry-run", *coarse)
    assert "`axes.tau_esc`: `tau_esc` must be" in done.stderr, "the command reads it too"


def test_file_of_the_same_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quickstart").write_text(located(Path("quickstart")).read_text().replace("name: quickstart", "name: mine"))
    assert read("quickstart").name == "mine"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("quikstart", "Did you mean `quickstart`? Got 'quikstart'."),
        ("fig3", "Write one of fig3_cac6, fig3_k3c60. Got 'fig3'."),
    ],
)
def test_unknown_example(name: str, message: str) -> None:
    assert message in cli("run", name).stderr


@pytest.mark.parametrize("name", names())
def test_copy_of_an_example_is_the_same_sweep(name: str, tmp_path: Path) -> None:
    written = write(name, "pbs", tmp_path)
    copy, packaged = (resolve(read(where)) for where in (tmp_path / f"{name}.yaml", name))
    assert copy.base == packaged.base
    assert copy.material_digests == packaged.material_digests
    assert copy.grid == packaged.grid
    assert find(str(tmp_path / "pbs.yaml"))[0].kind_name() == "pbs"
    assert "$schema" not in "".join(path.read_text() for path in written)


def test_init_writes_what_it_says_and_replaces_nothing(tmp_path: Path) -> None:
    done = cli("init", "--folder", tmp_path, "--json")
    assert [Path(p).name for p in json.loads(done.stdout)["files"]] == [
        "quickstart.yaml",
        "slurm.yaml",
        "quickstart.ipynb",
    ]
    (tmp_path / "slurm.yaml").unlink()
    again = cli("init", "--folder", tmp_path)
    assert again.exit_code == 2
    assert "`init` does not overwrite files; use another folder with --folder" in again.stderr
    assert not (tmp_path / "slurm.yaml").exists()
    with pytest.raises(ConfigError, match=r"`--cluster` must be one of .* Did you mean `slurm`\? Got 'slrum'"):
        write("quickstart", "slrum", tmp_path / "other")


@pytest.mark.slow
def test_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code, in this process: a kernel would take ten times as long."""
    monkeypatch.chdir(tmp_path)
    write("quickstart", "slurm", Path())
    text = Path("quickstart.ipynb").read_text()
    found = nbformat.reads(text, as_version=4)
    nbformat.validate(found)
    small = ["axes.F0=[0.1,0.3]", "axes.damping=[full]", "settings.n_times=5"]
    photogap.run("quickstart.yaml", "results/quickstart.zarr", set=small, workers=0, progress=False)
    monkeypatch.setattr(photogap, "run", lambda config, store: photogap.open(store))
    space: dict[str, Any] = {}
    for cell in found.cells:
        if cell.cell_type == "code":
            exec(cell.source.replace("%matplotlib inline", ""), space)
    assert space["ds"].sizes["F0"] == 2


def test_cells_of_a_notebook() -> None:
    cells = json.loads(notebook("# title\ntext\n\n>>>\na = 1\n\n---\nmore\n\n>>>\na"))["cells"]
    assert [(c["cell_type"], c["source"]) for c in cells] == [
        ("markdown", "# title\ntext"),
        ("code", "a = 1"),
        ("markdown", "more"),
        ("code", "a"),
    ]


def test_every_template_of_a_cluster_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {find(name)[0].kind_name() for name in clusters()} == set(clusters())
