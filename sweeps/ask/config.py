"""From YAML to a frozen config; user input is parsed only here.

Unknown keys are rejected; every error names the key, the rule, the value received and the remedy if there is one.
"""

import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydantic

from ...core.declaration import nearest
from ...core.units import SCALES
from ..errors import ConfigError
from ..examples import located
from ..files import Files
from ..model import DEFAULT, current
from ..text import TYPED, Size, check_size, load_yaml, rule, short, suggest

LONGEST = 100_000
"""Values of one axis, or of a setting that is a list."""
_GENERATORS: dict[str, Callable[..., Any]] = {"linspace": np.linspace, "geomspace": np.geomspace}


# Most cells of a table: parsed without YAML, which is a hundred times slower.
_DECIMAL = re.compile(r"[-+]?\d+\.\d*([eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+")

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {
        "damping": "full", "pump_channels": "scattering", "stimulated_emission": False, "pump_rate": "constant"
    },
    "undamped": {
        "damping": "real", "pump_channels": "scattering", "stimulated_emission": True, "pump_rate": "constant"
    },
    "complete": {
        "damping": "full", "pump_channels": "scattering+pair-breaking", "stimulated_emission": True,
        "pump_rate": "envelope",
    },
}  # fmt: skip
"""Presets by name: settings that apply unless the config's `settings` or axes override them.

`paper` is the model of arXiv:2603.18182: complex self-energies (its solver gives the Tc of all four materials, real
ones cannot, and its Fig. 9 plots the real part of Delta), photons that only lift quasiparticles (the pump term
as printed), one Gamma for the pulse. `undamped` is the same without lifetimes in the gap equation and with
stimulated emission. `complete` adds pair breaking by photons, which the paper leaves out.
"""


class _Frozen(pydantic.BaseModel):
    # Keep an infinite escape time infinite in a store's record.
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class Limits(_Frozen):
    """Limits on a point.

    Args:
        time_s: Wall time of a point, s; `.inf` for no limit. Default: 100 times the median, 60 s at least.
        memory: Memory of a worker, such as `2GiB`; `auto` shares the machine's.
        losses: Number of workers that a point may kill before it is marked `lost`.
        points: Largest number of points in the sweep, and in the extended cube.
    """

    time_s: float | None = pydantic.Field(default=None, gt=0, examples=[600])
    memory: str = pydantic.Field(default="auto", examples=["2GiB"])
    losses: int = pydantic.Field(default=3, ge=0)
    points: int = pydantic.Field(default=10_000_000, gt=0)

    @pydantic.field_validator("memory")
    @classmethod
    def _memory(cls, value: str) -> str:
        if value != "auto" and not re.fullmatch(r"\d+(\.\d+)?\s*[kMGT]i?B", value):
            raise ValueError("must be `auto` or a size such as 2GiB")
        return value


class Plot(_Frozen):
    """Picture drawn at the end of a run.

    Args:
        x: Horizontal axis of the picture, or `time`.
        hue: Axis with one line per value; None draws the other axes as lines.
        y: Variable, drawn as its largest value over time.
        at: Labels that the picture selects, axis: value.
    """

    x: str = "F0"
    hue: str | None = pydantic.Field(default=None, examples=["T"])
    y: str = "Delta0"
    at: dict[str, Any] = pydantic.Field(default={}, examples=[{"damping": "full"}])


class Refine(_Frozen):
    """Refinement: add values of `axis` where `variable` changes most, or trace its border or peak.

    Args:
        variable: A scalar of the cube, such as `Delta0_peak`.
        axis: A numeric axis of the cube.
        find: `change` adds values where the variable changes most, and computes them for every label of the other
            axes. `border` traces where the variable crosses `level`, `peak` where it is largest, for each label of
            the other axes by itself: only the points that this needs are computed.
        level: Value of the variable at a border, in its units.
        across: Second numeric axis, of `border`: values are added where the border bends or ends.
        tolerance: For `change`, change of the variable between neighbours below which no point is added, in its
            units. For `border` and `peak`, distance of the labels that enclose it: relative to the label on a
            logarithmic axis, in the axis's units on a linear one; across, relative to the axis's range.
        budget: Largest number of new values on the axis; with `across`, on each of both.
        scale: Halve intervals on a linear or a logarithmic axis.
        screen: Axis of numerics, such as `spacing`, from coarse to fine, of `border`: each label is traced only
            around the border of the label before. Points at the last label decide; the run states how far the
            border moves.
    """

    variable: str = pydantic.Field(examples=["Delta0_peak"])
    axis: str = pydantic.Field(examples=["F0"])
    find: Literal["change", "border", "peak"] = "change"
    level: float = 0.0
    across: str | None = None
    tolerance: float = pydantic.Field(gt=0, examples=[0.05])
    budget: int = pydantic.Field(default=20, gt=0, le=LONGEST)
    scale: str = pydantic.Field(default="log", pattern="^(log|linear)$")
    screen: str | None = None

    @pydantic.model_validator(mode="after")
    def _screens_a_border(self) -> "Refine":
        if self.screen is not None and (self.find != "border" or self.screen in (self.axis, self.across)):
            raise ValueError(
                "`screen` needs `find: border` and an axis other than `axis` and `across`. Got "
                f"{self.screen!r} with `find: {self.find}`"
            )
        return self


