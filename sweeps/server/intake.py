"""From the config of a request to a plan: first the safety rules of the server, then the rules of the engine.

A config on the command line belongs to its user; one in a request may name no code, no file outside the served
folder and no scheduler that the operator does not allow, and must stay within the server's limits.
"""

import re
from pathlib import Path
from typing import Any

from ..ask.axes import union
from ..ask.bounds import Bounds, check_union, largest
from ..ask.config import Config, parse
from ..ask.plan import Plan, resolve
from ..clusters.cluster_file import parse as parse_cluster
from ..clusters.cluster_file import read
from ..clusters.spec import Spec
from ..drive.sweep import plan_of
from ..errors import ConfigError, ContradictionError
from ..files import Files
from ..model import DEFAULT
from ..store.cube import Cube
from ..store.place import Place, place
from ..store.record import refuse_contradiction
from ..text import SERVED, check_size, load_yaml
from .options import Options

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class TooLargeError(ConfigError):
    """A cube or a slice exceeds the server's limit."""


class ConfirmError(ConfigError):
    """The sweep needs confirmation because of its size; carries its number of points."""

    def __init__(self, points: int, limit: int) -> None:
        super().__init__(
            f"the sweep has {points} points, over the limit of {limit} without confirmation. Submit it with "
            f"`confirm_points` = {points}, or shorten its axes."
        )
        self.points = points


class Intake:
    """Configs of requests, checked against a server's options."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.root = str(options.folder.resolve())
        limits = options.limits
        self.bounds = Bounds(
            number=limits.axis, axis=limits.axis, point_bytes=limits.point_bytes, points=limits.confirmed_points
        )
        self.files = Files(Path(self.root), Path(self.root))

    def config(self, source: str | dict[str, Any], overrides: tuple[str, ...] = ()) -> Config:
        """Config of a request: YAML text or a tree.

        Raises:
            ConfigError: It breaks a rule of the engine or of the server.
        """
        tree = load_yaml(source, "CONFIG", SERVED) if isinstance(source, str) else source
        check_size(tree, "CONFIG", SERVED)
        config = parse(tree, overrides, folder=self.root, root=self.root, size=SERVED)
        if not re.fullmatch(NAME, config.name):
            raise ConfigError(f"`name`: must have at most 100 characters here. Got {config.name!r}.")
        self.check(config)
        return config

    def plan(self, config: Config, confirm_points: int | None = None, *, confirm: bool = True) -> Plan:
        """Plan of a config.

        Raises:
            ConfigError: A value, material or file breaks a rule.
            ConfirmError: The sweep is large and not confirmed.
            ContradictionError: The cube of that name contradicts the config.
        """
        plan = self.resolve(config)
        size, limit = largest(plan.grid, config.refine), self.options.limits.points
        if confirm and size > limit and size != confirm_points:
            raise ConfirmError(size, limit)
        target = self.place(config.name)
        if target.exists():
            cube = self.cube(config.name)
            refuse_contradiction(cube.record, plan, "Use another `name`.")
            if plan.grid.dims != cube.grid.dims:
                raise ContradictionError(
                    f"the cube {config.name!r} has dims {', '.join(cube.grid.dims)}; the config has "
                    f"{', '.join(plan.grid.dims)}. Use another `name`."
                )
            check_union(cube.grid, union(cube.grid, plan.grid), self.bounds.points, "Use another `name`.")
        return plan

    def resolve(self, config: Config) -> Plan:
        """Plan of a config within the server's limits, which are checked before anything large is made.

        Raises:
            ConfigError: A value, material or file breaks a rule, or a limit.
        """
        return resolve(config, bounds=self.bounds)

    def place(self, name: str) -> Place:
        """Place of the cube with this name."""
        return place(self.options.folder / f"{name}.zarr")

    def cube(self, name: str) -> Cube:
        """Cube of a name, read only.

        Raises:
            TooLargeError: The cube has more points than the limit.
        """
        cube = Cube(self.place(name), read_only=True)
        if cube.grid.size > self.bounds.points:
            raise TooLargeError(
                f"the cube {name!r} has {cube.grid.size} points, over the limit of {self.bounds.points}. "
                "Open it directly with xarray."
            )
        return cube

    def plan_of(self, cube: Cube) -> Plan:
        """Plan of a cube's own config; its model must be one that the operator allows."""
        self.check_cube(cube)
        return plan_of(cube, self.root, trust=True)

    def check_cube(self, cube: Cube) -> None:
        """Refuse a cube whose own config names a model that the operator does not allow."""
        self._check_model(str(cube.record["config"].get("model", DEFAULT)))

    def check(self, config: Config) -> None:
        """Refuse a config with entries that a request may not use, or too many of them."""
        self._check_model(config.model)
        self.cluster(config.cluster)
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
        """Cluster of a config and its source: an address, a file, or `local`.

        A cluster file can run commands, so only those in the operator's folders and in the served folder are used.

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
        """Config for the engine; its points run in the shared pool."""
        points = min(config.limits.points, self.bounds.points)
        limits = config.limits.model_copy(update={"points": points})
        return config.model_copy(update={"limits": limits} | ({"workers": 1} if config.workers == 0 else {}))


def positions(plan: Plan) -> dict[bytes, str]:
    """Material labels of a plan by the pickled materials in its jobs."""
    return {blob: label for label, blob in plan.material_blobs.items()}
