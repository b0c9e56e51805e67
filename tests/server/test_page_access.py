"""The page for everybody: axe without findings, light and dark, wide and narrow; calm where that is asked for."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from support.fake_config import tree
from support.page import NARROW, keep
from support.patience import PATIENCE
from support.serving import serving

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("access")) as client:
        energies = {"settings": {"energies": [1, 2, 3, 4], "n_times": 9}}
        client.submit(tree({"T": [30, 60], "fault": ["no", "raise"]}, name="s", **energies))
        client.wait("s", PATIENCE)
        yield client


def findings(page: Any) -> list[str]:
    """Violations of WCAG and of good practice that axe finds."""
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document).then((r) => JSON.stringify(r.violations))")
    return [f"{v['impact']} {v['id']}: {[n['target'] for n in v['nodes']]}" for v in json.loads(found)]


def test_axe_finds_nothing(server: Any, open_page: Any) -> None:
    page = open_page(server)
    page.click('#sweeps button[data-name="s"]')
    for part in ("#spectrum svg", "#recordcard:visible", "#curve svg", "#reasons li", "#checked:not(:empty)"):
        page.wait_for_selector(part)
    page.focus("#map")
    page.keyboard.press("a")
    page.wait_for_selector("#pointA svg")
    for summary in page.locator("details:not([open]) > summary").all():
        if summary.is_visible():
            summary.click()
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    keep(page, "dark")
    assert findings(page) == []
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    assert findings(page) == []
    keep(page, "dark-narrow")


def test_spectra_play_slowly_where_less_motion_is_asked_for(server: Any, open_page: Any) -> None:
    page = open_page(server)
    page.emulate_media(reduced_motion="reduce")
    page.click('#sweeps button[data-name="s"]')
    page.wait_for_selector("#spectrum svg")
    page.evaluate("""() => { const start = setInterval; window.waits = [];
        window.setInterval = (f, ms) => { window.waits.push(ms); return start(f, 20); }; }""")
    page.click("#play")
    page.wait_for_selector("#play:has-text('Play')")
    page.emulate_media(reduced_motion="no-preference")
    page.click("#play")
    page.wait_for_selector("#play:has-text('Play')")
    calm, brisk = page.evaluate("window.waits")
    assert calm >= 500 > brisk
