"""Generated parts of the documentation: Markdown from the declarations, written while the site is built.

A page has a line `<!-- generated: NAME ARGUMENTS -->` where the part of that name belongs. Needs no Sphinx.
"""

import enum
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

import photogap
from photogap.core.quantities import AXES, DIMS
from photogap.core.result import OUTPUTS
from photogap.core.units import printed
from photogap.sweeps import errors
from photogap.sweeps.ask.config import PRESETS
from photogap.sweeps.cli.base import PANELS
from photogap.sweeps.cli.main import app
from photogap.sweeps.cli.reference import in_yaml
from photogap.sweeps.figures.registry import FIGURES
from photogap.sweeps.reference.keys import Key, sections
from photogap.sweeps.store.cube import BOOK

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = re.compile(r"^<!-- generated: (\w+)((?: \S+)*) -->$", re.MULTILINE)
PAGES = {
    "README.md": "start.md",
    "REPRODUCTION.md": "reproduction.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "CODE_OF_CONDUCT.md": "code_of_conduct.md",
    "SECURITY.md": "security.md",
}
"""Files of the root that the site shows, and the page of each."""
CORE = sorted(
    "photogap.core." + ".".join(path.relative_to(ROOT / "core").with_suffix("").parts)
    for path in (ROOT / "core").rglob("*.py")
    if path.name != "__init__.py"
)
"""Modules of the physics."""
PUBLIC: Mapping[str, tuple[str, ...]] = {
    "photogap.sweeps.analysis": (),
    "photogap.sweeps.figures": ("draw", "draw_cube", "save"),
    **{f"photogap.sweeps.figures.{row.draws.partition(':')[0]}": () for row in FIGURES.values()},
    "photogap.sweeps.figures.movies": (),
    "photogap.sweeps.results": (),
    "photogap.sweeps.materials.library": ("names", "load", "describe"),
    "photogap.sweeps.materials.spectra": ("read",),
    "photogap.sweeps.model": (),
    "photogap.sweeps.extension": (),
    "photogap.sweeps.clusters.system": (),
    "photogap.sweeps.errors": (),
}
"""Modules of the orchestration that users and plug-ins import; of some, only these names."""


def keys(*names: str) -> str:
    """Each key of the sections: type, unit, default, rule, meaning, outputs, example."""
    rows = sections()
    return "\n\n".join(_key(name, key) for name in names for key in rows[name.replace("_", " ")])


def kinds() -> str:
    """Keys of each kind of cluster file; those that all batch systems share come once."""
    rows = {name.removeprefix("cluster "): keys for name, keys in sections().items() if name.startswith("cluster ")}
    batch = [rows[name] for name in rows if any(key.name == "job_extra_directives" for key in rows[name])]
    shared = [key for key in batch[0] if all(key in other for other in batch)]
    parts = ["## Kinds of batch jobs", f"Keys that {', '.join(f'`{n}`' for n in rows if rows[n] in batch)} share."]
    parts += [_key("jobs", key) for key in shared]
    for name, found in rows.items():
        parts += [f"## Kind `{name}`", *(_key(name, key) for key in found if key not in shared)]
    return "\n\n".join(parts)


def presets() -> str:
    """Settings of each preset."""
    names = list(next(iter(PRESETS.values())))
    lines = _table(("preset", *(f"`{n}`" for n in names)))
    lines += [
        _row((f"`{preset}`", *(f"`{in_yaml(found.get(name))}`" for name in names)))
        for preset, found in PRESETS.items()
    ]
    return "\n".join(lines)


def _key(section: str, key: Key) -> str:
    facts = [
        key.kind if not key.words else "one of " + ", ".join(f"`{in_yaml(word)}`" for word in key.words),
        f"in {key.unit}" if key.unit else "",
        key.rule if not key.words else "",
        "**required**" if key.required else f"default {_default(key)}",
        "may be an axis" if section == "settings" and key.may_be_an_axis else "",
    ]
    lines = [f"({anchor(section, key.name)})=", f"### `{key.name}`", "", " · ".join(f for f in facts if f), ""]
    lines += [_text(key.meaning)]
    if key.outputs:
        lines += ["", "Records " + ", ".join(f"[`{name}`](#variable-{name})" for name in key.outputs) + "."]
    if key.example is not None:
        lines += ["", "```yaml", f"{key.name}: {in_yaml(key.example)}", "```"]
    return "\n".join(lines)


def anchor(section: str, name: str) -> str:
    """Name of the link target of a key."""
    return f"key-{section.replace(' ', '-')}-{name}"


