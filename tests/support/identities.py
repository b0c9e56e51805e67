"""Identities of points, and a store's record, as each version of the model wrote them: a golden file a version.

A change of identity makes every stored point a stranger, so it needs a new `MODEL_VERSION`, whose file
`python tests/support/identities.py` writes. A new setting needs none: declare it with `later=True`, and its default
is left out of the identity.
"""

import json
from pathlib import Path
from typing import Any

from photogap.sweeps.ask.axes import Labels
from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import Plan, resolve
from photogap.sweeps.store.cube import Cube, create
from photogap.sweeps.store.place import place
from photogap.sweeps.store.record import record_of

FOLDER = Path(__file__).parents[1] / "sweeps" / "golden"
SUM, THIRD = 0.1 + 0.2, 1 / 3
"""Numbers that take every bit of a float: neither is what it is to twelve digits."""

_POINT: dict[str, Any] = {"material": ["film"], "F0": [1.0], "T": [4.0], "tau_esc": [100.0]}
_FILE = {"film": "film.yaml"}

CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {"axes": {"material": ["Pb", "K3C60"], "F0": [0.001, 1], "T": [4, 30], "tau_esc": [0.05, "inf"]}},
    "preset": {"axes": _POINT | {"material": ["LaH10", "CaC6"]}, "preset": "paper"},
    "material of a file": {"axes": _POINT, "materials": _FILE},
    "every bit": {
        "axes": _POINT | {"F0": [SUM, THIRD], "T": [12 + THIRD], "tau_esc": [SUM], "omega_pump": [100 * SUM]},
        "materials": _FILE,
        "settings": {"tau_pump": THIRD, "thickness": 10 * SUM, "rtol": SUM / 10, "times": [-SUM, 0.0, THIRD]},
    },
    "zips": {
        "axes": _POINT | {"F0": [2.6, 4.5, 6.2], "tau_esc": [0.05, 0.2, 0.5], "tau_pump": [0.1, 0.3, SUM]},
        "zip": [["F0", "tau_esc", "tau_pump"]],
        "materials": _FILE,
    },
    "settings as axes": {
        "axes": _POINT
        | {
            "damping": ["full", "real"],
            "stimulated_emission": [True, False],
            "thickness": [100, 100 * SUM],
            "omega_probe": [2, 5 + THIRD],
            "slabs": [1, 2],
        },
        "materials": _FILE,
        "settings": {"energies": [0.5, 1 + THIRD], "frequencies": [1, 2]},
    },
    "named media": {
        "axes": _POINT | {"omega_pump": [300], "substrate": ["diamond", "sapphire", "glass.csv", "3.4+0.1j", 1.5]},
        "materials": _FILE,
        "settings": {"thickness": 50, "cover": "diamond"},
    },
    "a medium as a setting": {"axes": _POINT, "materials": _FILE, "settings": {"substrate": "glass.csv"}},
    "numbers of media": {"axes": _POINT | {"substrate": [1, 1.5, 1 + THIRD]}, "materials": _FILE},
}
"""Sweeps whose points stand in the golden file; add to them, and write the next version's file, at will."""


def golden_file(plan: Plan) -> Path:
    """Golden file of a plan's model and version."""
    return FOLDER / f"{plan.model.name}-{plan.model.version}.json"


def plan_of(name: str) -> Plan:
    """Plan of one of `CONFIGS`."""
    tree = {"name": name.replace(" ", "-"), **CONFIGS[name]}
    tree["axes"] = {k: [float(x) if x == "inf" else x for x in values] for k, values in tree["axes"].items()}
    return resolve(parse(tree, folder=str(FOLDER)))


def written(labels: Labels) -> str:
    """Labels as the golden file's keys have them."""
    return ",".join(f"{k}={v!r}" for k, v in labels.items())


def identities(plan: Plan) -> dict[str, str]:
    """Identity of each point of a plan, by its labels."""
    points = [plan.grid.labels(index) for index in plan.grid.indices()]
    return {written(labels): plan.point_id(labels) for labels in points}


def stored_record(name: str, folder: Path) -> dict[str, Any]:
    """Record of a store made for one of `CONFIGS`, as JSON has it."""
    plan, where = plan_of(name), place(folder / "store.zarr")
    create(where, plan, record_of(plan))
    found: dict[str, Any] = json.loads(json.dumps(Cube(where, read_only=True).record))
    return found


if __name__ == "__main__":
    import tempfile

    target = golden_file(plan_of("plain"))
    if target.exists():
        raise SystemExit(f"{target} exists: points are stored under its identities. Raise MODEL_VERSION instead.")
    with tempfile.TemporaryDirectory() as scratch:
        record = stored_record("named media", Path(scratch))
    record = {k: v for k, v in record.items() if k not in ("folder", "runs", "generation")}
    content = {"points": {name: identities(plan_of(name)) for name in CONFIGS}, "record": record}
    target.write_text(json.dumps(content, indent=1) + "\n")
    print(target)