class Config(_Frozen):
    """A sweep as written by the user; `plan.resolve` interprets it.

    Args:
        name: Name of the sweep and, by default, of its cube, `results/NAME.zarr`: letters, digits, `.`, `_`
            and `-`.
        model: Solver: `module:attribute`, or the name under which a plug-in registered it.
        axes: Values of each axis. The sweep computes all their combinations, except for axes joined by `zip`.
        zip: Groups of axes that advance together. The first of a group is the cube's axis; the others have as many
            values and become coordinates along it.
        preset: Named choice of settings, which `settings` and axes override.
        settings: Settings shared by all points.
        materials: Files of further materials by the name that `axes.material` uses; names of built-in materials
            are allowed too, as labels of your own.
        limits: Limits on a point and on the sweep.
        plot: Picture that `run` draws at the end; None draws none.
        refine: Values that a run adds to one axis, where an output changes most.
        cluster: Where points are computed: `local`, the name or file of a cluster, or the address of a Dask
            scheduler.
        workers: Worker processes on this machine; None uses every core, 0 computes in the driver's process.
        backend: `gpu` computes many points at once on a GPU (extra `photogap[gpu]`).
    """

    name: str = pydantic.Field(examples=["first"])
    model: str = DEFAULT
    axes: dict[str, Any] = pydantic.Field(examples=[{"material": ["K3C60"], "F0": {"geomspace": [0.01, 1, 8]}}])
    zip: tuple[tuple[str, ...], ...] = pydantic.Field(default=(), examples=[[["omega_pump", "T"]]])
    preset: str | None = pydantic.Field(default=None, examples=["paper"])
    settings: dict[str, Any] = pydantic.Field(default={}, examples=[{"t_stop": 2.0, "damping": "full"}])
    materials: dict[str, str] = pydantic.Field(default={}, examples=[{"Mine": "mine.yaml"}])
    limits: Limits = pydantic.Field(default=Limits(), examples=[{"time_s": 600}])
    plot: Plot | None = pydantic.Field(default=None, examples=[{"x": "F0", "hue": "T"}])
    refine: Refine | None = pydantic.Field(
        default=None, examples=[{"variable": "Delta0_peak", "axis": "F0", "tolerance": 0.05}]
    )
    cluster: str = pydantic.Field(default="local", examples=["slurm"])
    workers: int | None = pydantic.Field(default=None, ge=0, examples=[4])
    backend: Literal["cpu", "gpu"] = "cpu"
    folder: str = pydantic.Field(default=".", exclude=True)
    root: str | None = pydantic.Field(default=None, exclude=True)

    @property
    def files(self) -> Files:
        """Folders in which the config's files may be."""
        return Files(Path(self.folder), None if self.root is None else Path(self.root))

    @pydantic.field_validator("model")
    @classmethod
    def _model(cls, value: str) -> str:
        return current(value)

    @pydantic.field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
            raise ValueError(
                "must be letters, digits, `.`, `_` and `-`, starting with a letter or digit: it becomes a file name"
            )
        return value

    @pydantic.field_validator("preset")
    @classmethod
    def _preset(cls, value: str | None) -> str | None:
        if value is not None and value not in PRESETS:
            raise ValueError(f"must be one of {', '.join(PRESETS)}.{nearest(value, PRESETS)}")
        return value


def read(path: str | Path, overrides: "tuple[Override, ...]" = (), *, full: bool = False) -> Config:
    """Config from a YAML file, with `KEY.KEY=VALUE` overrides.

    Args:
        path: The file, or the name of a packaged example.
        overrides: Applied last.
        full: Use the file's `full` variant: its values replace the small ones, key by key.

    Raises:
        ConfigError: The file cannot be read, or breaks a rule.
    """
    path = located(Path(path))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"CONFIG must be a readable YAML file. Got {str(path)!r} ({error}).") from error
    return parse(load_yaml(text, str(path)), overrides, folder=str(path.resolve().parent), full=full)


