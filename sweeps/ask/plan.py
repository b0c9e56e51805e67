"""Resolved config: materials loaded, settings checked, axes in order, an identity for each point."""

import contextlib
import dataclasses
import functools
import math
import pickle
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..model import Model
from ..model import resolve as resolve_model
from ..text import suggest
from .axes import FIRST, Axis, Grid, Labels, combinations, thinned
from .bounds import Bounds, check_bytes, check_points, check_size, largest
from .config import PRESETS, Config, axis_values, is_table
from .identity import canonical, digest
from .values import Names, labels_of, materials_of, settings_of

_TEXTS = {str, bool}
Refusals = tuple[Callable[[Any, Any], None], ...]
_TRIED = 5_000
_CHECKED = 1_000
_COMPARED = 20_000_000


@dataclass(frozen=True)
class Plan:
    """All points of a sweep, generated on demand.

    Args:
        config: The user's config.
        model: The solver.
        materials: Material of each label of the `material` axis.
        settings: Settings shared by all points unless an axis overrides them.
        grid: Axes in the cube's order.
        named: For each setting that may be given by name, the content of each name.
    """

    config: Config
    model: Model
    materials: Mapping[str, Any]
    settings: Any
    grid: Grid
    named: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)

    def point(self, labels: Labels) -> Any:
        """The model's point at these labels."""
        rest = {name: labels[name] for name in FIRST[1:]}
        return self.model.point(material=self.materials[labels["material"]], **rest)

    def settings_at(self, labels: Labels) -> Any:
        """The model's settings at these labels."""
        further = {k: self.named.get(k, {}).get(v, v) for k, v in labels.items() if k not in FIRST}
        if not further:
            return self.settings
        # Neighbouring points mostly share theirs. By identity: 1, 1.0 and True are equal.
        known, found = self._last_settings[0]
        if known.keys() != further.keys() or any(known[k] is not v for k, v in further.items()):
            found = dataclasses.replace(self.settings, **further)
            self._last_settings[0] = (further, found)
        return found

    @functools.cached_property
    def _last_settings(self) -> list[tuple[Labels, Any]]:
        """The settings built last, with the labels from which they were built."""
        return [({}, None)]

    @functools.cached_property
    def material_digests(self) -> dict[str, str]:
        """Hash of each material's content."""
        return {label: digest(material) for label, material in self.materials.items()}

    @functools.cached_property
    def material_blobs(self) -> dict[str, bytes]:
        """Pickled materials for tasks: equal bytes are unpickled once per worker."""
        return {label: pickle.dumps(material, protocol=5) for label, material in self.materials.items()}

    @functools.cached_property
    def named_digests(self) -> dict[str, dict[str, str]]:
        """Hash of the content behind each name."""
        return {k: {name: digest(content) for name, content in found.items()} for k, found in self.named.items()}

    @functools.cached_property
    def base(self) -> dict[str, Any]:
        """Canonical form of everything that all points share; the store refuses a config in which it differs."""
        axes = self.grid.names
        return {
            "model": self.model.name,
            "model_version": self.model.version,
            "settings": {k: v for k, v in canonical(self._said).items() if k not in axes},
        }

    @functools.cached_property
    def kinds(self) -> tuple[Any, ...]:
        """Settings of one point for each combination of labels that may switch outputs on."""
        first = self.grid.labels((0,) * len(self.grid.axes))
        names = self.model.switches
        axes = [a for a in self.grid.axes if _labels_one_of(a, names)]
        return tuple(self.settings_at(first | labels) for labels in combinations(axes))

    @functools.cached_property
    def variables(self) -> tuple[Any, ...]:
        """Union of the outputs of all points: the cube's variables. A point without one of them is NaN there."""
        each = [self.model.variables(settings) for settings in self.kinds]
        return tuple({v.name: v for variables in each for v in variables}.values())

    @functools.cached_property
    def coordinates(self) -> dict[str, Any]:
        """Labels of the outputs' own dims, shared by all points that have them."""
        # One point per set of dims is enough, since points share the labels of their dims and there may be millions
        # of labels.
        having = {frozenset(d for v in self.model.variables(kind) for d in v.dims): kind for kind in self.kinds}
        each = [self.model.coordinates(settings) for settings in having.values()]
        return {dim: values for coordinates in each for dim, values in coordinates.items()}

    @functools.cached_property
    def bytes_per_output(self) -> dict[str, int]:
        """Bytes per point of each output of the cube."""
        sizes = {dim: len(values) for dim, values in self.coordinates.items()}
        return {v.name: 8 * math.prod(sizes[dim] for dim in v.dims) for v in self.variables}

    @property
    def _said(self) -> dict[str, Any]:
        """Settings shared by all points; one given by name is represented by its label.

        A setting marked `later` in its metadata was added after points had been stored with its default value,
        so the default is left out.
        """
        said = {
            f.name: value
            for f in dataclasses.fields(self.settings)
            if (value := getattr(self.settings, f.name)) != f.default or not f.metadata.get("later")
        }
        return said | {k: next(iter(found)) for k, found in self.named.items()}

    def point_id(self, labels: Labels) -> str:
        """Identity of the point at these labels: hash of everything its result depends on."""
        said = self.base["settings"] | labels
        named = {name: found[said[name]] for name, found in self.named_digests.items() if said[name] in found}
        content = {"material": self.material_digests[labels["material"]]} | ({"named": named} if named else {})
        return digest({**self.base, "labels": labels, **content})

    def units(self, name: str) -> str:
        """CF units of an axis."""
        return self.model.declaration(name).unit

    def long_name(self, name: str) -> str:
        """Description of an axis for messages."""
        return self.model.declaration(name).long_name


