"""Clusters as configuration: YAML files with a `kind`, found by name or path; unknown keys are refused."""

import os
from pathlib import Path
from typing import Any

import pydantic

from ...core.declaration import nearest
from ..errors import ConfigError
from ..examples import HOUSE
from ..files import ANYWHERE, Files
from ..text import load_yaml, rule, suggest
from .kinds import kind_named, known
from .spec import Adapt, Driver, Frozen, Spec
from .trust import foreign


def find(text: str, folder: str = ".") -> tuple[Spec, str]:
    """Cluster that `--cluster` names, and where it was found.

    Args:
        text: `local`, a scheduler's address, a file, or the name of a file in a folder of clusters.
        folder: Folder of the sweep's config, whose parents may hold `configs/clusters`.
    Raises:
        ConfigError: There is no such cluster, its file breaks a rule, or another user may have written it.
    """
    if "://" in text:
        return parse({"kind": "address", "address": text}, "--cluster"), "--cluster"
    if text.endswith((".yaml", ".yml")) or os.sep in text:
        path = next((p for p in (Path(text), Path(folder) / text) if p.is_file()), Path(text))
        return read(path), str(path)
    for place in folders(folder):
        path = place / f"{text}.yaml"
        if path.is_file():
            _refuse_foreign(text, path)
            return read(path), str(path)
    if text == "local":
        return parse({"kind": "local"}, "local"), "local"
    known = sorted({path.stem for place in folders(folder) for path in place.glob("*.yaml")} | {"local"})
    raise ConfigError(
        f"`cluster` must be `local`, a scheduler's address, a cluster file or the name of one."
        f"{suggest(text, known)} Got {text!r}."
    )


def folders(folder: str) -> list[Path]:
    """Folders in which clusters are looked up by name: the user's own first, then the project's."""
    starts = [Path.cwd(), Path(folder).resolve(), HOUSE]
    tree = [base / "configs" / "clusters" for start in starts for base in (start, *start.parents)]
    return [path for path in dict.fromkeys([own_folder(), *tree]) if path.is_dir()]


def _refuse_foreign(name: str, path: Path) -> None:
    """Raise if a file found by search, not by its path, may be another user's, since such a file can run commands.

    The user's own folder and that of this package are exempt.
    """
    if path.parent in (own_folder(), HOUSE / "configs" / "clusters"):
        return
    for part in (path, path.parent, path.parent.parent):
        why = foreign(part)
        if why:
            raise ConfigError(
                f"`cluster` {name!r} is {str(path)!r} here, which is ignored: a cluster file runs commands, "
                f"and {str(part)!r} {why}. If you trust it, use its path, --cluster {path}, or keep a copy in "
                f"{own_folder()}."
            )


def own_folder() -> Path:
    """The user's folder of clusters, shared by all projects."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "photogap" / "clusters"


def read(path: Path, files: Files = ANYWHERE) -> Spec:
    """Cluster in a YAML file.

    Raises:
        ConfigError: The file cannot be read, or breaks a rule.
    """
    try:
        text = files.text(path, what="cluster file")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the cluster file must be readable YAML. Got {str(path)!r} ({error}).") from error
    return parse(load_yaml(text, str(path)), str(path))


def parse(tree: Any, where: str) -> Spec:
    """Cluster of a parsed YAML tree; errors name `where`.

    Raises:
        ConfigError: It breaks a rule; the message has a line for each.
    """
    name = tree.get("kind") if isinstance(tree, dict) else tree
    kind = kind_named(name) if isinstance(name, str) and isinstance(tree, dict) else None
    if kind is None:
        raise ConfigError(
            f"{where}: `kind` must be one of {', '.join(known())}.{nearest(name, known())} Got {_short(name)}."
        )
    reading = kind.system.reading if kind.system else None
    try:
        return kind.model_validate({str(k): v for k, v in tree.items()}, context={"reading": reading})
    except pydantic.ValidationError as error:
        raise ConfigError("\n".join(dict.fromkeys(_explain(e, kind, where) for e in error.errors()))) from None


def _explain(error: Any, kind: type[Spec], where: str) -> str:
    place = ".".join(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] in ("extra_forbidden", "invalid_key"):
        return f"{where}: `{place}`: unknown key.{_remedy(place, kind)} Got {_short(error['input'])}."
    if error["type"] == "missing":
        return f"{where}: `{place}`: required key is missing."
    return f"{where}: {f'`{place}`: ' if place else ''}{rule(error)}" + (
        f" Got {_short(error['input'])}." if place else ""
    )


def _remedy(place: str, kind: type[Spec]) -> str:
    """Suggestion in place of an unknown key."""
    groups: dict[str, type[Frozen]] = {"adapt": Adapt, "driver": Driver}
    group, _, word = place.rpartition(".")
    inner = groups.get(group.split(".")[0], kind) if group else kind
    meant = word.lower().replace("-", "_")
    if meant != word and meant in inner.model_fields:
        return f" Write `{meant}`."
    if meant in kind.synonyms and (
        not group or kind.synonyms[meant].split(":")[0].strip("`") in inner.model_fields
    ):
        return f" Write {kind.synonyms[meant]}."
    return suggest(word, list(inner.model_fields))


def _short(value: Any) -> str:
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 80 else f"{text[:60]}... of {len(text)} characters"
