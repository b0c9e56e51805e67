"""Wording that STYLE asks to avoid stays out of messages, help, docstrings and pages."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(p for folder in ("core", "sweeps", "src/photogap") for p in (ROOT / folder).rglob("*.py"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
AVOIDED = re.compile(
    r"(?m)(?:^|(?<=[.:;] ))(?:What|Who) (?![^.]*\?)|\bbeside\b|\b(?:is|are) told\b|where there is none"
    r"|\b(?:goes?|gone) on (?:with|by)\b|\bhangs? on\b|\bof one's own\b|\bon of its own accord\b"
)


def sentences(path: Path) -> list[str]:
    """Texts of a page, or the strings of a module."""
    if path.suffix == ".md":
        return [path.read_text()]
    return [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    ]


@pytest.mark.parametrize(
    "text", ["What is nowhere is refused", "A cube. Who lacks it", "its time hangs on T", "is told"]
)
def test_avoided_wording_is_found(text: str) -> None:
    assert AVOIDED.search(text)


@pytest.mark.parametrize("text", ["What would give 7 meV?", "besides", "A table told apart", "Whatever the rate"])
def test_other_wording_is_not(text: str) -> None:
    assert not AVOIDED.search(text)


def test_sources_and_pages_avoid_translated_wording() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {text[max(0, hit.start() - 30) : hit.end() + 40]!r}"
        for path in (*SOURCES, *PAGES)
        for text in sentences(path)
        for hit in [AVOIDED.search(text)]
        if hit
    ]
    assert found == []