def _default(key: Key) -> str:
    if key.kind.startswith("size") and isinstance(key.default, int):
        return f"`{key.default / 2**30:g}GiB`"
    if key.default is None and key.kind in ("keys", "number") and key.name != "omega_pump":
        return "those of its keys"
    return "the material's" if key.name == "omega_pump" and not key.required else f"`{in_yaml(key.default)}`"


def variables() -> str:
    """Variables of a cube by the settings that record them, then the record of each point."""
    lines = []
    for group in OUTPUTS:
        by = " and ".join(f"[`{name}`](#{anchor('settings', name)})" for name in group.by)
        lines += [f"### Recorded with {by}" if group.by else "### In every cube", ""]
        lines += _table(("variable", "symbol", "own dims", "unit", "meaning"))
        for v in group.variables:
            name = f"[]{{#variable-{v.name}}}`{v.name}`"
            lines.append(_row((name, _symbol(v.symbol), ", ".join(v.dims) or "none", _unit(v.units), v.long_name)))
        lines.append("")
    lines += ["### Record of each point", "", *_table(("variable", "type", "unit", "meaning"))]
    lines += [_row((f"`{name}`", kind, _unit(unit or "1"), words)) for name, (kind, _, unit, words) in BOOK.items()]
    return "\n".join(lines)


def coordinates() -> str:
    """Axes that every cube has, and the dims of its series."""
    lines = _table(("coordinate", "symbol", "unit", "meaning"))
    for name, found in {**AXES, **DIMS}.items():
        lines.append(_row((f"`{name}`", _symbol(found.symbol), _unit(found.unit), found.doc)))
    return "\n".join(lines)


def commands() -> str:
    """Every command with its arguments and options, in the order of the help."""
    root: Any = typer.main.get_command(app)
    codes = sorted({(e.exit_code, e.__doc__ or "") for e in vars(errors).values() if isinstance(e, type)})
    rows = [_row((str(code), _text(words.splitlines()[0]))) for code, words in codes]
    parts = ["## Exit codes", "\n".join([*_table(("code", "meaning")), *rows])]
    for panel, names in PANELS.items():
        parts.append(f"## {panel}")
        parts += [_command(root.commands[name], f"photogap {name}") for name in names]
    return "\n\n".join(parts)


