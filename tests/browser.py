"""The dashboard as a process of its own on 127.0.0.1, and a headless Chromium that looks at it."""

import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from orchestration.settings import Settings
from tests.commands import CLIENTELE, environment
from tests.proxy import free_port

CHROMIUM = shutil.which("chromium")
LACK = "Chromium is not installed (Debian package chromium)"
PATIENCE = 120_000  # milliseconds, on a busy machine


@contextmanager
def dashboard(settings: Settings) -> Iterator[str]:
    """`clientele dashboard` on a free port, up; gives its address. What it logs lies in `dashboard.log`."""
    port = free_port()
    words = [CLIENTELE, "dashboard", "--port", str(port), "--data-dir", str(settings.data_dir)]
    given = environment(source=settings.source, data_dir=settings.data_dir)
    with serving(words, given, settings.data_dir / "dashboard.log", health=f"http://127.0.0.1:{port}/_stcore/health"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(words: Sequence[str], given: Mapping[str, str], log: Path, *, health: str) -> Iterator[None]:
    """A server in a process of its own, from when it answers to the end of the block.

    Raises:
        AssertionError: it ended, or did not answer in time.
    """
    with log.open("wb") as errors, subprocess.Popen(words, env=given, stdout=errors, stderr=errors) as process:
        try:
            _wait(health, process, log)
            yield
        finally:
            process.terminate()


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own address
            return
        time.sleep(0.2)
    raise AssertionError(f"no answer from {address}: {log.read_text()}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def settled(page: Page, title: str) -> None:
    """Wait until a page of this title is drawn."""
    page.get_by_role("heading", level=1, name=title, exact=True).wait_for(timeout=PATIENCE)
    page.locator(f"[data-drawn='{title}']").wait_for(state="attached", timeout=PATIENCE)
    page.wait_for_timeout(500)  # charts are drawn after their page


def copied(settings: Settings, folder: Path) -> Settings:
    """The published part of a data folder as one of its own, to change."""
    shutil.copytree(settings.published_dir, folder / "data" / "published", symlinks=True)
    return Settings(source=settings.source, data_dir=folder / "data")
