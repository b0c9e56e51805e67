"""From a request's config to a plan: the engine's own rules, after those that keep a server safe.

A config on the command line is its user's own; one in a request may name no code, no file outside the served
folder and no scheduler that the operator did not name, and may not expand to more than the server holds.
"""

import contextlib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..ask.config import Config, load_yaml, parse
from ..ask.plan import Plan, resolve
from ..clusters.config import parse as parse_cluster
from ..clusters.config import read
from ..clusters.spec import Spec
from ..drive.sweep import plan_of
from ..errors import ConfigError, ContradictionError
from ..files import Files
from ..model import DEFAULT
from ..store.cube import Cube
from ..store.place import Place, place
from ..store.record import refuse_contradiction
from .options import Options

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
_DEPTH = 20
_NODES = 10_000
_ALIASES = 50
_GENERATORS = ("linspace", "geomspace")


class ConfirmError(ConfigError):
    """A sweep larger than a server takes without a confirmation; carries its number of points."""

    def __init__(self, points: int, limit: int) -> None:
        super().__init__(
            f"the sweep has {points} points, over the limit of {limit} without a confirmation. "
            f"Submit it with `confirm_points` = {points}, or make its axes shorter."
        )
        self.points = points


def tree_of(text: str) -> Any:
    """Plain values of a YAML text that is no bomb.

    Raises:
        ConfigError: It is not YAML, nests too deep, or its aliases expand beyond the limit.
    """
    # `load_yaml` says what else is wrong, in the command line's words.
    with contextlib.suppress(yaml.YAMLError):
        _weigh(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    tree = load_yaml(text, "CONFIG")
    check_size(tree)
    return tree


def _weigh(events: Iterator[yaml.Event]) -> None:
    """Refuse a text by its events, before any of it is built: what it nests and what its aliases expand to."""
    weights: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = aliases = 0
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                weights[anchor] = total - before
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
            if any(anchor == event.anchor for anchor, _ in open_nodes):
                raise ConfigError(f"CONFIG must not hold itself. Got the alias *{event.anchor} inside its anchor.")
        total += weights.get(event.anchor or "", 1) if isinstance(event, yaml.AliasEvent) else 1
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, total - 1))
        if len(open_nodes) > _DEPTH:
            raise ConfigError(f"CONFIG must not nest deeper than {_DEPTH} levels.")
        if aliases > _ALIASES:
            raise ConfigError(f"CONFIG must have at most {_ALIASES} YAML aliases. Got more; write values out.")
        if total > _NODES:
            raise ConfigError(f"CONFIG must hold at most {_NODES} values, aliases written out. Got more.")


def check_size(tree: Any) -> None:
    """Refuse a tree that nests too deep or holds too much; one from JSON has no aliases, but depth."""
    count, level = 0, [tree]
    for _ in range(_DEPTH + 1):
        count += len(level)
        if count > _NODES:
            raise ConfigError(f"CONFIG must hold at most {_NODES} values. Got more.")
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise ConfigError(f"CONFIG must not nest deeper than {_DEPTH} levels.")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


