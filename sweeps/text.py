"""YAML from users, parsed here only, and parts of the messages to users.

Values are counted, with aliases expanded, before anything is built from a text.
"""

import contextlib
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from .errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Size:
    """Largest YAML text accepted.

    Args:
        characters: Characters of the text.
        values: Values and keys, with aliases expanded.
        depth: Levels of lists and mappings.
        aliases: Aliases.
    """

    characters: int = 4 * 1024**2
    values: int = 50_000
    depth: int = 50
    aliases: int = 1_000


TYPED: Final = Size()
"""Limits for files named on the command line."""
SERVED: Final = Size(values=10_000, depth=20, aliases=50)
"""Limits for a config in a request."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's floats (`1e-3` is a number although it has no dot) and unique keys."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Node of a mapping; PyYAML alone would silently keep the last of two equal keys.

        Keys are checked here because a built node holds merged and overridden keys together.
        """
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: dict[str, int] = {}
        for k, _ in node.value:
            line = k.start_mark.line + 1
            # `<<` is a merge, not a key.
            if isinstance(k, yaml.ScalarNode) and k.tag != "tag:yaml.org,2002:merge":
                if k.value in seen:
                    raise _TwiceError(f"the key `{k.value}` is given twice, in lines {seen[k.value]} and {line}")
                seen[k.value] = line
        return node


class _TwiceError(yaml.YAMLError):
    """A mapping has a key twice."""


# YAML 1.1 reads 04:00:00 as a number in base 60, which nobody wants.
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in _NUMBERS]
    for first, found in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"),
    list("-+0123456789."),
)


def load_yaml(text: str, where: str, size: Size = TYPED) -> Any:
    """Plain values of a YAML text; `where` names it in an error.

    Raises:
        ConfigError: The text is not YAML, or is larger than `size` allows.
    """
    if len(text) > size.characters:
        raise ConfigError(f"{where} must have at most {size.characters} characters. Got {len(text)}.")
    try:
        # The second parse reports a fault with its line.
        with contextlib.suppress(yaml.YAMLError):
            _weigh(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), where, size)
        tree = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where} must be YAML. {_fault(error)}") from None
    except ConfigError:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ConfigError(f"{where} must be YAML with plain values. {error}") from None
    check_size(tree, where, size)
    return tree


def _weigh(events: Iterator[yaml.Event], where: str, size: Size) -> None:
    """Check the depth and the expanded size of a text from its events, before anything is built."""
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
                raise ConfigError(
                    f"{where} must not contain itself. Got the alias *{event.anchor} inside its own anchor."
                )
        total += weights.get(event.anchor or "", 1) if isinstance(event, yaml.AliasEvent) else 1
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, total - 1))
        if len(open_nodes) > size.depth:
            raise ConfigError(f"{where} must not nest deeper than {size.depth} levels.")
        if aliases > size.aliases:
            raise ConfigError(
                f"{where} must have at most {size.aliases} YAML aliases. Got more; replace aliases by their values."
            )
        if total > size.values:
            raise ConfigError(
                f"{where} must contain at most {size.values} values, with aliases expanded. Got more."
            )


def check_size(tree: Any, where: str, size: Size) -> None:
    """Check the depth, the number of values, and that every text can be encoded.

    Raises:
        ConfigError: A limit is exceeded, or a text cannot be encoded.
    """
    count, level = 0, [tree]
    for _ in range(size.depth + 1):
        count += len(level)
        if count > size.values:
            raise ConfigError(f"{where} must contain at most {size.values} values. Got more.")
        for value in level:
            if isinstance(value, str):
                _check_text(value, where)
        level = [child for value in level for child in _children(value, where)]
        if not level:
            return
    raise ConfigError(f"{where} must not nest deeper than {size.depth} levels.")


def _children(value: Any, where: str) -> list[Any]:
    if isinstance(value, dict):
        for key in value:
            _check_text(str(key), where)
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _check_text(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{where} must be text that UTF-8 can encode. Got {text[:80]!r}.") from None


def _fault(error: yaml.YAMLError) -> str:
    """Fault of a YAML text with its line and column."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    mark, began = error.problem_mark, error.context_mark
    since = f", {error.context} from line {began.line + 1}" if error.context and began else ""
    return f"Line {mark.line + 1}, column {mark.column + 1}: {error.problem}{since}."


def rule(error: Any) -> str:
    """Rule of a pydantic error, in YAML terms."""
    words = {
        "tuple_type": "must be a list",
        "list_type": "must be a list",
        "dict_type": "must be a mapping of keys",
    }
    return words.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


def suggest(word: str, known: list[str]) -> str:
    """Remedy for an unknown word: the nearest known one, or the list."""
    near = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean `{near[0]}`?" if near else f" Known: {', '.join(sorted(known))}."


def short(value: Any) -> str:
    """Representation of a value in a message, at most 500 characters."""
    text = repr(value)
    return text if len(text) <= 500 else f"{text[:500]}..."


def as_yaml(tree: dict[str, Any]) -> str:
    """A tree as YAML text, short lists on one line."""
    return str(yaml.safe_dump(tree, sort_keys=False, default_flow_style=None, allow_unicode=True))
