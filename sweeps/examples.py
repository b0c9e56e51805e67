"""Examples that come with the package: configs of sweeps and figures, templates of clusters, and a notebook.

They are the files of `configs/`, found by name from any folder: `photogap run fig8_fluence`.
"""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ..core.declaration import nearest
from .errors import ConfigError
from .text import load_yaml

# In a checkout next to this package's folders, in an installed package inside it.
HOUSE: Final = Path(__file__).resolve().parents[1]
CONFIGS: Final = HOUSE / "configs"
_SCHEMA_LINE = re.compile(r"# yaml-language-server: .*\n")

NOTEBOOK: Final = """\
# {title}
The sweep of `{config}`. Run all cells: missing points are computed, finished ones are kept in `{store}`.

>>>
%matplotlib inline
import photogap

ds = photogap.run("{config}", "{store}")
ds

---
Axes have labels and variables have units. The largest gap over time of each point:

>>>
ds.gap.peak().squeeze().to_dataframe()

---
The gap of each point against time:

>>>
ds.Delta0.stack(point=ds.status.dims).dropna("point", how="all").plot.line(x="time", add_legend=False)

---
Failed points are NaN; `status` and `message` give the reason.

>>>
ds.attrs["points"], ds.attrs["points_ok"], ds.attrs["points_not_ok"]
"""


@functools.cache
def names() -> tuple[str, ...]:
    """Names of the packaged configs."""
    return tuple(sorted(path.stem for path in CONFIGS.glob("*.yaml")))


def clusters() -> tuple[str, ...]:
    """Names of the packaged templates of clusters."""
    return tuple(sorted(path.stem for path in (CONFIGS / "clusters").glob("*.yaml")))


def about(name: str) -> str:
    """First sentence of a config's comment."""
    lines = []
    for line in _SCHEMA_LINE.sub("", (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")).splitlines():
        if not line.startswith("# ") or line.startswith("#   "):
            break
        lines.append(line[2:])
    return re.split(r"(?<=[a-z)\d])\. (?=[A-Z])", " ".join(lines))[0].rstrip(".")


def located(path: Path) -> Path:
    """A config's file: the path itself, else the packaged config of that name, `fig8` for `fig8_fluence`.

    Raises:
        ConfigError: There is neither such a file nor such a name.
    """
    if path.exists() or path.parent != Path() or path.suffix:
        return path
    found = [name for name in names() if name == path.name or name.startswith(f"{path.name}_")]
    if path.name in found or len(found) == 1:
        return CONFIGS / f"{min(found)}.yaml"
    remedy = f" Write one of {', '.join(found)}." if found else nearest(path.name, names())
    raise ConfigError(
        f"CONFIG must be a YAML file or the name of an example (`photogap examples`).{remedy} Got {str(path)!r}."
    )


def write(name: str, cluster: str, folder: Path) -> list[Path]:
    """Copy an example into a folder: its config with the materials it names, a cluster file, and a notebook.

    Raises:
        ConfigError: There is no such example or cluster, or a file exists; nothing has been written then.
    """
    for option, word, known in (("NAME", name, names()), ("--cluster", cluster, clusters())):
        if word not in known:
            raise ConfigError(f"`{option}` must be one of {', '.join(known)}.{nearest(word, known)} Got {word!r}.")
    found = {folder / where: text for where, text in _files(name, cluster)}
    there = [path for path in found if path.exists()]
    if there:
        raise ConfigError(
            f"`init` does not overwrite files; use another folder with --folder. Got {str(there[0])!r}."
        )
    for path, text in found.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(found)


def _files(name: str, cluster: str) -> Iterator[tuple[str, str]]:
    config = f"{name}.yaml"
    text = _copy(config)
    yield config, text.replace(f"configs/{config}", config)
    for path in dict.fromkeys(_paths(load_yaml(text, config).get("materials"))):
        yield path, _copy(path)
    yield f"{cluster}.yaml", _copy(f"clusters/{cluster}.yaml")
    title = about(name)
    yield f"{name}.ipynb", _notebook(NOTEBOOK.format(title=title, config=config, store=f"results/{name}.zarr"))


def _copy(path: str) -> str:
    """Text of a packaged file, without the line that names its schema by a path."""
    return _SCHEMA_LINE.sub("", (CONFIGS / path).read_text(encoding="utf-8"))


def _paths(materials: Any) -> Iterator[str]:
    for path in (materials or {}).values():
        if (CONFIGS / str(path)).is_file():
            yield str(path)


def _notebook(text: str) -> str:
    """Notebook (nbformat 4.5) of a text, whose cells end with `---` or, before code, with `>>>`."""
    cells: list[dict[str, Any]] = []
    parts = ["---", *re.split(r"^(>>>|---)\n", text, flags=re.MULTILINE)]
    for i, (mark, body) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        code: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
        kind = code if mark == ">>>" else {"cell_type": "markdown"}
        cells.append({**kind, "id": f"cell-{i}", "metadata": {}, "source": body.strip()})
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"
