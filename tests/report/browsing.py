"""A real Chromium, driven by Playwright: what a page asks for, what it prints to its console."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NEEDED = "CROSSWIND_NEEDS_BROWSER"
"""Set to 1, the tests fail where there is no browser; else they are skipped with the reason."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def absent(reason: str) -> None:
    """Skip, or fail where a browser is asked for."""
    if os.environ.get(NEEDED) == "1":
        pytest.fail(f"{NEEDED}=1, but {reason}")
    pytest.skip(f"needs Chromium: {reason}")


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium, headless."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        absent(f"none of {', '.join(_NAMES)} is installed")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright is not installed (the extra `test` has it)")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page that is open, with all that it asked for and said."""

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        """Whether it asked for nothing but itself and said nothing."""
        return not self.console and not self.dialogs and len(self.requests) == 1

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


@contextmanager
def opened(
    browser: Any, path: Path, *, width: int = 1280, height: int = 800, scheme: str = "light"
) -> Iterator[Opened]:
    """A page in a window of its own."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    seen = Opened(page)
    page.on("console", lambda message: seen.console.append(message.text))
    page.on("pageerror", lambda error: seen.console.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri(), timeout=120_000)
    yield seen
    context.close()
