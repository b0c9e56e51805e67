"""The page's map in headless Chromium: colour by any variable, lines, panels, keyboard, limits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.server.options import RequestLimits
from support.fake_config import tree
from support.page import NARROW, keep
from support.patience import PATIENCE
from support.serving import serving

pytestmark = pytest.mark.real
LOWEST, HIGHEST = [0, 34, 78], [254, 232, 56]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    axes = {
        "F0": {"geomspace": [0.1, 10, 8]},
        "T": {"linspace": [10, 80, 8]},
        "damping": ["full", "real"],
        "fault": ["no", "raise"],
    }
    with serving(tmp_path_factory.mktemp("map"), limits=RequestLimits(values=1000)) as client:
        client.submit(tree(axes, name="m"))
        client.wait("m", PATIENCE)
        yield client


def cells(page: Any, colour: list[int]) -> int:
    """Number of the map's pixels in a colour."""
    found: int = page.evaluate(
        """(colour) => {
            const map = document.getElementById('map'), c = document.createElement('canvas');
            [c.width, c.height] = [map.width, map.height];
            const pen = c.getContext('2d', { willReadFrequently: true });
            pen.drawImage(map, 0, 0);
            const d = pen.getImageData(0, 0, c.width, c.height).data;
            let n = 0;
            for (let i = 0; i < d.length; i += 4) n += d[i + 3] === 255 && colour.every((v, k) => d[i + k] === v);
            return n; }""",
        colour,
    )
    return found


def shown(page: Any, name: str = "m") -> None:
    page.click(f'#sweeps button[data-name="{name}"]')
    page.wait_for_selector("#legend li")


def test_values_lines_panels_and_status(server: Any, open_page: Any) -> None:
    page = open_page(server)
    shown(page)
    assert page.input_value("#map-variable") == "Delta0_peak"
    assert {"Peak Δ", "F", "T (K)"} <= set(page.evaluate("[...window.painted]")), "symbols as in plots"
    assert cells(page, LOWEST) > 100
    assert cells(page, HIGHEST) > 100
    page.focus("#map")
    for key in ["ArrowUp"] * 7 + ["ArrowRight"] * 7 + ["ArrowDown"] * 7:
        page.keyboard.press(key)
    peak = float(server.slice("m", "Delta0_peak", F0=10, T=10, damping="full", fault="no").Delta0_peak.item())
    page.wait_for_selector(f"#cursor:has-text('Delta0_peak = {peak:.4g} meV: A, F0 = 10 mJ/cm²')")
    page.keyboard.press("b")
    page.wait_for_selector("#pointB:has-text('10 mJ/cm²')")
    none = cells(page, [0, 0, 0])
    page.fill("#map-threshold", str(peak / 10))
    page.keyboard.press("Enter")
    assert cells(page, [0, 0, 0]) > none + 300, "the border of the region above a threshold"
    border = cells(page, [0, 0, 0])
    page.select_option("#map-lines", "contours")
    assert cells(page, [0, 0, 0]) not in (none, border)
    page.check("#map-log")
    keep(page, "map-values")
    page.select_option("#map-panels", "damping")
    page.wait_for_function("() => window.painted.has('damping: full') && window.painted.has('damping: real')")
    page.focus("#map")
    page.keyboard.press("PageDown")
    page.wait_for_selector("#cursor:has-text('damping = real')")
    keep(page, "map-panels")
    page.select_option("#map-at-fault", "1")
    page.wait_for_selector("#legend li:has-text('error 128')")
    page.select_option("#map-variable", "wall_time")
    page.wait_for_function("() => window.painted.has('wall time (s)')")
    page.select_option("#map-variable", "")
    page.wait_for_selector("#map-lines", state="detached")
    assert cells(page, [213, 94, 0]) > 1000, "the colour of errors"
    page.select_option("#map-variable", "Delta0")
    page.select_option("#map-at-fault", "0")
    page.wait_for_selector("#legend li:has-text('ok 128')")
    assert any(text.startswith("largest Δ") for text in page.evaluate("[...window.painted]"))


def test_narrow_map_by_touch(server: Any, open_page: Any) -> None:
    page = open_page(server, NARROW)
    shown(page)
    page.select_option("#map-panels", "damping")
    page.wait_for_function("() => window.painted.has('damping: real')")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    box = page.locator("#map").bounding_box()
    page.click("#map", position={"x": box["width"] - 3, "y": 24})
    page.wait_for_selector("#pointA:has-text('80 K')")
    keep(page, "map-narrow")


def test_a_plane_over_the_limit_shows_the_reason(server: Any, open_page: Any, tmp_path: Path) -> None:
    with serving(tmp_path, limits=RequestLimits(values=100)) as client:
        client.submit(tree({"F0": {"linspace": [1, 10, 30]}, "T": {"linspace": [10, 400, 20]}}, name="huge"))
        page = open_page(client)
        page.click('#sweeps button[data-name="huge"]')
        page.wait_for_selector("#cursor:has-text('600 points, over the limit of 100')")
        assert page.is_hidden("#map")
        page.select_option("#curve-hue", "T")
        page.select_option("#map-y", "")
        page.wait_for_selector("#map:visible")
        client.wait("huge", PATIENCE)
        page.wait_for_selector("#legend li:has-text('ok 30')")
        assert page.input_value("#curve-hue") == "T", "the choice stays while the sweep continues"
        page.close()
    open_page.wrong[:] = [w for w in open_page.wrong if "413" not in w and "net::ERR" not in w]