def _labels_one_of(axis: Axis, names: tuple[str, ...] | None) -> bool:
    """True if an axis varies one of these settings (any setting for None)."""
    own = {axis.name, *axis.followers}
    return bool(own - set(FIRST) if names is None else own & set(names))


def resolve(
    config: Config, known: Mapping[str, Mapping[str, Any]] | None = None, bounds: Bounds | None = None
) -> Plan:
    """Plan of a config.

    Args:
        config: The user's config.
        known: Content of names from a store's record, used if a file is gone.
        bounds: Limits on the plan, checked before anything large is built.

    Raises:
        ConfigError: A key, value, material or file of the config breaks a rule; nothing has been computed.
    """
    bounds = bounds or Bounds()
    model = resolve_model(config.model)
    names = Names(model, config.files, known or {})
    settings = settings_of(model, {**PRESETS.get(config.preset or "", {}), **config.settings}, names, bounds)
    values = {
        name: axis_values(name, spec, config.files, model.declaration(name).unit)
        for name, spec in config.axes.items()
    }
    _check_names(model, values, config)
    for name, found in values.items():
        check_size(f"axes.{name}", found, bounds)
    with _quiet(config, "material"):
        materials = materials_of(model, values.get("material", ()), config)
    values["material"] = tuple(materials)
    zips = _default_pump(values, materials, config.zip)
    for name in FIRST:
        if name not in values:
            raise ConfigError(f"`axes.{name}`: required key is missing. Add it, such as `{name}: [1.0]`.")
    typed = {}
    for name, found in values.items():
        with _quiet(config, name):
            typed[name] = (
                names.labels(name, found) if name in model.named else labels_of(model, name, found, bounds)
            )
    with _quiet(config, *typed):
        grid = _grid(typed, zips)
    plan = Plan(config, model, materials, settings, grid, names.contents)
    check_points(largest(grid, config.refine), min(bounds.points, config.limits.points))
    # Numbers that label a cube may be quoted; words could be any line of a file.
    with _quiet(config, *(name for name, found in typed.items() if any(isinstance(v, str) for v in found))):
        _check_points(plan, bounds)
    check_bytes(sum(plan.bytes_per_output.values()), bounds)
    _check_uses(plan)
    return plan


def _quiet(config: Config, *names: str) -> contextlib.AbstractContextManager[None]:
    """On a server, hide table cells in errors about axes."""
    tables = [name for name in names if is_table(config.axes.get(name))]
    if not tables:
        return contextlib.nullcontext()
    place = f"axes.{tables[0]}"
    return config.files.quiet(place, config.axes[tables[0]]["csv"], f"values that satisfy the rules of `{place}`")


