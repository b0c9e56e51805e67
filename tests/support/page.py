"""The page in headless Chromium: sizes, waiting, downloads, screenshots."""

import os
import shutil
from pathlib import Path
from typing import Any

from support.patience import PATIENCE

WIDE, NARROW = (1400, 900), (390, 844)
TIMEOUT = 1000 * PATIENCE


def browser() -> str | None:
    """Path of a Chromium; None without one."""
    return os.environ.get("PHOTOGAP_CHROMIUM") or next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def keep(page: Any, name: str) -> None:
    """Screenshot, where a person wants to look at them."""
    folder = os.environ.get("PHOTOGAP_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def state(page: Any, pattern: str) -> None:
    page.wait_for_function("p => new RegExp(p).test(document.getElementById('numbers').textContent)", arg=pattern)


def download(page: Any, button: str, folder: Path) -> Path:
    """What a click brings, under the name that it suggests."""
    with page.expect_download() as waiting:
        page.click(button)
    target = folder / str(waiting.value.suggested_filename)
    waiting.value.save_as(target)
    return target
