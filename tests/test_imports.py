"""Imports between modules of photogap, function-level and TYPE_CHECKING ones included: no circle, no arrow up."""

import ast
import graphlib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {"core": "photogap.core", "sweeps": "photogap.sweeps", "src/photogap": "photogap"}

FLOORS = (
    {"core"},
    {"sweeps", "errors", "status", "numbers"},
    {"files", "text", "private"},
    {"model", "client", "examples"},
    {"ask", "extension"},
    {"materials", "results"},
    {"store", "solver", "precompile"},
    {"work", "analysis"},
    {"clusters", "figures"},
    {"drive", "accessor", "reference", "screen"},
    {"front", "reproduction", "server"},
    {"notebook", "cli"},
    {"photogap"},
)
"""Rooms from the ground up: a folder or module of `sweeps`, `core`, or the front door.

A module may import from its own room and from lower floors.
"""

Graph = dict[str, set[str]]


class Module(NamedTuple):
    """Source of a module, and whether it is a package's `__init__`."""

    source: str
    package: bool


def modules() -> dict[str, Module]:
    """All modules of the project by their dotted names."""
    found = {}
    for folder, name in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.py"):
            parts = [name, *path.relative_to(ROOT / folder).with_suffix("").parts]
            package = parts[-1] == "__init__"
            found[".".join(parts[:-1] if package else parts)] = Module(path.read_text(encoding="utf-8"), package)
    return found


def graph_of(held: dict[str, Module]) -> Graph:
    """Modules that each module imports, anywhere in its source."""
    return {name: imported(name, held) - {name} for name in held}


def imported(name: str, held: dict[str, Module]) -> set[str]:
    out: set[str] = set()
    for node in ast.walk(ast.parse(held[name].source)):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = origin(name, held[name].package, node)
            # `from . import x` names a module; `from .x import y` a name in one
            out |= {whole if (whole := f"{base}.{alias.name}") in held else base for alias in node.names}
        elif isinstance(node, ast.Attribute) and node.attr in ("iter_modules", "walk_packages"):
            # a package that finds its modules by a scan imports all of them
            out |= {other for other in held if other.startswith(f"{name}.")}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            out |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return out & set(held)


def origin(name: str, package: bool, node: ast.ImportFrom) -> str:
    """Dotted name of the module after `from`."""
    if not node.level:
        return node.module or ""
    here = name.split(".") if package else name.split(".")[:-1]
    here = here[: len(here) - node.level + 1]
    return ".".join([*here, *([node.module] if node.module else [])])


def circle_in(graph: Graph) -> list[str]:
    """Modules of one circle, each imported by the one before it or after it; empty if there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def room_of(name: str) -> str:
    parts = name.split(".")
    if parts[:2] == ["photogap", "core"]:
        return "core"
    if parts[:2] == ["photogap", "sweeps"]:
        return parts[2] if len(parts) > 2 else "sweeps"
    return "photogap"


def arrows_up(graph: Graph) -> list[str]:
    """Imports of a module from another room of the same floor or a higher one."""
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    pairs = ((a, b) for a in graph for b in graph[a] if room_of(a) != room_of(b))
    return sorted(f"{a} imports {b}" for a, b in pairs if floor[room_of(b)] >= floor[room_of(a)])


@pytest.fixture(scope="module")
def graph() -> Graph:
    return graph_of(modules())


def test_no_import_circle(graph: Graph) -> None:
    assert circle_in(graph) == []


def test_every_room_has_a_floor(graph: Graph) -> None:
    listed = [room for rooms in FLOORS for room in rooms]
    assert sorted(listed) == sorted({room_of(name) for name in graph}), "add a new room to FLOORS, drop an old one"


def test_rooms_import_from_lower_floors(graph: Graph) -> None:
    assert arrows_up(graph) == []


def test_core_imports_only_core(graph: Graph) -> None:
    assert {room_of(b) for a in graph if room_of(a) == "core" for b in graph[a]} == {"core"}


SHARED = {"equilibrium", "escape", "gap", "inference", "keys", "optics", "recovery", "spectra"}
"""Subjects with a module in several rooms: the physics in `core`, its command, its figures, its analysis."""


def test_a_module_name_means_one_thing() -> None:
    names = [name.rsplit(".", 1)[1] for name, held in modules().items() if not held.package and "__" not in name]
    assert sorted({n for n in names if names.count(n) > 1} - SHARED) == []


def test_the_graph_has_the_scan_of_cluster_kinds(graph: Graph) -> None:
    assert "photogap.sweeps.clusters.kinds.slurm" in graph["photogap.sweeps.clusters.kinds"]


IMPORTS = {
    "at the top": "from ..b import c",
    "in a function": "def f():\n    from ..b import c\n",
    "for types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from photogap.sweeps.b.c import D\n",
    "of a module": "import photogap.sweeps.b.c",
    "by name": "import importlib\nimportlib.import_module('photogap.sweeps.b.c')\n",
}


@pytest.mark.parametrize("way", IMPORTS)
def test_a_circle_is_found(way: str) -> None:
    """Each way of importing closes a circle of two modules."""
    held = {
        "photogap.sweeps.a.x": Module(IMPORTS[way], False),
        "photogap.sweeps.b": Module("", True),
        "photogap.sweeps.b.c": Module("from ..a.x import f", False),
    }
    assert set(circle_in(graph_of(held))) == {"photogap.sweeps.a.x", "photogap.sweeps.b.c"}


def test_a_scan_closes_a_circle() -> None:
    held = {
        "photogap.sweeps.b": Module("import pkgutil\npkgutil.iter_modules(__path__)", True),
        "photogap.sweeps.b.c": Module("from .. import d", False),
        "photogap.sweeps": Module("", True),
        "photogap.sweeps.d": Module("def f():\n    from .b import known\n", False),
    }
    assert len(set(circle_in(graph_of(held)))) == 3


def test_an_arrow_up_is_found() -> None:
    held = {
        "photogap.sweeps.clusters.visit": Module("def say():\n    from ..cli.base import ERR\n", False),
        "photogap.sweeps.cli.base": Module("from ..errors import E", False),
        "photogap.sweeps.errors": Module("", False),
    }
    assert arrows_up(graph_of(held)) == ["photogap.sweeps.clusters.visit imports photogap.sweeps.cli.base"]
