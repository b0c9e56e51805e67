"""The page's curves in headless Chromium: reading, zoom, errors, comparison, measurements, downloads, Python."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from photogap.sweeps.store.cube import Cube
from photogap.sweeps.store.kept_errors import keep as keep_errors
from photogap.sweeps.store.place import place
from support.fake_config import tree
from support.page import NARROW, download, keep
from support.patience import PATIENCE
from support.serving import serving

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("curves")
    axes = {"material": ["A"], "F0": {"geomspace": [0.1, 10, 8]}, "T": [10, 30, 90], "damping": ["full", "real"]}
    with serving(folder) as client:
        for name, material in (("one", ["A"]), ("two", ["B"])):
            client.submit(tree(axes | {"material": material}, name=name))
            client.wait(name, PATIENCE)
        cube = Cube(place(folder / "one.zarr"), read_only=True)
        for point in np.ravel(cube.array("point_id")[...]):
            keep_errors(cube.place, str(point), {"Delta0_peak": 0.05, "Delta0": 0.03})
        yield client


def shown(page: Any, name: str = "one") -> None:
    page.click(f'#sweeps button[data-name="{name}"]')
    page.wait_for_selector("#curve svg")


def test_lines_are_told_apart_read_and_zoomed(server: Any, open_page: Any) -> None:
    page = open_page(server)
    shown(page)
    lines = page.locator("#curve path.line")
    for attribute in ("stroke", "stroke-dasharray"):
        assert len({line.get_attribute(attribute) for line in lines.all()}) == lines.count() == 3, attribute
    assert len({dot.get_attribute("d") for dot in page.locator("#curve path.dot").all()}) == 3, "markers"
    words = page.locator("#curve svg").text_content()
    assert "Peak Δ0 (meV)" in words
    assert "F0 (mJ/cm²)" in words
    assert page.locator("#curve tspan[font-size]").count() >= 2, "lowered"
    assert page.locator("#curve path.errors").count() == 3
    page.focus("#curve")
    page.keyboard.press("End")
    found = server.slice("one", "Delta0_peak", F0=10, damping="full").Delta0_peak.squeeze()
    text = page.inner_text("#curveread")
    assert text.startswith("F0 = 10 mJ/cm²; 10: ")
    for T in (10, 30, 90):
        assert f"{T}: {float(found.sel(T=T)):.6g}"[:8] in text
    assert "± 0.05" in text
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#curveread:has-text('F0 = 5.17947 mJ/cm²')")
    box = page.locator("#curve svg").bounding_box()
    whole = lines.first.get_attribute("d")
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.7)
    page.mouse.up()
    page.wait_for_selector("#unzoom:visible")
    assert lines.first.get_attribute("d") != whole
    keep(page, "curves-zoomed")
    page.focus("#curve")
    page.keyboard.press("Escape")
    page.wait_for_selector("#unzoom", state="hidden")
    assert lines.first.get_attribute("d") == whole
    page.keyboard.press("+")
    page.wait_for_selector("#unzoom:visible")
    page.click("#unzoom")
    page.check("#curve-logY")
    page.uncheck("#curve-logX")
    assert lines.first.get_attribute("d") != whole


def test_a_series_opens_against_time_and_shows_its_largest_value(
    server: Any, open_page: Any, tmp_path: Path
) -> None:
    page = open_page(server)
    shown(page)
    page.select_option("#curve-variable", "Delta0")
    page.wait_for_selector("#curve svg[aria-label^='Delta0 (meV) against time (ps)']")
    page.select_option("#curve-x", "F0")
    page.wait_for_selector("#curve svg:has-text('largest Δ')")
    assert page.get_attribute('input[data-dim="time"]', "aria-valuetext") == "largest over time"
    page.locator('input[data-dim="damping"]').press("End")
    page.wait_for_selector("#curve svg[aria-label*='damping = real']")
    page.wait_for_selector("#csv[href*='largest=time']")
    page.wait_for_function("() => document.getElementById('snippet').textContent.includes('real')")
    target = download(page, "#csv", tmp_path)
    assert target.name.startswith("one-Delta0-")
    assert "damping=real" in target.name
    assert len(target.read_text().splitlines()) == 1 + 8 * 3
    assert download(page, "#netcdf", tmp_path).name.endswith(".nc")
    assert download(page, "#pdf", tmp_path).read_bytes().startswith(b"%PDF")
    picture = download(page, "#svg", tmp_path)
    assert picture.name == "one-Delta0-F0-damping=real-time=largest.svg"
    assert "cross" not in picture.read_text()
    # The same view from the cube.
    matplotlib.use("Agg")
    code = page.text_content("#snippet").replace("plt.show()", "")
    space: dict[str, Any] = {}
    exec(code, space)
    plt.close("all")
    expected = server.slice("one", "Delta0", damping="real").Delta0.max("time").squeeze()
    drawn = space["values"].squeeze()
    np.testing.assert_allclose(drawn.transpose(*expected.dims).values, expected.values)


def test_another_sweep_and_measurements_lie_over_it(server: Any, open_page: Any, tmp_path: Path) -> None:
    page = open_page(server)
    shown(page)
    page.select_option("#curve-compare", "two")
    page.wait_for_selector("#curve svg:has-text('10 – two')")
    assert page.locator("#curve path.line").count() == 6
    page.wait_for_selector("#comparesays:has-text('two is drawn at material=B.')")
    table = tmp_path / "lab.csv"
    table.write_text("# lab 7\nF0;gap (meV);error\n0,1;0,2;0,05\n1;0,4;0,05\n5;0,3;\n")
    page.set_input_files("#measured", table)
    page.wait_for_selector("#curve svg:has-text('gap (meV) (lab.csv)')")
    assert page.locator("#curve path.line").count() == 6, "measured points have no line"
    assert page.locator("#curve path.errors").count() == 4
    page.wait_for_selector("#filesays:has-text('3 rows against F0')")
    keep(page, "curves-overlay")
    table.write_text("x,y\n1,2\n3,oops\n")
    page.set_input_files("#measured", table)
    page.wait_for_selector("#filesays:has-text(\"line 3, column 2: must be a number. Got 'oops'.\")")
    table.write_text("x y\n1 2\n3 4\n")
    page.set_input_files("#measured", table)
    page.wait_for_selector("#curve svg:has-text('y (lab.csv)')")
    page.click("#unmeasure")
    page.wait_for_function("() => !document.querySelector('#curve svg').textContent.includes('lab.csv')")
    page.select_option("#curve-compare", "")
    page.wait_for_function("() => document.querySelectorAll('#curve path.line').length === 3")


def test_narrow_curves_fit(server: Any, open_page: Any) -> None:
    page = open_page(server, NARROW)
    shown(page)
    page.select_option("#curve-compare", "two")
    page.wait_for_selector("#curve svg:has-text('10 – two')")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    keep(page, "curves-narrow")