def parse(
    tree: Any,
    overrides: "tuple[Override, ...]" = (),
    folder: str = ".",
    *,
    full: bool = False,
    root: str | None = None,
    size: Size = TYPED,
) -> Config:
    """Config from a parsed YAML tree.

    Args:
        tree: The tree.
        overrides: Applied last.
        folder: Where relative paths start.
        full: Use the tree's `full` variant.
        root: Folder that contains all allowed paths; None for no limit.
        size: Largest tree.

    Raises:
        ConfigError: It breaks a rule.
    """
    if not isinstance(tree, dict):
        raise ConfigError(f"CONFIG must be a mapping of keys such as `name` and `axes`. Got {short(tree)}.")
    tree = _variant(tree, full)
    for change in overrides:
        tree = override(tree, change, size)
    check_size(tree, "CONFIG", size)
    for name in ("folder", "root"):
        if name in tree:
            raise ConfigError(f"`{name}`: unknown key. Remove it; paths are relative to the config's folder.")
    return made(tree, folder, root)


def made(tree: dict[str, Any], folder: str, root: str | None) -> Config:
    """Config of a complete tree; arguments as in `parse`.

    Raises:
        ConfigError: It breaks a rule.
    """
    try:
        return Config(**{str(k): v for k, v in tree.items()}, folder=folder, root=root)
    except pydantic.ValidationError as error:
        raise ConfigError("\n".join(_explain(e) for e in error.errors())) from None


def _variant(tree: dict[str, Any], full: bool) -> dict[str, Any]:
    """The small sweep, or the large one under its `full` key; an axis is replaced as a whole."""
    more = tree.get("full") or {}
    tree = {k: v for k, v in tree.items() if k != "full"}
    if not full:
        return tree
    if not isinstance(more, dict) or not more:
        raise ConfigError(
            "`--full` needs the key `full` in the config, with the axes of the large sweep. Got none."
        )
    merged = {
        k: {**tree[k], **v} if isinstance(v, dict) and isinstance(tree.get(k), dict) else v for k, v in more.items()
    }
    return {**tree, **merged}


Override = str | tuple[str, Any]
"""One change of a config: `KEY.KEY=VALUE` with VALUE in YAML, or the pair of `KEY.KEY` and a plain value."""


def override(tree: Mapping[str, Any], change: Override, size: Size = TYPED) -> dict[str, Any]:
    """Copy of the tree with one change applied."""
    path, sign, value = change.partition("=") if isinstance(change, str) else (change[0], "=", change[1])
    keys = path.strip().split(".")
    if not sign or not all(keys):
        raise ConfigError(f"`--set` must be KEY.KEY=VALUE, such as 'axes.T=[20,30]'. Got {change!r}.")
    out: dict[str, Any] = dict(tree)
    here = out
    for k in keys[:-1]:
        if not isinstance(here.get(k, {}), dict):
            raise ConfigError(f"`--set {path}`: `{k}` holds {here[k]!r}, not keys.")
        here[k] = dict(here.get(k) or {})
        here = here[k]
    here[keys[-1]] = load_yaml(value, f"--set {path}", size) if isinstance(change, str) else value
    return out