class Intake:
    """Configs of requests, under a server's options."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.root = str(options.folder.resolve())
        self.files = Files(Path(self.root), Path(self.root))

    def config(self, source: str | dict[str, Any], overrides: tuple[str, ...] = ()) -> Config:
        """Config of a request: YAML text or a tree.

        Raises:
            ConfigError: It breaks a rule of the engine or of the server.
        """
        tree = tree_of(source) if isinstance(source, str) else source
        check_size(tree)
        config = parse(tree, overrides, folder=self.root, root=self.root)
        if not re.fullmatch(NAME, config.name):
            raise ConfigError(f"`name`: must have at most 100 characters here. Got {config.name!r}.")
        self.check(config)
        return config

    def plan(self, config: Config, confirm_points: int | None = None, *, confirm: bool = True) -> Plan:
        """Plan of a config.

        Raises:
            ConfigError: A value, material or file breaks a rule.
            ConfirmError: It has many points and they are not confirmed.
            ContradictionError: The cube of that name holds another kind of points.
        """
        limits = self.options.limits
        many = _upper_bound(config)
        if many > limits.confirmed_points:
            raise ConfigError(f"a sweep must have at most {limits.confirmed_points} points here. Got {many}.")
        plan = resolve(config)
        size = plan.grid.size
        if confirm and size > limits.points and size != confirm_points:
            raise ConfirmError(size, limits.points)
        each = sum(plan.bytes_per_output.values())
        if each > limits.point_bytes:
            raise ConfigError(
                f"a point's outputs must take at most {limits.point_bytes} bytes here. Got {each}; "
                "make `n_times` or the energies shorter."
            )
        target = self.place(config.name)
        if target.exists():
            cube = self.cube(config.name)
            refuse_contradiction(cube.record, plan, "Use another `name`.")
            if plan.grid.dims != cube.grid.dims:
                raise ContradictionError(
                    f"the cube {config.name!r} has dims {', '.join(cube.grid.dims)}; the config has "
                    f"{', '.join(plan.grid.dims)}. Use another `name`."
                )
        return plan

    def place(self, name: str) -> Place:
        """Where the cube of a name lies."""
        return place(self.options.folder / f"{name}.zarr")

    def cube(self, name: str) -> Cube:
        """Cube of a name, read only."""
        return Cube(self.place(name), read_only=True)

    def plan_of(self, cube: Cube) -> Plan:
        """Plan of a cube's own config; its model must be one that the operator named."""
        self.check_cube(cube)
        return plan_of(cube, self.root, trust=True)

    def check_cube(self, cube: Cube) -> None:
        """Refuse a cube whose own config names a model that the operator does not allow."""
        self._check_model(str(cube.record["config"].get("model", DEFAULT)))

    def check(self, config: Config) -> None:
        """Refuse a config that names what a request may not, or too much of it."""
        self._check_model(config.model)
        self.cluster(config.cluster)
        for name, spec in [*config.axes.items(), *config.settings.items()]:
            self._check_length(name, spec)
        for place_, rule in (("workers", config.workers), ("limits.losses", config.limits.losses)):
            if rule is not None and rule > 10_000:
                raise ConfigError(f"`{place_}`: must be at most 10000 here. Got {rule!r}.")

    def _check_model(self, model: str) -> None:
        if model not in self.options.models:
            raise ConfigError(
                f"`model` must be one that this server's operator allows: {', '.join(self.options.models)}. "
                f"Got {model!r}."
            )

    def cluster(self, text: str) -> tuple[str, Spec]:
        """Cluster that a config names, and where it is said: an address, a file, or `local`.

        A cluster's file can run commands, so only those of the operator's folders and of the served one count.

        Raises:
            ConfigError: The operator allows no such cluster, or its file breaks a rule.
        """
        named = self.options.named_clusters
        if text in self.options.clusters:
            return text, parse_cluster({"kind": "address", "address": text}, "`cluster`")
        if text in named:
            with self.files.quiet("cluster", text, "a cluster"):
                return str(named[text]), read(named[text])
        if text == "local":
            return text, parse_cluster({"kind": "local"}, "`cluster`")
        if "://" in text or not text.endswith((".yaml", ".yml")):
            known = ", ".join((*sorted({"local", *named}), *self.options.clusters))
            raise ConfigError(
                f"`cluster` must be one of {known}, or a .yaml file in the served folder. Got {text!r}."
            )
        with self.files.quiet("cluster", text, "a cluster"):
            path = self.files.at(text)
            return str(path), read(path, self.files)

    def ready(self, config: Config) -> Config:
        """Config as the engine is to run it: points in the shared pool."""
        return config.model_copy(update={"workers": 1} if config.workers == 0 else {})

    def _check_length(self, name: str, spec: Any) -> None:
        limit = self.options.limits.axis
        for size in _lengths(spec):
            if size > limit:
                raise ConfigError(
                    f"`{name}`: must stay within {limit} here, values or whole numbers. Got {size!r}."
                )


def _lengths(spec: Any) -> Iterator[float]:
    if isinstance(spec, dict):
        for kind in _GENERATORS:
            size = spec.get(kind)
            if isinstance(size, list) and len(size) == 3 and isinstance(size[2], int | float):
                yield size[2]
    elif isinstance(spec, list):
        yield len(spec)
    elif isinstance(spec, int):
        yield abs(spec)


def _upper_bound(config: Config) -> int:
    """Points of the product of the axes that lead; those of a file count as one."""
    followers = {name for group in config.zip for name in group[1:]}
    sizes = [
        next((int(n) for n in _lengths(spec) if math.isfinite(n)), 1) if isinstance(spec, dict | list) else 1
        for name, spec in config.axes.items()
        if name not in followers
    ]
    return math.prod(max(1, n) for n in sizes)


def positions(plan: Plan) -> dict[bytes, str]:
    """Material of each pickled material that a job carries."""
    return {blob: label for label, blob in plan.material_blobs.items()}
