"""A real browser without a window: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.applications import Starlette

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no chromium on this machine (Debian: apt-get install chromium)"
TELEPHONE = 400
"""Width in pixels. A window of this width or less is operated by touch, and any other one by mouse."""
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")


def binary() -> str | None:
    """The browser; None if there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def started(program: str) -> Iterator[Browser]:
    """A browser that ends with the block."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


def window(browser: Browser, width: int = TELEPHONE, scheme: Literal["light", "dark"] = "light") -> Page:
    """A new window without cookies and cache."""
    small = width <= TELEPHONE
    context = browser.new_context(
        viewport={"width": width, "height": 800 if small else 900},
        color_scheme=scheme,
        has_touch=small,
        is_mobile=small,
        device_scale_factor=2 if small else 1,
    )
    context.set_default_timeout(30_000)
    return context.new_page()


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serves an application on a port of its own. Yields its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=15)
