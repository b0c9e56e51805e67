"""Generated parts of the documentation are complete; files about the project agree."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from photogap.core.quantities import AXES, DIMS
from photogap.core.result import OUTPUTS
from photogap.sweeps.ask.config import PRESETS, parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.cli.base import PANELS
from photogap.sweeps.cli.main import app
from photogap.sweeps.figures.registry import FIGURES
from photogap.sweeps.reference.keys import sections
from photogap.sweeps.store.cube import BOOK

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_ext"))
import hosts  # noqa: E402
import pages  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def built(page: str) -> str:
    return pages.filled((DOCS / page).read_text())


def test_every_key_is_in_the_reference() -> None:
    text = built("reference/config.md") + built("reference/materials.md") + built("reference/clusters.md")
    assert "<!-- generated" not in text
    for section, keys in sections().items():
        for key in keys:
            assert f"### `{key.name}`" in text, (section, key.name)
            assert key.meaning.split(".")[0].split("`")[0].split("_")[0] in text.replace("\\", ""), (
                section,
                key.name,
            )
    for preset in PRESETS:
        assert f"| `{preset}` |" in text


@pytest.mark.parametrize("page", sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md")))
def test_targets_of_keys_and_variables_exist(page: str) -> None:
    everything = "".join(built(f"reference/{name}.md") for name in ("config", "materials", "clusters", "cube"))
    text = built(page)
    for target in re.findall(r"\(#((?:key|variable)-[\w-]+)\)", text):
        assert f"({target})=" in everything or f"{{#{target}}}" in everything, target


def test_targets_of_keys_are_unique() -> None:
    text = "".join(built(f"reference/{name}.md") for name in ("config", "materials", "clusters"))
    targets = re.findall(r"^\((key-[\w-]+)\)=$", text, re.MULTILINE)
    assert len(targets) == len(set(targets)) > 150


def test_every_command_and_option_is_in_the_reference() -> None:
    text = built("reference/commands.md").replace("\\", "")
    root: Any = typer.main.get_command(app)
    assert {name for names in PANELS.values() for name in names} == set(root.commands)
    for name, command in root.commands.items():
        for sub, found in getattr(command, "commands", {"": command}).items():
            assert f"### `photogap {name}{f' {sub}' if sub else ''}`" in text
            for parameter in found.params:
                shown = parameter.param_type_name == "option" and not parameter.hidden
                for option in parameter.opts if shown else ():
                    assert option == "--help" or f"`{option}`" in text, (name, option)


def test_every_variable_is_in_the_reference() -> None:
    text = built("reference/cube.md").replace("\\", "")
    for group in OUTPUTS:
        for variable in group.variables:
            (row,) = re.findall(rf"^\| \[\]{{#variable-{variable.name}}}.*$", text, re.MULTILINE)
            assert variable.long_name in row
    for name in (*AXES, *DIMS, *BOOK):
        assert f"| `{name}` |" in text


def test_every_figure_is_in_the_gallery_with_a_small_picture() -> None:
    text = built("gallery.md")
    for name, row in FIGURES.items():
        assert f"--figure {name}" in text
        assert pages.picture(name).stat().st_size < 130_000, name
        assert pages.picture(name).read_bytes().startswith(b"\x89PNG"), name
        sweep = yaml.safe_load((ROOT / "configs" / f"{row.config}.yaml").read_text())
        assert set(row.at) <= set(sweep["axes"]), name


def test_every_public_name_is_in_the_reference() -> None:
    import photogap

    text = built("reference/api.md") + built("reference/core.md")
    assert all(f"photogap.{name}\n" in text for name in photogap.__all__ if name not in photogap._MODULES)
    assert all(f"automodule:: {module}\n" in text for module in pages.CORE)


def test_configs_on_the_page_of_sweeps_resolve() -> None:
    tried = 0
    for block in re.findall(r"```yaml\n(.*?)```", (DOCS / "sweeps.md").read_text(), re.DOTALL):
        for part in [block] if "axes:\n" in block else block.splitlines():
            tree = {"axes": {"material": ["K3C60"], "F0": [0.1, 1], "T": [30, 60], "tau_esc": [0.02]}, "name": "x"}
            tree |= yaml.safe_load(part) or {}
            tree["refine"] = tree.get("refine")
            if "axes" in (tree.get("full") or {}) or part.startswith(("full", "  axes")):
                continue
            resolve(parse(tree))
            tried += 1
    assert tried >= 5


def test_links_lead_to_pages_and_downloads() -> None:
    page = "[a](../REPRODUCTION.md#x), [core/lattice.py](../core/lattice.py), [t](../tests/test_site.py)"
    module, test = "{py:mod}`core/lattice.py <photogap.core.lattice>`", "{download}`t <../tests/test_site.py>`"
    assert pages.relinked(page) == f"[a](/reproduction.md#x), {module}, {test}"
    assert "](docs/" not in pages.page("README.md")


def test_files_about_the_project_agree() -> None:
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    meta = json.loads((ROOT / "codemeta.json").read_text())
    assert cff["version"] == meta["version"] == PROJECT["version"]
    assert cff["license"] == PROJECT["license"] == meta["license"].rpartition("/")[2]
    assert meta["description"] == PROJECT["description"]
    assert cff["keywords"] == meta["keywords"] == PROJECT["keywords"]
    assert [a["name"] for a in cff["authors"]] == [a["name"] for a in PROJECT["authors"]]


def test_forms_and_workflows_parse_and_run_what_exists() -> None:
    for path in (ROOT / ".github").rglob("*.yml"):
        assert yaml.safe_load(path.read_text()), path
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert (ROOT / ".ci" / "run").is_file()
    targets = re.findall(r"make (\w+)", " ".join(steps))
    assert targets == ["docs"]
    assert re.search(r"^docs:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["id"] for hook in hooks] == ["ruff", "ruff-format", "schema"]


def test_every_page_is_in_a_table_of_contents() -> None:
    listed: set[Path] = {DOCS / "index.md"}
    for page in DOCS.rglob("*.md"):
        for block in re.findall(r"```{toctree}\n(.*?)```", page.read_text(), re.DOTALL):
            names = re.findall(r"^(?:.*<)?([\w/]+)>?$", block, re.MULTILINE)
            listed |= {page.parent / f"{name}.md" for name in names}
            notebooks = {name.partition("/")[2] for name in names if name.startswith("notebooks/")}
            assert not notebooks or notebooks == {path.stem for path in (ROOT / "notebooks").glob("*.py")}
    assert set(DOCS.rglob("*.md")) - listed == set()


PAGE = """<html><head><link rel="stylesheet" href="_static/a.css"><link rel="canonical" href="https://x.org/">
<script src="_static/a.js"></script>{}</head><body><a href="https://arxiv.org">paper</a>
<p>src="https://cdn.org/x.js"</p><img src="data:image/png;base64,AA"></body></html>"""


@pytest.mark.parametrize(
    "tag",
    [
        '<script crossorigin="anonymous" src="https://cdn.org/x"></script>',
        '<link href="//cdn.org/x" rel="stylesheet">',
        '<img alt="x" src="http://cdn.org/x">',
        '<iframe src="https://cdn.org/x"></iframe>',
        "<style>@import 'https://cdn.org/x';</style>",
        '<p style="background: url(https://cdn.org/x)">',
    ],
)
def test_addresses_of_other_hosts_are_found(tag: str, tmp_path: Path) -> None:
    """The build fails on them (`own_host_only`); links are not loaded."""
    assert hosts.loaded(PAGE.format("")) == []
    assert [a.rpartition("//")[2] for a in hosts.loaded(PAGE.format(tag))] == ["cdn.org/x"]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "p.html").write_text(PAGE.format(tag))
    (tmp_path / "s.css").write_text("p {background: url(x.png)} @import url('https://cdn.org/y');")
    assert [p.name for p, _ in hosts.of_site(tmp_path)] == ["p.html", "s.css"]


def test_the_site_loads_no_scripts_for_widgets() -> None:
    """They would come from two other hosts."""
    assert re.search(r"^nb_ipywidgets_js\b.*= {}$", (DOCS / "conf.py").read_text(), re.MULTILINE)


def test_the_pages_need_no_sphinx() -> None:
    code = f"import sys; sys.path.insert(0, {str(DOCS / '_ext')!r}); import pages; print('sphinx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_conda_recipe_has_every_dependency() -> None:
    text = (ROOT / "packaging" / "conda" / "meta.yaml").read_text()
    other = {"dask": "dask-core", "matplotlib": "matplotlib-base"}
    wanted = set()
    for requirement in PROJECT["dependencies"]:
        found = re.fullmatch(r"([\w.-]+)([<>=].*)", requirement)
        assert found is not None
        wanted.add(f"{other.get(found[1], found[1])} {found[2]}")
    run = text.partition("  run:\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"- (.+)", run)) - {"python >={{ python_min }}"} == wanted
    assert f'version = "{PROJECT["version"]}"' in text
