"""The page's record, failures, spectra in time and read-only links in headless Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photogap.sweeps.ask.config import parse
from photogap.sweeps.ask.plan import resolve
from photogap.sweeps.drive.sweep import run
from photogap.sweeps.server import others
from photogap.sweeps.server.guard import read_token_of
from photogap.sweeps.store.place import place
from support.fake_config import tree
from support.page import NARROW, TIMEOUT, keep, state
from support.patience import PATIENCE
from support.serving import serving

pytestmark = pytest.mark.real
TOKEN = "a-token-of-sixteen-or-more"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("record"), token=TOKEN) as client:
        energies = {"settings": {"energies": [1, 2, 3, 4], "n_times": 9}}
        client.submit(tree({"fault": ["no", "raise", "diverge"]}, name="s", **energies))
        client.wait("s", PATIENCE)
        yield client


@pytest.fixture
def page(server: Any, chromium: Any) -> Iterator[Any]:
    """Page of a person who has signed in, with the sweep open; the console stays silent."""
    wrong: list[str] = []
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
    page.goto(f"{server.url}/#token={TOKEN}/s")
    page.wait_for_selector("#recordcard:visible")
    yield page
    context.close()
    # The browser itself notes a refusal, here that of two people who write at once.
    assert [text for text in wrong if "409" not in text] == []


def test_failures_of_one_reason_are_retried_by_a_named_person(server: Any, page: Any) -> None:
    page.fill("#who", "Ada Ł.")
    page.press("#who", "Tab")
    before = server.sweep("s")["started"]
    page.click("#reasons li:has-text('error') button:has-text('Retry these 3')")
    page.wait_for_function("() => document.getElementById('actions').textContent.includes('retry by Ada Ł.')")
    found = server.wait("s", PATIENCE)
    assert found["started"] > before
    assert found["computed"] == 3, "not those of the other reason"


def test_notes_tags_and_archive(server: Any, page: Any) -> None:
    assert page.locator("#runs tr").count() >= 1
    assert "core hours" in page.inner_text("#facts")
    page.fill("#notes", "<b>not bold</b>")
    page.fill("#tags", "paper, fig3")
    page.click("#savenote")
    page.wait_for_selector("#notesays:has-text('saved')")
    page.wait_for_selector("#sweeps .chip:has-text('fig3')")
    page.fill("#search", "fig3")
    assert page.locator("#sweeps li").count() == 1
    page.fill("#search", "")
    server.note("s", "of somebody else")
    page.fill("#notes", "mine")
    page.click("#savenote")
    page.wait_for_selector("#notesays:has-text('somebody has changed the notes')")
    page.check("#archived")
    page.click("#savenote")
    page.wait_for_selector("#notesays:has-text('saved')")
    page.click("#new")
    page.wait_for_selector("#sweeps li", state="detached")
    page.select_option("#state", "archived")
    page.click('#sweeps button[data-name="s"]')
    page.wait_for_selector("#recordcard:visible")
    assert page.input_value("#notes") == "mine"
    page.uncheck("#archived")
    page.click("#savenote")
    page.wait_for_selector("#notesays:has-text('saved')")
    keep(page, "record")


def test_spectra_in_time_are_slid_and_played(server: Any, page: Any) -> None:
    page.wait_for_selector("#spectrum svg")
    page.focus("#heattime")
    page.keyboard.press("Home")
    first = page.locator("#spectrum path.line").get_attribute("d")
    page.keyboard.press("End")
    assert page.get_attribute("#heattime", "aria-valuetext") == "time = 1 ps"
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#heatat") == "time = 0.75 ps"
    assert page.locator("#spectrum path.line").get_attribute("d") != first
    page.click("#play")
    page.wait_for_function("() => document.getElementById('heatat').textContent === 'time = 1 ps'")
    page.wait_for_selector("#play:has-text('Play')")
    # Another point A.
    page.focus("#map")
    for key in ("ArrowRight", "ArrowRight", "a"):
        page.keyboard.press(key)
    page.wait_for_selector("#heatsays:has-text('F0 = 10 mJ/cm²')")
    page.check("#heat-log")
    keep(page, "spectra")


def test_a_read_only_link_shows_and_changes_nothing(server: Any, page: Any, chromium: Any) -> None:
    assert page.is_visible("#share")
    context = chromium.new_context(viewport={"width": NARROW[0], "height": NARROW[1]})
    reader = context.new_page()
    reader.set_default_timeout(TIMEOUT)
    reader.goto(f"{server.url}/#token={read_token_of(TOKEN)}/s")
    reader.wait_for_selector("#curve svg")
    reader.wait_for_selector("#recordcard:visible")
    assert reader.is_visible("#reading")
    for hidden in ("#share", "#submit", "#retry", "#new", "#savenote"):
        assert reader.is_hidden(hidden), hidden
    assert reader.evaluate("document.getElementById('notes').readOnly")
    assert reader.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    assert reader.evaluate("fetch('/api/sweeps/s/retry', {method: 'POST'}).then((a) => a.status)") == 403
    keep(reader, "reader")
    context.close()


def test_a_cube_of_the_command_line_appears(server: Any, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "LOOK_S", 0.1)
    target = Path(server.sweep("s")["store"]).with_name("late.zarr")
    run(resolve(parse(tree(name="late"))), place(target), workers=0)
    page.wait_for_selector('#sweeps button[data-name="late"]')
    page.click('#sweeps button[data-name="late"]')
    state(page, r"^done: 3/3")