def _command(command: Any, path: str) -> str:
    usage = " ".join(_metavar(p) for p in command.params if p.param_type_name == "argument")
    lines = [f"### `{path}`", "", _text(command.help or ""), ""]
    if getattr(command, "commands", None):
        return "\n".join(lines + [_command(sub, f"{path} {name}") + "\n" for name, sub in command.commands.items()])
    lines += ["```console", f"$ {path} {usage}".rstrip() + " [OPTIONS]", "```", ""]
    shown = [p for p in command.params if not getattr(p, "hidden", False) and p.name != "help"]
    if shown:
        lines += [*_table(("argument or option", "default", "meaning")), *map(_parameter, shown)]
    return "\n".join(lines)


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{_metavar(parameter)}`"
    else:
        name = ", ".join(f"`{opt}`" for opt in (*parameter.opts, *parameter.secondary_opts))
        name += "" if parameter.is_flag or parameter.is_bool_flag else f" {_metavar(parameter)}"
    return _row((name, _shown_default(parameter), _text(parameter.help or "")))


def _metavar(parameter: Any) -> str:
    """Placeholder of a value, as the usage line has it."""
    if parameter.metavar:
        return str(parameter.metavar)
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    kind = parameter.type_descriptor.annotation
    kind = typing.get_args(kind)[0] if typing.get_origin(kind) is list else kind
    words = [str(word.value) for word in kind] if isinstance(kind, enum.EnumMeta) else []
    return "|".join(words) or {str: "TEXT", int: "INTEGER", float: "NUMBER"}.get(kind, "FILE")


def _shown_default(parameter: Any) -> str:
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    if parameter.required:
        return "**required**"
    given = parameter.default
    return (
        ""
        if given is None or given is False or callable(given) or given == []
        else f"`{getattr(given, 'value', given)}`"
    )


def gallery() -> str:
    """Each figure with its picture, its caption and the commands that draw it."""
    parts = []
    for name, row in FIGURES.items():
        title = f"{row.pane}: `{name}`" if row.pane else f"`{name}`"
        module, _, function = row.draws.partition(":")
        parts.append(
            f"## {title}\n\n{_sentence(row.shows)} "
            f"Drawn by {{py:func}}`{function} <photogap.sweeps.figures.{module}.{function}>`.\n\n"
            f"```{{image}} {picture(name).relative_to(ROOT / 'docs')}\n:alt: {row.shows}\n:width: 90%\n```\n\n"
            f"```sh\n{command(name)}\n```"
        )
    return "\n\n".join(parts)


def picture(name: str) -> Path:
    """Committed picture of a figure: that of REPRODUCTION.md, else the gallery's own."""
    from photogap.sweeps.reproduction.page import PICTURES

    found = next((p for p in PICTURES if p.figure == name and p.cube[0] == FIGURES[name].config), None)
    folder = ROOT / "docs" / "figures"
    return folder / "reproduction" / f"{found.stem}.png" if found else folder / "gallery" / f"{name}.png"


def command(name: str) -> str:
    """Commands that draw a figure."""
    row = FIGURES[name]
    at = "".join(f" --at {axis}={in_yaml(value)}" for axis, value in row.at.items())
    return f"photogap run configs/{row.config}.yaml\nphotogap plot results/{row.config}.zarr --figure {name}{at}"


def front() -> str:
    """The public names of the package."""
    return "\n\n".join(
        f"```{{eval-rst}}\n.. {_directive(getattr(photogap, name))}:: photogap.{name}\n```"
        for name in photogap.__all__
        if name not in photogap._MODULES
    )


def _directive(thing: Any) -> str:
    return "autoclass" if isinstance(thing, type) else "autofunction"


def modules(which: str) -> str:
    """Each module with its functions and classes."""
    found = dict.fromkeys(CORE, ()) if which == "core" else PUBLIC
    return "\n\n".join(
        f"## `{module.removeprefix('photogap.')}`\n\n```{{eval-rst}}\n{_documented(module, names)}\n```"
        for module, names in found.items()
    )


def _documented(module: str, names: tuple[str, ...]) -> str:
    """Directives for a whole module, or for some functions of it."""
    return "\n\n".join(f".. autofunction:: {module}.{name}" for name in names) or f".. automodule:: {module}"


def page(name: str) -> str:
    """A page of the root, with its links as seen from docs/."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.sub(r"(\]\()(?!https?://|#|mailto:)([^)]+)", lambda m: f"{m[1]}{_from_docs(m[2])}", text)


def _from_docs(target: str) -> str:
    return target.removeprefix("docs/") if target.startswith("docs/") else f"../{target}"


def relinked(text: str) -> str:
    """A page whose links to files of the root, and to modules of the physics, lead to their pages of the site."""
    for file, page_name in PAGES.items():
        text = re.sub(rf"\]\((?:\.\./)+{re.escape(file)}(#[^)]*)?\)", rf"](/{page_name}\1)", text)
    text = re.sub(r"\]\(\.\./notebooks/(\w+)\.py\)", r"](notebooks/\1)", text)
    text = re.sub(r"\[([^]]+)\]\((?:\.\./)+(core/[\w/]+)\.py\)", _module_link, text)
    text = re.sub(
        r"\[([^]]+)\]\((?:\.\./)+(?:core|sweeps|tests)(?:/\w+)*/?\)", r"`\1`", text
    )  # a folder has no page
    # Other modules are downloads; a bare link to a .py file would be one to a notebook.
    return re.sub(r"\[`?([^]`]+)`?\]\(((?:\.\./)+[\w/]+\.py)\)", r"{download}`\1 <\2>`", text)


def _module_link(found: re.Match[str]) -> str:
    return f"{{py:mod}}`{found[1]} <photogap.{found[2].replace('/', '.')}>`"


GENERATORS: Mapping[str, Callable[..., str]] = {
    f.__name__: f
    for f in typing.cast(
        "Iterable[Callable[..., str]]",
        (keys, kinds, presets, variables, coordinates, commands, gallery, front, modules, page),
    )
}
"""Parts by name."""


def filled(text: str) -> str:
    """A page with its generated parts."""
    return relinked(PLACEHOLDER.sub(lambda m: GENERATORS[m[1]](*m[2].split()), text))


def _table(heads: Iterable[str]) -> list[str]:
    cells = tuple(heads)
    return [_row(cells), "|---" * len(cells) + "|"]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _unit(cf: str) -> str:
    return printed(cf)


def _symbol(symbol: str) -> str:
    """A symbol in print as Markdown; those in plain words say no more than the name."""
    return re.sub(r"\$([^$]*)\$", r"{math}`\1`", symbol) if "$" in symbol else ""


def _sentence(words: str) -> str:
    text = _text(words)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _text(words: str) -> str:
    """Plain words as Markdown: `<`, `*`, `_`, `[` and `$` outside code are literal."""
    parts = re.split(r"(`[^`]*`)", words)
    return "".join(p if i % 2 else re.sub(r"([<*_\[\]$])", r"\\\1", p) for i, p in enumerate(parts))
