"""YAML from users, parsed here only, and parts of the messages to users.

Values are counted, with aliases expanded, before anything is built from a text.
"""

import functools
import io
import itertools
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, ScalarEvent
from ruamel.yaml.nodes import CollectionNode, MappingNode

from ..core.declaration import nearest
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


def load_yaml(text: str, where: str, size: Size = TYPED) -> Any:
    """Plain values of a YAML text; `where` names it in an error.

    Raises:
        ConfigError: The text is not YAML, or is larger than `size` allows.
    """
    if len(text) > size.characters:
        raise ConfigError(f"{where} must have at most {size.characters} characters. Got {len(text)}.")
    try:
        tree = _tree(text, where, size)
    except YAMLError as error:
        raise ConfigError(f"{where} must be YAML. {_fault(error)}") from None
    except ConfigError:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ConfigError(f"{where} must be YAML with plain values. {error}") from None
    check_size(tree, where, size)
    return tree


def dump_yaml(tree: Any, **options: Any) -> str:
    """YAML text of plain values, keys in their order.

    Args:
        tree: The values.
        options: Attributes of `ruamel.yaml.YAML`, such as `default_flow_style=True`.
    """
    writer, out = YAML(typ="safe", pure=True), io.StringIO()
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    for name, value in {"default_flow_style": None, "allow_unicode": True, **options}.items():
        setattr(writer, name, value)
    writer.dump(tree, out)
    return out.getvalue()


class _Composer(Composer):
    """Refuse a text that is too large or too deep before more of it is read."""

    def __init__(self, where: str, size: Size, loader: Any = None) -> None:
        super().__init__(loader=loader)
        self.warn_double_anchors = False
        self._where, self._size, self._nodes, self.aliases = where, size, 0, 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Node of the next event."""
        self._nodes += 1
        if self.parser.check_event(AliasEvent):
            self.aliases += 1
        elif self.depth >= self._size.depth and not self.parser.check_event(ScalarEvent):
            _refuse_depth(self._where, self._size)
        _refuse_values(self._nodes, self._where, self._size)
        return super().compose_node(parent, index)


def _tree(text: str, where: str, size: Size) -> Any:
    """Values of a YAML 1.2 text; the nodes are weighed before anything is built from them."""
    reader = YAML(typ="safe", pure=True)
    reader.Composer = functools.partial(_Composer, where, size)  # type: ignore[assignment]
    try:
        node = reader.compose(text)
    except RecursionError:
        _refuse_depth(where, size)
    if node is None:
        return None
    _weigh(node, where, size, {}, ())
    _refuse_aliases(reader.composer.aliases, where, size)
    return reader.constructor.construct_document(node)


def _refuse_values(count: int, where: str, size: Size) -> None:
    if count > size.values:
        raise ConfigError(f"{where} must contain at most {size.values} values, with aliases expanded. Got more.")


def _refuse_aliases(count: int, where: str, size: Size) -> None:
    if count > size.aliases:
        raise ConfigError(
            f"{where} must have at most {size.aliases} YAML aliases. Got more; replace aliases by their values."
        )


def _refuse_depth(where: str, size: Size) -> NoReturn:
    raise ConfigError(f"{where} must not nest deeper than {size.depth} levels.")


def _weigh(node: Any, where: str, size: Size, weights: dict[int, int], above: tuple[int, ...]) -> int:
    """Values and keys of a node with its aliases expanded.

    Args:
        node: Node of the composed text; an alias is the node that it refers to.
        where: Name of the text in an error.
        size: Limits.
        weights: Weights of the nodes that are known, by identity; filled here.
        above: Identities of the nodes that contain this one.
    """
    if id(node) in above:
        raise ConfigError(f"{where} must not contain itself. Got the alias *{node.anchor} inside its own anchor.")
    if len(above) > size.depth:
        _refuse_depth(where, size)
    if id(node) not in weights:
        inner = node.value if isinstance(node, CollectionNode) else ()
        parts = itertools.chain.from_iterable(inner) if isinstance(node, MappingNode) else inner
        total = 1
        for part in parts:
            total += _weigh(part, where, size, weights, (*above, id(node)))
            _refuse_values(total, where, size)
        weights[id(node)] = total
    return weights[id(node)]


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


def _fault(error: Any) -> str:
    """Fault of a YAML text with its line and column."""
    if isinstance(error, DuplicateKeyError):
        key = str(error.problem).partition('"')[2].partition('" with value "')[0]
        return f"Line {error.problem_mark.line + 1}: the key `{key}` is given twice."
    if getattr(error, "problem_mark", None) is None:
        return " ".join(str(error).split())
    mark, began = error.problem_mark, error.context_mark
    since = f", {error.context} from line {began.line + 1}" if error.context and began else ""
    return f"Line {mark.line + 1}, column {mark.column + 1}: {error.problem}{since}."


def rule(error: Any) -> str:
    """Rule of a pydantic error, in YAML terms, as a sentence."""
    words = {
        "tuple_type": "must be a list",
        "list_type": "must be a list",
        "dict_type": "must be a mapping of keys",
    }
    if error["type"] == "literal_error":
        allowed = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        return f"must be one of {', '.join(allowed)}.{nearest(error['input'], allowed)}"
    text = words.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    return text if text.endswith((".", "?")) else f"{text}."


def suggest(word: str, known: list[str]) -> str:
    """Remedy for an unknown word: the nearest known one, or the list."""
    return nearest(word, known) or f" Known: {', '.join(sorted(known))}."


def short(value: Any) -> str:
    """Representation of a value in a message, at most 500 characters."""
    text = repr(value)
    return text if len(text) <= 500 else f"{text[:500]}..."