def _check_names(model: Model, values: Mapping[str, Any], config: Config) -> None:
    settings = [f.name for f in dataclasses.fields(model.settings)]
    known = [*FIRST, *(name for name in settings if not model.declaration(name).shapes)]
    for name in values:
        if name in settings and name not in known:
            raise ConfigError(
                f"`axes.{name}`: this setting is the same for all points of a cube; move it to `settings`. Got "
                f"{config.axes[name]!r}."
            )
        if name not in known:
            raise ConfigError(f"`axes.{name}`: unknown key.{suggest(name, known)} Got {config.axes[name]!r}.")
    if "material" not in values:
        raise ConfigError("`axes.material`: required key is missing. Add it, such as `material: [K3C60]`.")


def _default_pump(
    values: dict[str, tuple[Any, ...]], materials: Mapping[str, Any], zips: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], ...]:
    """Photon energy of each material if no axis gives it: constant, or per material."""
    if "omega_pump" in values:
        return zips
    found = tuple(getattr(material, "omega_pump", None) for material in materials.values())
    if None in found:
        return zips
    if len(set(found)) == 1:
        values["omega_pump"] = found[:1]
        return zips
    values["omega_pump"] = found
    return (*(z for z in zips if "material" not in z), _joined(zips, "material", "omega_pump"))


def _joined(zips: tuple[tuple[str, ...], ...], name: str, follower: str) -> tuple[str, ...]:
    return (*next((z for z in zips if name in z), (name,)), follower)


def _grid(values: Mapping[str, tuple[Any, ...]], zips: tuple[tuple[str, ...], ...]) -> Grid:
    follows: dict[str, str] = {}
    for group in zips:
        if len(group) < 2:
            raise ConfigError(f"`zip` must name at least two axes per group. Got {list(group)!r}.")
        for name in group:
            if name not in values:
                raise ConfigError(f"`zip` names `{name}`, which is not an axis.{suggest(name, list(values))}")
            if name in follows or name in follows.values():
                raise ConfigError(f"`zip` may name an axis only once. Got `{name}` twice.")
        follows |= dict.fromkeys(group[1:], group[0])
    order = [*FIRST, *(name for name in values if name not in FIRST)]
    return Grid(
        tuple(
            Axis(name, values[name], {k: values[k] for k, leader in follows.items() if leader == name})
            for name in order
            if name not in follows
        )
    )


