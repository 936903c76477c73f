"""A real browser for tests: finds Chromium, opens pages from disk without a network, and notes what went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 400, "height": 800}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium without a window. Its sandbox doesn't start in a container."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visits:
    """Opens files in windows of their own and notes every complaint of theirs and all they asked for."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(
        self, file: Path, *, size: ViewportSize = WIDE, dark: bool = False, script: bool = True, before: str = ""
    ) -> Page:
        """Open ``file``; ``before`` is run in the page before its own scripts."""
        context = self.browser.new_context(
            viewport=size, color_scheme="dark" if dark else "light", java_script_enabled=script, offline=True
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("requestfailed", lambda request: self.complaints.append(f"{request.url}: {request.failure}"))
        page.on("request", lambda request: self.requests.append(request.url))
        if before:
            page.add_init_script(before)
        page.goto(file.resolve().as_uri())
        return page

    def close(self) -> None:
        """Close all windows."""
        for context in self.browser.contexts:
            context.close()

    def elsewhere(self) -> list[str]:
        """What was asked of any place but the disk and the page itself."""
        return [url for url in self.requests if not url.startswith(("file://", "data:"))]


def columns(page: Page, table: str, column: int) -> list[str]:
    """The texts of one column of a table's rows, as they stand now."""
    return [text.strip() for text in page.locator(f"{table} tbody tr > :nth-child({column})").all_inner_texts()]


def fits(page: Page) -> bool:
    """Whether the page is no wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
