"""The pictures of the README and the docs, drawn anew from what is published: `python deploy/pictures.py`.

Wants a finished `make run`, the development extras (Playwright) and Debian's chromium. Both programs are started on
free ports of 127.0.0.1, looked at, and ended.
"""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from orchestration.settings import Settings

IMAGES: Final = Path(__file__).parents[1] / "docs" / "images"
CLIENTELE: Final = str(Path(sys.executable).with_name("clientele"))
PATIENCE: Final = 300
"""Seconds, on a busy machine."""
GROUPS: Final = (
    *("raw", "staging", "marts", "features", "churn", "clv", "recommendations", "demand", "campaigns", "feedback"),
    *("experiments", "models", "segmentation", "quality", "reports", "activation", "publish"),
)
MARGIN: Final = 24
SHARPNESS: Final = 1.4
"""Pixels of a picture for one of the page: names in the graph are small."""
BOXES: Final = """names => [...document.querySelectorAll('div')]
    .filter(one => one.children.length === 0 && names.includes(one.textContent.trim()))
    .map(one => one.getBoundingClientRect()).filter(box => box.x > 420 && box.width > 0)
    .map(box => [box.left, box.top, box.right, box.bottom])"""


WITHOUT_CONTROLS: Final = """() => {
    let one = document.querySelector('[class*=slider]');
    while (one && !['absolute', 'fixed'].includes(getComputedStyle(one).position)) one = one.parentElement;
    if (one) one.style.visibility = 'hidden';
}"""
"""Hides the slider that lies over the graph."""


def main() -> int:
    """Draw every picture; 2 where something is missing that they are made of or with."""
    chromium = shutil.which("chromium")
    if chromium is None or not (Settings().published_dir / "current").exists():
        sys.stderr.write("Pictures want Debian's chromium and something published: `make run` publishes.\n")
        return 2
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        with served("viewer", "/server_info") as address:
            asset_graph(browser, address, IMAGES / "asset_graph.png")
        with served("dashboard", "/_stcore/health") as address:
            dashboard(browser, address, IMAGES / "dashboard.png")
        browser.close()
    return 0


@contextmanager
def served(command: str, health: str) -> Iterator[str]:
    """A command of ours that serves pages, up; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [CLIENTELE, command, "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ours
        try:
            _wait(f"http://127.0.0.1:{port}{health}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def asset_graph(browser: Browser, address: str, file: Path) -> None:
    """The groups of the asset graph, from the files on the left to what BI reads on the right."""
    page = _page(browser, width=1700, height=1300)
    page.goto(f"{address}/asset-groups", timeout=PATIENCE * 1000)
    page.get_by_text("publish", exact=True).last.wait_for(timeout=PATIENCE * 1000)
    page.wait_for_timeout(5000)  # the graph moves to its place
    page.evaluate(WITHOUT_CONTROLS)
    boxes = page.evaluate(BOXES, list(GROUPS))
    left, top = (min(box[side] for box in boxes) for side in (0, 1))
    right, bottom = (max(box[side] for box in boxes) for side in (2, 3))
    clip = {
        "x": left - MARGIN,
        "y": top - MARGIN,
        "width": right - left + 3 * MARGIN,
        "height": bottom - top + 2 * MARGIN,
    }
    page.screenshot(path=file, clip=clip)  # type: ignore[arg-type] # a dictionary, as its TypedDict
    page.close()


def dashboard(browser: Browser, address: str, file: Path) -> None:
    """The dashboard's first page."""
    page = _page(browser, width=1280, height=950)
    page.goto(address, timeout=PATIENCE * 1000)
    page.locator("[data-drawn='Overview']").wait_for(state="attached", timeout=PATIENCE * 1000)
    page.wait_for_timeout(2000)  # charts are drawn after their page
    page.screenshot(path=file)
    page.close()


def _page(browser: Browser, *, width: int, height: int) -> Page:
    return browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="light", device_scale_factor=SHARPNESS
    )


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own address
            return
        time.sleep(0.5)
    raise RuntimeError(f"{address} does not answer: run the command by hand to see why.")


if __name__ == "__main__":
    sys.exit(main())
