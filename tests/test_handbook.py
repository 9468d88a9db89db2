"""The site of the documentation: it tells of every published table, links to nothing that is gone, needs no network."""

import json
import re
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser

from handbook.build import build, render
from handbook.checks import IN_WORDS, Checks
from orchestration.errors import ClienteleError
from orchestration.settings import PROJECT_DIR, Settings
from tests.browser import CHROMIUM, LACK, PATIENCE, chromium

PROMISED = json.loads((PROJECT_DIR / "tests" / "published_schema.json").read_text())["tables"]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=LACK)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handbook") / "site"
    build(folder, Settings())
    return folder


class Links(HTMLParser):
    """What a page loads, what it leads to, and the places in it that others may lead to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {value for name, value in attrs if name in ("id", "name") and value}
        address = found.get("src") or found.get("href")
        if address and (tag in ("script", "img", "iframe") or (tag == "link" and found.get("rel") != "canonical")):
            self.loaded.append(address)
        elif address and tag == "a":
            self.leads.append(address)


def pages(site: Path) -> Iterator[Path]:
    yield from (page for page in site.rglob("*.html") if page.parent.name != "lineage" and page.name != "404.html")


def test_every_published_table_and_column_is_told_of_with_its_type(site: Path) -> None:
    text = "".join(page.read_text() for page in (site / "tables").glob("*.html"))
    text = re.sub(r"\s+", " ", text)
    assert len(PROMISED) > 80
    for table, columns in PROMISED.items():
        section = text[text.index(f'<h2 id="{table.split(".")[1]}">{table}<') :]
        section = section[: section.find("<h2 ", 4)]
        for column in columns:
            assert f"<code>{column}</code>" in section, f"{table}.{column}"


def test_nothing_leads_to_what_is_not_there_and_nothing_is_loaded_from_a_network(site: Path) -> None:
    ids = {page: Links(page).ids for page in pages(site)}
    broken = []
    for page in ids:
        links = Links(page)
        assert [address for address in links.loaded if urlsplit(address).netloc] == [], page
        for address in (*links.loaded, *links.leads):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            is_known = not parts.fragment or target not in ids or unquote(parts.fragment) in {*ids[target], "__skip"}
            if not target.exists() or not is_known:
                broken.append((page.name, address))
    assert broken == []


def test_every_page_is_found_from_the_side(site: Path) -> None:
    nav = tomllib.loads((PROJECT_DIR / "handbook" / "zensical.toml").read_text())["project"]["nav"]

    def listed(entries: list[Any]) -> Iterator[str]:
        for entry in entries:
            for target in entry.values():
                yield from listed(target) if isinstance(target, list) else [target]

    found = {str(page.relative_to(site).with_suffix(".md")) for page in pages(site)}
    written = {name for name in found if name.startswith("tables/")}
    assert found - written == set(listed(nav)) - {"tables/index.md"}, "name the page in nav of handbook/zensical.toml"
    beside = {str((site / link).relative_to(site)) for link in Links(site / "index.html").leads if "tables/" in link}
    assert {name.replace(".md", ".html") for name in written} <= beside


def test_a_link_to_a_page_or_heading_that_is_not_there_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.md").write_text("# Here\n\n[gone](gone.md) [there](#there)\n")
    with pytest.raises(ClienteleError, match=r"(?s)page does not exist.*anchor does not exist"):
        render(tmp_path)


def test_every_generic_test_of_the_project_has_words() -> None:
    macros = (PROJECT_DIR / "dbt_project" / "macros").glob("*.sql")
    ours = {name for file in macros for name in re.findall(r"{% test (\w+)\(", file.read_text())}
    assert ours - set(IN_WORDS) == {"grain", "complete"}
    limits = {
        "resource_type": "test", "test_metadata": {"name": "between", "kwargs": {"column_name": "share", "lowest": 0}},
        "attached_node": "model.a", "depends_on": {"nodes": ["model.a"]},
    }  # fmt: skip
    checks = Checks({"nodes": {"test.a": limits}, "unit_tests": {}})
    assert checks.of("model.a") == ("", "", ["`share` lies at 0 or above"])
    assert checks.of("model.b") == ("", "", [])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@needs_chromium
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_read_as_files_are_as_wide_as_the_screen_and_ask_nobody(browser: Browser, site: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in ("index.html", "tables/reports.html", "metrics.html", "lineage/index.html"):
        page.goto((site / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()


@needs_chromium
def test_search_finds_a_column_without_a_server(browser: Browser, site: Path) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto((site / "index.html").as_uri())
    page.get_by_role("button", name="Search").first.click()
    page.get_by_placeholder("Search").fill("return_rate")
    page.get_by_role("heading", name="reports.rpt_kpis_daily").first.wait_for(timeout=PATIENCE)
    page.close()
