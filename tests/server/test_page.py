"""The page, end to end in headless Chromium: submit, watch, look, compare, retry; also narrow, also by keyboard."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import yaml

from support.cubes import QUICKSTART, physics
from support.fake_config import tree
from support.page import NARROW, TIMEOUT, download, keep, state
from support.serving import serving
from support.tallies import Tally

pytestmark = pytest.mark.real


def outside(page: Any) -> list[str]:
    """Words of the chart that stick out of it, or are too small to read."""
    found: list[str] = page.evaluate("""() => {
        const svg = document.querySelector('#curve svg'), box = svg.viewBox.baseVal;
        return [...svg.querySelectorAll('text')].filter((t) => {
            const b = t.getBBox(), wide = t.getAttribute('transform') ? b.height : b.width;
            const x = t.getAttribute('transform') ? 0 : b.x;
            return x < 0 || x + wide > box.width || parseFloat(getComputedStyle(t).fontSize) < 12;
        }).map((t) => t.textContent);
    }""")
    return found


def slide(page: Any, dim: str, last: str) -> None:
    """Move a slider to its end by the keyboard: another curve is drawn, and says for what."""
    before = page.locator("#curve svg").inner_html()
    slider = page.locator(f'input[type=range][data-dim="{dim}"]')
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("d => document.querySelector('#curve svg').innerHTML !== d", arg=before)
    assert slider.get_attribute("aria-valuetext") == last
    page.wait_for_selector(f"#curve svg[aria-label*='{dim} = {last}']")


def slow(**more: Any) -> str:
    axes = {"F0": {"geomspace": [0.1, 10, 8]}, "T": [30, 60, 90], "seconds": [0.02], "fault": ["no", "raise"]}
    return str(yaml.safe_dump(tree(axes, **more)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("page")) as client:
        yield client


def test_submit_watch_slide_and_download(server: Any, open_page: Any, tmp_path: Path, tally: Tally) -> None:
    page = open_page(server)
    tally.admit(10)
    page.click("#new")
    page.fill("#config", slow(name="first"))
    page.click("#submit")
    page.wait_for_selector('#sweeps button[data-name="first"][aria-current=true]')
    state(page, r"running: \d+/48")
    tally.open()
    page.wait_for_selector("#curve svg")
    state(page, r"^done: 48/48, 24 failed")
    page.wait_for_selector("#legend li:has-text('ok 24')")
    assert {" (mJ/cm²)", "T (K)", "0.1", "10", "30", "90"} <= set(page.evaluate("[...window.painted]"))
    assert page.title() == "first (done: 48/48) – photogap"
    assert page.get_attribute("#bar", "aria-valuetext") == "done: 48/48, 24 failed"
    assert "largest gap" in page.inner_text("#curvesays")
    assert outside(page) == []
    keep(page, "wide-done")

    page.select_option("#curve-variable", "Delta0")
    page.select_option("#curve-hue", "")
    page.wait_for_selector("#curve svg[aria-label^='Delta0 (meV) against time (ps)']")
    slide(page, "F0", "10 mJ/cm²")
    for button, start in (("#svg", b"<svg"), ("#png", b"\x89PNG")):
        target = download(page, button, tmp_path)
        assert target.name.startswith("first-Delta0-time-F0=10-T=30-fault=no.")
        assert target.read_bytes().startswith(start)
        assert target.stat().st_size > 1500
    page.select_option("#curve-variable", "Delta0_peak")
    page.select_option("#curve-x", "F0")
    for link, start in (("#csv", b"omega_pump"), ("#netcdf", b"CDF"), ("#plot", b"\x89PNG")):
        page.wait_for_selector(f"{link}[href*=Delta0_peak]")
        assert start in download(page, link, tmp_path).read_bytes()[:200]


def test_points_failures_and_retry(server: Any, open_page: Any, tally: Tally) -> None:
    page = open_page(server)
    page.click('#sweeps button[data-name="first"]')
    page.wait_for_selector("#legend li")
    page.focus("#map")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("b")
    page.wait_for_selector("#pointB svg")
    assert "0.1 mJ/cm²" in page.inner_text("#pointA")
    assert "60 K" in page.inner_text("#pointB")
    assert "Delta0_peak" in page.inner_text("#pointB")
    # The first column lies right of the labels: the mouse takes the cell that it points at.
    page.click("#map", position={"x": 60, "y": 8})
    page.wait_for_selector("#cursor:has-text('F0 = 0.1 mJ/cm²')")
    page.wait_for_selector("#reasons li")
    reasons = page.inner_text("#reasons")
    assert "24 error" in reasons
    assert re.search(r"photogap replay \S+first.zarr \w{16}", reasons)
    # The failing plane of the map: a point's traceback is one step away.
    page.click("#reasons button:has-text('Show as point A')")
    page.wait_for_selector("#legend li:has-text('error 24')")
    assert page.evaluate("document.activeElement.id") == "map"
    page.wait_for_selector("#pointA:has-text('no solution at F0=')")
    page.click("#pointA summary")
    assert "misbehave" in page.inner_text("#pointA pre")
    keep(page, "wide-points")
    tally.admit(0)
    page.click("#retry")
    state(page, r"^(queued|running)")
    tally.open()
    state(page, r"^done: 48/48, 24 failed")
    # No curve where nothing succeeded, and no picture of none.
    page.locator('input[data-dim="fault"]').press("End")
    page.wait_for_selector("#curve:has-text('No point here has a value')")
    assert page.is_disabled("#svg")
    assert page.is_disabled("#png")
    page.wait_for_selector("#plot:not([href])")
    keep(page, "wide-nothing")


def test_keyboard_focus_survives_updates(server: Any, open_page: Any) -> None:
    page = open_page(server)
    axes = {"F0": {"linspace": [1, 10, 30]}, "seconds": [0.05], "fault": ["raise"]}
    page.fill("#config", str(yaml.safe_dump(tree(axes, name="failing"))))
    page.click("#submit")
    page.wait_for_selector("#detail:focus")  # what was submitted is looked at
    page.focus("#reasons button")
    state(page, r"^done: 30/30, 30 failed")
    page.wait_for_selector("#reasons b:has-text('30 error')")
    assert page.evaluate("document.activeElement.textContent") == "Show as point A"


def test_edits_are_kept_and_back_button_works(server: Any, open_page: Any) -> None:
    page = open_page(server)
    page.click('#sweeps button[data-name="first"]')
    page.wait_for_function("() => document.getElementById('config').value.includes('name: first')")
    assert page.is_hidden("#revert")
    submitted = page.input_value("#config")
    page.fill("#config", "name: half-written\n")
    page.click('#sweeps button[data-name="failing"]')
    page.wait_for_function("() => document.getElementById('config').value.includes('name: failing')")
    page.go_back()
    page.wait_for_selector("#name:has-text('first')")
    page.wait_for_function("() => document.getElementById('config').value === 'name: half-written\\n'")
    page.click("#revert")
    assert page.input_value("#config") == submitted
    page.goto(f"{server.url}/#nowhere")
    page.wait_for_selector("#refused:has-text('This server has no sweep nowhere.')")
    page.fill("#search", "zzz")
    page.wait_for_selector("#none:has-text('No sweep matches.')")


def test_client_reconnects_to_a_restarted_server(open_page: Any, tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        page = open_page(client)
        page.fill("#config", str(yaml.safe_dump(tree({"T": [30, 60], "fault": ["no", "raise"]}, name="going"))))
        page.click("#submit")
        page.wait_for_selector("#curve svg", timeout=TIMEOUT)
        state(page, r"^done")
        port = int(client.url.rpartition(":")[2])
    page.wait_for_selector("#connection:has-text('The server does not answer')")
    page.locator('#curvecontrols input[data-dim="fault"]').press("End")
    page.click("#retry")
    page.wait_for_selector("#message:has-text('the server does not answer')")
    assert page.is_visible("#curve svg"), "what was drawn stays"
    keep(page, "gone")
    with serving(tmp_path, port=port, token="a-token-of-sixteen-or-more"):
        page.wait_for_selector("#login:visible")
        assert page.is_hidden("#main")
        page.fill("#token", "a-token-of-sixteen-or-more")
        page.keyboard.press("Enter")
        page.wait_for_selector("#sweeps button[data-name=going][aria-current=true]")
        assert page.inner_text("#connection") == ""
        page.click("#retry")
        state(page, r"^done")
        page.wait_for_selector("#reasons button")
        page.close()
    open_page.wrong[:] = [w for w in open_page.wrong if "401" not in w and "net::ERR" not in w]


def test_text_and_edges_have_enough_contrast() -> None:
    """Contrast as WCAG 2.1 AA asks: 4.5 for words, 3 for the edges of controls."""
    css = (Path(str(files("photogap.sweeps.server"))) / "static/style.css").read_text()

    def light(colour: str) -> float:
        digits = colour if len(colour) == 6 else "".join(2 * c for c in colour)
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    schemes = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(schemes) == 2, "light and dark"
    for scheme in schemes:
        of = {name: light(colour) for name, colour in re.findall(r"--([\w-]+): #([0-9a-f]+)", scheme)}
        for front, behind, least in (
            *((front, behind, 4.5) for front in ("text", "quiet", "error") for behind in ("card", "bg")),
            ("on-main", "main", 4.5),
            ("main", "card", 3),
            ("edge", "card", 3),
            ("edge", "bg", 3),
        ):
            low, high = sorted((of[front], of[behind]))
            assert (high + 0.05) / (low + 0.05) >= least, (front, behind)


def test_edit_and_submit_as_new_with_errors_and_confirmation(server: Any, open_page: Any) -> None:
    page = open_page(server)
    page.click('#sweeps button[data-name="first"]')
    page.wait_for_function("() => document.getElementById('config').value.includes('name: first')")
    config = page.input_value("#config")
    page.fill("#config", config + "colour: red\n")
    page.click("#submit")
    page.wait_for_selector("#refused:has-text('`colour`: unknown key.')")
    open_page.wrong[:] = [w for w in open_page.wrong if "422" not in w]  # the browser notes each refusal
    page.fill("#config", config.replace("name: first", "name: large").replace("- 8", "- 800"))
    page.click("#submit")
    page.wait_for_selector("#confirm:visible")
    assert "4800 points, over the limit of 2000" in page.inner_text("#refused")
    open_page.wrong[:] = [w for w in open_page.wrong if "409" not in w]
    page.click("#confirm")
    state(page, r"running: \d+/4800")
    page.wait_for_selector("#legend li:has-text('missing')")
    keep(page, "wide-running")
    page.click("#cancel")
    state(page, r"^cancelled: \d+/4800")
    assert page.is_enabled("#resume")
    page.fill("#search", "larg")
    page.wait_for_selector('#sweeps button[data-name="first"]', state="detached")
    assert page.locator("#sweeps li").count() == 1


def test_narrow_and_by_keyboard_alone(server: Any, open_page: Any) -> None:
    page = open_page(server, NARROW)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.name") == "first":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#curve svg")
    seen = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        name, outline = page.evaluate("""() => { const e = document.activeElement;
            return [e.id || e.dataset.dim, e === document.body ? 'solid' : getComputedStyle(e).outlineStyle]; }""")
        seen.add(name)
        assert outline != "none", f"where the keyboard is must be seen: {name}"
    assert {"map", "curve-variable", "curve-x", "svg", "png", "csv", "config", "submit", "check"} <= seen
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0], "nothing sticks out"
    assert outside(page) == []
    # Fingers have no Shift key.
    page.select_option("#take", "B")
    page.click("#map", position={"x": 60, "y": 8})
    page.wait_for_selector("#pointB svg")
    keep(page, "narrow")


def test_token_is_requested_until_correct_then_kept(open_page: Any, chromium: Any, tmp_path: Path) -> None:
    with serving(tmp_path, token="a-token-of-sixteen-or-more") as client:
        page = chromium.new_page()
        page.set_default_timeout(TIMEOUT)
        page.goto(client.url)
        page.fill("#token", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("#login .error:has-text('the token is wrong')")
        page.fill("#token", "a-token-of-sixteen-or-more")
        page.keyboard.press("Enter")
        page.wait_for_selector("#server:not(:empty)")
        page.reload()
        page.wait_for_selector("#server:not(:empty)")
        assert page.is_hidden("#login")
        page.close()


def test_the_printed_address_signs_in_and_drops_its_token(chromium: Any, tmp_path: Path) -> None:
    with serving(tmp_path, token="a-token-of-sixteen-or-more") as client:
        context = chromium.new_context()
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.goto(f"{client.url}/#token=a-token-of-sixteen-or-more")
        page.wait_for_selector("#server:not(:empty)")
        assert page.is_hidden("#login")
        assert "token" not in page.url
        page.reload()
        page.wait_for_selector("#server:not(:empty)")
        context.close()


@pytest.mark.slow
def test_quick_start_from_the_page_equals_the_command_line(
    start_server: Any, open_page: Any, tmp_path: Path, quickstart: xr.Dataset
) -> None:
    _, client = start_server(tmp_path, "--workers", 2, "--no-token")
    page = open_page(client)
    page.set_default_timeout(TIMEOUT)
    page.fill("#config", QUICKSTART.read_text())
    page.click("#submit")
    state(page, r"^running: [1-9]\d*/24")
    keep(page, "quickstart-running")
    state(page, r"^done: 24/24")
    page.wait_for_selector("#legend li:has-text('ok 24')")
    page.wait_for_selector("#curve svg[aria-label^='Delta0_peak (meV) against F0']")
    assert page.locator("#curve path.line").count() == 2, "one a damping"
    keep(page, "quickstart-done")
    page.select_option("#curve-variable", "Delta0")
    page.wait_for_selector("#curve svg[aria-label^='Delta0 (meV) against time (ps)']")
    lines = page.locator("#curve path.line")
    before = [line.get_attribute("d") for line in lines.all()]
    slide(page, "F0", "5 mJ/cm²")
    assert not set(before) & {line.get_attribute("d") for line in lines.all()}, "other curves, not other words"
    keep(page, "quickstart-slid")
    picture = download(page, "#svg", tmp_path)
    assert picture.name == "quickstart-Delta0-time-F0=5.svg"
    assert "F0 = 5 mJ/cm²" in picture.read_text()
    assert download(page, "#png", tmp_path).read_bytes().startswith(b"\x89PNG")
    xr.testing.assert_identical(physics(tmp_path / "quickstart.zarr"), quickstart)