def unchecked(plan: Plan) -> int:
    """Number of values and combinations left unchecked before the run because there are too many.

    Their rules are checked as each point is computed: one that breaks a rule fails with the reason.
    """

    def size(axes: Iterable[Axis]) -> int:
        return math.prod(len(axis.values) for axis in axes)

    alone = (n - len(range(0, n, -(-n // _CHECKED))) for n in map(len, (axis.values for axis in plan.grid.axes)))
    bound = {tuple(a.name for a in axes): axes for joint in plan.model.rules if (axes := _bound(plan, joint.of))}
    return sum(alone) + sum(size(axes) - size(thinned(axes, _TRIED)) for axes in bound.values() if len(axes) > 1)


def _bound(plan: Plan, names: Iterable[str]) -> list[Axis]:
    """Axes with several values that carry any of the names."""
    return [a for a in plan.grid.axes if len(a.values) > 1 and {a.name, *a.followers} & set(names)]


def _check_points(plan: Plan, bounds: Bounds) -> None:
    """Build a point and its settings for each value of each axis, so that the model's rules are checked now.

    Axes that are bound by a common rule are tried in every combination. Of very many values or combinations
    only `_CHECKED` or `_TRIED`, spread evenly, are checked; the others can still give failed points. Long dims are
    compared for fewer points.
    """
    first = plan.grid.labels((0,) * len(plan.grid.axes))
    shared: dict[str, Any] = {}
    _check_point(plan, first, shared, "the first point")
    sizes = {dim: len(values) for dim, values in shared.items()}
    outputs = plan.model.variables(plan.settings_at(first))
    check_bytes(sum(8 * math.prod(sizes[d] for d in v.dims) for v in outputs), bounds)
    compared = max(2, _COMPARED // max(1, sum(sizes.values())))
    for axis in plan.grid.axes:
        step, stride = (-(-len(axis.values) // most) for most in (_CHECKED, compared))
        for i in range(1, len(axis.values)):
            refuse = None if i % step == 0 else ()
            dims = i % stride == 0 or i == 1
            _check_point(plan, first | axis.at(i), shared, f"axes.{axis.name}", refuse=refuse, dims=dims)
    groups = [(joint.of, (joint.refuse,)) for joint in plan.model.rules]
    for group, rules in [*groups, (plan.model.switches or (), ())]:
        axes = _bound(plan, group)
        if len(axes) > 1:
            place = " and ".join(f"axes.{axis.name}" for axis in axes)
            tried = list(combinations(thinned(axes, _TRIED)))
            stride = -(-len(tried) // compared)
            for i, labels in enumerate(tried):
                _check_point(plan, first | labels, shared, place, refuse=rules, dims=i % stride == 0)


def _check_point(
    plan: Plan,
    labels: Labels,
    shared: dict[str, Any],
    place: str,
    *,
    refuse: Refusals | None = None,
    dims: bool = True,
) -> None:
    """Refuse a point that breaks a rule, or whose output dims differ from those of earlier points.

    Args:
        plan: The sweep.
        labels: The point.
        shared: Labels of the dims of earlier points.
        place: Key of the config for the error.
        refuse: Rules to check; None for all rules of the model.
        dims: Compare the dims of the outputs.
    """
    try:
        point, settings = plan.point(labels), plan.settings_at(labels)
        for each in [joint.refuse for joint in plan.model.rules] if refuse is None else refuse:
            each(point, settings)
        known = not dims or (shared and settings is plan.settings)
        coordinates = {} if known else plan.model.coordinates(settings)
    except (ValueError, TypeError, ArithmeticError) as error:
        named = re.match(r"`(\w+)`", str(error))
        key = named[1] if named else ""
        given = [f"{group}.{key}" for group in ("axes", "settings") if key in getattr(plan.config, group)]
        raise ConfigError(f"`{given[0] if given and ' and ' not in place else place}`: {error}") from None
    for dim, values in coordinates.items():
        if not np.array_equal(values, shared.setdefault(dim, values)):
            raise ConfigError(
                f"`{place}`: all points of a cube share `{dim}`; move its settings from the axes to `settings`."
            )


def _check_uses(plan: Plan) -> None:
    """Check the names in `plot` and `refine`."""
    names = [name for axis in plan.grid.axes for name in (axis.name, *axis.followers)]
    outputs = {v.name: v for v in plan.variables}
    plot, refine = plan.config.plot, plan.config.refine
    uses = []
    if plot:
        along = [*names, *outputs[plot.y].dims] if plot.y in outputs else names
        uses += [("plot.x", plot.x, along), ("plot.hue", plot.hue, along), ("plot.y", plot.y, list(outputs))]
        uses += [(f"plot.at.{k}", k, along) for k in plot.at]
        if plot.hue is not None and plot.hue == plot.x:
            raise ConfigError(f"`plot.hue` must differ from `plot.x`. Got {plot.hue!r}.")
    if refine:
        scalars = [name for name, v in outputs.items() if not v.dims]
        uses += [
            ("refine.axis", refine.axis, list(plan.grid.dims)),
            ("refine.across", refine.across, [dim for dim in plan.grid.dims if dim != refine.axis]),
            ("refine.variable", refine.variable, scalars),
            ("refine.screen", refine.screen, [a.name for a in plan.grid.axes if a.name not in FIRST]),
        ]
    for place, name, known in uses:
        if name is not None and name not in known:
            raise ConfigError(f"`{place}`: unknown name.{suggest(name, known)} Got {name!r}.")


def at_grid(plan: Plan, grid: Grid) -> Plan:
    """The plan over another grid."""
    return dataclasses.replace(plan, grid=grid)
