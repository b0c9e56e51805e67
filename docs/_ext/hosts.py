"""Addresses of other hosts that a page of the site would load when it is opened; links are not loaded."""

import re
from html.parser import HTMLParser
from pathlib import Path

_AWAY = re.compile(r"(?:https?:)?//")
_IN_STYLE = re.compile(r"(?:@import\s+|url\(\s*)[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)
_LOADS = {("link", "href"), ("use", "href"), ("image", "href"), ("object", "data")}
"""Attributes that load their address, with `src` and `srcset` of every tag."""
_ONLY_NAMED = {"canonical", "alternate", "author", "license", "next", "prev"}
"""Relations of a `link` that name an address without loading it."""


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag loads."""
        given = {name: value or "" for name, value in attrs}
        named = set(given.get("rel", "").split()) & _ONLY_NAMED
        for name, value in given.items():
            loads = name in ("src", "srcset", "poster") or ((tag, name) in _LOADS and not named)
            if loads and _AWAY.match(value.strip()):
                self.found.append(value.strip())
        self.found += _IN_STYLE.findall(given.get("style", ""))


def loaded(text: str, *, style: bool = False) -> list[str]:
    """Addresses of other hosts in an HTML page, or in a style sheet."""
    if style:
        return _IN_STYLE.findall(text)
    page = _Loads()
    page.feed(text)
    sheets = re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL | re.IGNORECASE)
    return page.found + [address for sheet in sheets for address in _IN_STYLE.findall(sheet)]


def of_site(folder: Path) -> list[tuple[Path, str]]:
    """All such addresses of a built site, each with its page."""
    pages = (p for p in sorted(folder.rglob("*")) if p.suffix in (".html", ".css"))
    return [(p, a) for p in pages for a in loaded(p.read_text(encoding="utf-8"), style=p.suffix == ".css")]
