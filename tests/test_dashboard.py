"""The dashboard in a real browser: every page loads, shows the tables' numbers, fits a phone, and reads to everyone."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from dashboard.kpis import weekly
from dashboard.published import Published
from dashboard.views import PAGES
from dashboard.words import value_of
from orchestration.publishing.generations import DATABASE, swap
from orchestration.settings import Settings
from tests.browser import CHROMIUM, LACK, chromium, copied, dashboard, settled

EARLIER = "An earlier release published this version."
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=LACK)


@pytest.fixture(scope="module")
def shown(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What the first run published, in a folder that a test may publish to."""
    return copied(settings, tmp_path_factory.mktemp("shown"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(shown: Settings) -> Iterator[str]:
    with dashboard(shown) as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The overview, with what the browser complained about as `complaints`."""
    opened = browser.new_page(viewport={"width": 1440, "height": 1000})
    opened.goto(address)
    settled(opened, "Overview")
    yield opened
    opened.close()


def test_every_page_loads_without_an_error_and_reads_to_everyone(
    browser: Browser, address: str, shown: Settings
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url) if not _is_own(asked.url, address) else None)
    page.goto(address)
    page.get_by_role("heading", level=1, name="Overview").wait_for()  # and go on before it is drawn, as people do
    serious: dict[str, list[str]] = {}
    for title in (one.title for one in PAGES):
        page.get_by_role("link", name=title).first.click()
        settled(page, title)
        assert page.get_by_test_id("stException").count() == 0, page.get_by_test_id("stException").first.inner_text()
        assert page.get_by_text(EARLIER).count() == 0, title
        found = Axe().run(page).response["violations"]
        serious |= {f"{title}: {one['id']}": one["help"] for one in found if one["impact"] in ("serious", "critical")}
    page.close()
    assert complaints == []
    assert serious == {}
    assert "Warning" not in (log := (shown.data_dir / "dashboard.log").read_text()), log


def _is_own(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


def test_every_page_opened_by_its_address_fits_a_phone_and_reads_to_everyone_there_in_the_dark(
    browser: Browser, address: str, shown: Settings
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    customer = Published((shown.published_dir / "current").resolve()).value(
        "select min(customer_id) from ml.churn_reasons"
    )
    wide, serious = {}, {}
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for _, title, _, path in PAGES:
        page.goto(f"{address}/{path}?id={customer}")
        settled(page, title)
        width = page.evaluate("document.documentElement.scrollWidth")
        wide |= {title: width} if width > 390 else {}
        found = Axe().run(page).response["violations"]
        serious |= {f"{title}: {one['id']}": one["help"] for one in found if one["impact"] in ("serious", "critical")}
    background = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    page.close()
    assert complaints == []
    assert wide == {}
    assert serious == {}
    assert max(map(int, re.findall(r"\d+", background)[:3])) < 64, f"{background} is not dark"


def test_the_numbers_of_the_overview_are_those_of_the_tables(page: Page, shown: Settings) -> None:
    data = Published((shown.published_dir / "current").resolve())
    last = weekly(data).group_by("metric", maintain_order=True).last()
    expected = [value_of(row["metric"], row["value"], data.currency) for row in last.iter_rows(named=True)]
    assert page.get_by_test_id("stMetricValue").all_inner_texts() == expected


def test_a_customer_is_shown_by_id_and_an_unknown_one_is_said_to_be(page: Page, shown: Settings) -> None:
    data = Published((shown.published_dir / "current").resolve())
    known = data.rows("from reports.rpt_customer_360 where churn_probability is not null order by customer_id limit 1")
    facts = known.row(0, named=True)
    page.get_by_role("link", name="One customer").click()
    settled(page, "One customer")
    box = page.get_by_label("Customer id")
    box.fill("nobody")
    box.press("Enter")
    page.get_by_text("The customer is not known.").wait_for()
    box.fill(facts["customer_id"])
    box.press("Enter")
    page.get_by_text(f"{facts['churn_probability']:.0%} ({facts['risk_band']})").wait_for()
    page.get_by_role("heading", name="What they are likely to buy next").wait_for()
    page.get_by_text("customer x rank").wait_for()


def test_a_new_publication_is_followed(page: Page, shown: Settings) -> None:
    before = (shown.published_dir / "current").resolve()
    after = Path(shutil.copytree(before, before.with_name("next")))
    with duckdb.connect(str(after / DATABASE)) as connection:
        connection.execute("update marts.dim_as_of set source_name = 'another_shop'")
    swap(shown.published_dir / "current", after)
    page.get_by_text("another_shop").first.wait_for(timeout=30_000)
    swap(shown.published_dir / "current", before)


def test_a_page_on_what_an_earlier_release_published_says_so(page: Page, shown: Settings) -> None:
    before = (shown.published_dir / "current").resolve()
    earlier = Path(shutil.copytree(before, before.with_name("earlier")))
    with duckdb.connect(str(earlier / DATABASE)) as connection:
        connection.execute("update marts.dim_as_of set source_name = 'older_shop'")
        connection.execute("drop table ml.demand_forecasts")
    swap(shown.published_dir / "current", earlier)
    page.get_by_text("older_shop").first.wait_for(timeout=30_000)
    page.get_by_role("link", name="Demand").click()
    page.get_by_text(EARLIER).wait_for()
    assert page.get_by_test_id("stException").count() == 0
    swap(shown.published_dir / "current", before)


def test_the_overview_beside_the_database_draws_without_server_or_network(browser: Browser, shown: Settings) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(str(error)))
    file = (shown.published_dir / "current").resolve() / "overview.html"
    page.goto(file.as_uri())
    page.locator("svg.marks").nth(5).wait_for()
    assert asked == [file.as_uri()]
    data = Published(file.parent)
    last = weekly(data).group_by("metric", maintain_order=True).last()
    expected = [value_of(row["metric"], row["value"], data.currency) for row in last.iter_rows(named=True)]
    assert page.locator("dd.value").all_inner_texts() == expected
    found = Axe().run(page).response["violations"]
    assert {one["id"] for one in found if one["impact"] in ("serious", "critical")} == set()
    page.close()