def _explain(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        remedy = suggest(place.rsplit(".", 1)[-1], _known(place))
        return f"`{place}`: unknown key.{remedy} Got {error['input']!r}."
    if error["type"] == "missing":
        return f"`{place}`: required key is missing. Add it to the config."
    return f"`{place}`: {rule(error)} Got {error['input']!r}."


def _known(place: str) -> list[str]:
    groups: dict[str, type[_Frozen]] = {"limits": Limits, "plot": Plot, "refine": Refine}
    group = groups.get(place.split(".")[0], Config)
    return [
        *(name for name in group.model_fields if name not in ("folder", "root")),
        *(["full"] if group is Config else []),
    ]


def axis_values(name: str, spec: Any, files: Files, unit: str) -> tuple[Any, ...]:
    """Values of an axis from its spec: a list, a scalar, a generator, or a column of a CSV file.

    Args:
        name: The axis.
        spec: As written by the user.
        files: Opens CSV files.
        unit: CF unit of the axis; values in the spec's `units` are converted to it.

    Raises:
        ConfigError: The spec has another form, or breaks its rule.
    """
    return _values(f"axes.{name}", name, spec, files, unit)


def setting_values(name: str, spec: Mapping[str, Any], unit: str) -> tuple[Any, ...]:
    """Values of a setting given as a generator; a setting cannot come from a table.

    Raises:
        ConfigError: The spec is not a generator, or breaks its rule.
    """
    return _values(f"settings.{name}", name, spec, None, unit)


def is_table(spec: Any) -> bool:
    """True if the values of an axis come from a file."""
    return isinstance(spec, dict) and "csv" in spec


def _values(place: str, name: str, spec: Any, files: Files | None, unit: str) -> tuple[Any, ...]:
    """Values of a spec; without `files` a table is refused."""
    if not isinstance(spec, dict):
        values: Any = spec if isinstance(spec, list) else [spec]
        _check_length(place, len(values))
        return tuple(_plain(place, value) for value in values)
    forms = ["values", *_GENERATORS, *(["csv"] if files is not None else [])]
    known = [*forms, "units", *(["column"] if files is not None else [])]
    kinds = [k for k in forms if k in spec]
    unknown = set(map(str, spec)) - set(known)
    if unknown:
        word = sorted(unknown)[0]
        remedy = suggest(word, known)
        raise ConfigError(f"`{place}.{word}`: unknown key.{remedy} Got {spec.get(word)!r}.")
    if len(kinds) != 1:
        raise ConfigError(f"`{place}` must contain one of {', '.join(forms)}. Got {spec!r}.")
    if kinds[0] == "csv" and files is not None:
        with files.quiet(f"{place}.csv", spec["csv"], "a table with a column of that name, or of the axis's"):
            found = _read_column(place, spec, name, files)
    else:
        found = _generate(place, kinds[0], spec[kinds[0]])
    scale = _scale(place, unit, spec.get("units"))
    return found if scale == 1.0 else tuple(_round(_number(place, value) * scale) for value in found)


def _check_length(place: str, length: int) -> None:
    if length > LONGEST:
        raise ConfigError(f"`{place}` must have at most {LONGEST} values. Got {length}.")


def _plain(place: str, value: Any) -> Any:
    if isinstance(value, bool | int | float | str):
        return value
    raise ConfigError(f"`{place}` must contain numbers or words. Got {value!r}.")


def _number(place: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"`{place}` must contain numbers. Got {value!r}.")
    try:
        return float(value)
    except OverflowError:
        raise ConfigError(f"`{place}` must contain numbers below 1e308. Got a larger one.") from None


def _round(value: float) -> float:
    return float(f"{value:.12g}")


def _generate(place: str, kind: str, spec: Any) -> tuple[Any, ...]:
    if kind == "values":
        values = spec if isinstance(spec, list) else [spec]
        _check_length(place, len(values))
        return tuple(_plain(place, v) for v in values)
    rule = f"`{place}.{kind}` must be [start, stop, number of values]"
    if not (isinstance(spec, list) and len(spec) == 3):
        raise ConfigError(f"{rule}. Got {spec!r}.")
    start, stop = _number(place, spec[0]), _number(place, spec[1])
    if (
        isinstance(spec[2], bool)
        or not isinstance(spec[2], int | float)
        or not (1 <= spec[2] < math.inf and spec[2] == int(spec[2]))
    ):
        raise ConfigError(f"{rule}, where the number of values is a whole number of at least 1. Got {spec!r}.")
    _check_length(place, int(spec[2]))
    if not np.isfinite([start, stop]).all() or (kind == "geomspace" and not (start > 0 and stop > 0)):
        raise ConfigError(f"{rule} with {'positive' if kind == 'geomspace' else 'finite'} ends. Got {spec!r}.")
    return tuple(_round(value) for value in _GENERATORS[kind](start, stop, int(spec[2])).tolist())


def _scale(place: str, unit: str, units: Any) -> float:
    if units is None:
        return 1.0
    known = SCALES.get(unit, {})
    if not isinstance(units, str) or units not in known:
        rule = f"must be one of {', '.join(known)}" if known else "must be left out: the axis has no other unit"
        raise ConfigError(f"`{place}.units` {rule}. Got {units!r}.")
    return known[units]


def _read_column(place: str, spec: dict[str, Any], name: str, files: Files) -> tuple[Any, ...]:
    column = str(spec.get("column", name))
    try:
        # Spreadsheets start a CSV file with a byte order mark.
        lines = io.StringIO(files.text(files.at(str(spec["csv"])), what="CSV file", encoding="utf-8-sig"))
        reader = csv.DictReader((line for line in lines if not line.startswith("#")), skipinitialspace=True)
        rows = list(itertools.islice(reader, LONGEST + 1))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"`{place}.csv` must be a readable CSV file. Got {str(spec['csv'])!r} ({error})."
        ) from error
    _check_length(place, len(rows))
    if not rows or column not in rows[0]:
        raise ConfigError(
            f"`{place}.csv` must have a column {column!r} with values. Got {list(rows[0]) if rows else 'no rows'}."
        )
    return tuple(_word(row[column]) for row in rows)


def _word(text: str | None) -> Any:
    text = (text or "").strip()
    if _DECIMAL.fullmatch(text):
        return float(text)
    try:
        value = load_yaml(text, "a CSV cell")
    except ConfigError:
        return text
    return value if isinstance(value, bool | int | float) else text
