"""The page's config editor in headless Chromium: completion, help, check while typing, form, difference."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from photogap.core.declaration import declarations
from photogap.core.settings import Settings
from photogap.sweeps.ask.config import Config
from support.fake_config import tree
from support.page import keep
from support.patience import PATIENCE
from support.serving import serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("editor")) as client:
        client.submit(yaml.safe_dump(tree(name="s"), sort_keys=False))
        client.wait("s", PATIENCE)
        yield client


def test_every_key_of_a_config_is_explained(server: Any) -> None:
    found = {row["path"]: row for row in server._json("GET", "keys")["keys"]}
    assert {f"settings.{name}" for name in declarations(Settings)} <= set(found)
    assert {name for name, field in Config.model_fields.items() if not field.exclude} <= set(found)
    for path, row in found.items():
        assert row["meaning"].endswith("."), path
    assert found["axes.F0"]["unit"] == "mJ/cm^2"
    assert found["settings.damping"]["values"].startswith("full")
    assert found["limits.losses"]["default"] == 3


def test_a_config_is_checked_without_work(server: Any) -> None:
    found = server._json("POST", "check", {"config": tree({"T": [30, 60]}, name="new")})
    assert (found["problem"], found["points"], found["shape"]["T"], found["exists"]) == (None, 6, 2, False)
    assert found["bytes"] > 0
    assert server._json("POST", "check", {"config": tree(name="s")})["exists"]
    found = server._json("POST", "check", {"config": tree({"T": [-1]}, name="new")})
    assert "`T` must be positive" in found["problem"]
    assert found["axes"]["T"] == [-1]
    assert [s["name"] for s in server.sweeps()] == ["s"], "nothing is queued"
    assert not (Path(server.sweep("s")["store"]).parent / "new.zarr").exists()


@pytest.mark.real
def test_completion_help_check_form_and_difference(server: Any, open_page: Any) -> None:
    page = open_page(server)
    page.click('#sweeps button[data-name="s"]')
    page.wait_for_selector("#checked:has-text('3 points (F0 3)')")
    page.wait_for_selector("#checked:has-text('extends the cube s')")
    assert page.is_hidden("#difference")
    page.focus("#config")
    page.keyboard.press("Control+End")
    page.keyboard.type("limits:\n  lo")
    page.wait_for_selector("#completions button:has-text('losses')")
    page.keyboard.press("Control+Space")
    page.wait_for_selector("#keyhelp:has-text('limits.losses: Number of workers')")
    page.keyboard.type("many")
    page.wait_for_selector("#checked.error:has-text('`limits.losses`')")
    page.wait_for_selector("#difference:visible")
    assert "+   losses: many" in page.inner_text("#differences")
    keep(page, "editor")
    page.click("#revert")
    page.click("#editor summary:has-text('five axes')")
    page.wait_for_function("() => document.getElementById('axis-F0').value === '0.1, 1, 10'")
    assert page.inner_text("#unit-F0") == "F0 (mJ/cm^2)"
    page.fill("#axis-F0", "log 0.1 10 5")
    page.fill("#axis-tau_esc", "0.02, .inf")
    page.click("#writeaxes")
    written = yaml.safe_load(page.input_value("#config"))
    expected = tree({"F0": {"geomspace": [0.1, 10, 5]}, "tau_esc": [0.02, float("inf")]}, name="s")
    expected["axes"]["omega_pump"] = [170]
    assert written == expected
    page.wait_for_selector("#checked:has-text('10 points (F0 5 × tau_esc 2)')")
