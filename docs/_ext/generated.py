"""Sphinx extension: generated parts of pages, and formulas as MathML, which browsers show without a script."""

import re
from pathlib import Path
from typing import Any

import hosts
import pages
from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

LOG = logging.getLogger(__name__)
_INLINE = re.compile(r"\$`([^`]+)`\$")
"""Inline formulas as the forges write them."""


def fill(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the generated parts into a page, and its formulas into MyST's form."""
    if app.env.doc2path(name).suffix == ".md":
        source[0] = _INLINE.sub(r"{math}`\1`", pages.filled(source[0]))


_SIZES = re.compile(r"\\(?:[bB]ig+[lrm]?)(?![a-zA-Z])")
"""Sizes of brackets, which MathML stretches by itself."""
_FRACTION = re.compile(r"\\([td]?frac)\s*(\d)\s*(\d)")
"""Fractions of two digits without braces, which the converter misreads."""


def _mathml(writer: Any, node: nodes.math | nodes.math_block, *, block: bool) -> None:
    try:
        formula = latex2mathml.tex2mathml(
            _FRACTION.sub(r"\\\1{\2}{\3}", _SIZES.sub("", node.astext())), as_block=block
        )
    except (MathError, SyntaxError, ValueError) as error:
        LOG.warning("formula %r: %s", node.astext(), error, location=node)
        formula = ""
    writer.body.append(f'<div class="math">{formula}</div>' if block else str(formula))
    raise nodes.SkipNode


def inline(writer: Any, node: nodes.math) -> None:
    """Formula in a line."""
    _mathml(writer, node, block=False)


def block(writer: Any, node: nodes.math_block) -> None:
    """Formula on lines of its own."""
    _mathml(writer, node, block=True)


def plain_bars(_app: Sphinx, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Show `|x|` of docstrings as it is: a magnitude, not a substitution of reStructuredText."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[i] = "".join(
                part if k % 2 else part.replace("|", r"\|") for k, part in enumerate(re.split(r"(`[^`]*`)", line))
            )


def own_host_only(app: Sphinx, error: Exception | None) -> None:
    """Warn of pages that load anything from another host, which learns of each reader."""
    for page, address in [] if error else hosts.of_site(Path(app.outdir)):
        LOG.warning("%s loads %s", page.relative_to(app.outdir), address)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the parts with Sphinx."""
    app.connect("source-read", fill, priority=100)
    app.connect("autodoc-process-docstring", plain_bars)
    app.connect("build-finished", own_host_only)
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
