"""A real browser for tests: finds Chromium, or installs it where that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_INSTALL = "apt-get install -y --no-install-recommends chromium fonts-dejavu-core"


class NoBrowser(RuntimeError):
    """There is no Chromium here and none could be installed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The browser tests need Chromium. Run: sudo {_INSTALL}\n{why}")


@cache
def executable() -> str:
    """The path of Chromium; installs Debian's package when missing and allowed. Raises NoBrowser."""
    if found := _find():
        return found
    if shutil.which("apt-get") is None or os.getuid() != 0:
        raise NoBrowser("It was not found, and installing it needs root and apt-get.")
    subprocess.run(["apt-get", "update", "-qq"], check=False)
    done = subprocess.run(_INSTALL.split(), capture_output=True, text=True)
    if found := _find():
        return found
    raise NoBrowser(done.stderr[-500:])


@contextmanager
def launched() -> Iterator[Browser]:
    """A running headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def _find() -> str:
    return os.environ.get("CHROMIUM") or next((path for name in _NAMES if (path := shutil.which(name))), "")
