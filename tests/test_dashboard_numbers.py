"""The dashboard's numbers, read from the pages by a real browser, are those of the published tables, on every page."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
from playwright.sync_api import Page

from dashboard.views import PAGES
from orchestration.publishing.generations import DATABASE
from orchestration.settings import Settings
from tests.browser import CHROMIUM, LACK, chromium, copied, dashboard, settled
from tests.dashboard_numbers import METRICS, TABLES

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=LACK)


@pytest.fixture(scope="module")
def page(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The overview of what the first run published, in a wide window."""
    shown = copied(settings, tmp_path_factory.mktemp("numbers"))
    with dashboard(shown) as address, chromium() as browser:
        opened = browser.new_page(viewport={"width": 1440, "height": 1000})
        opened.goto(address)
        settled(opened, "Overview")
        yield opened


@pytest.fixture(scope="module")
def tables(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(settings.published_dir / "current" / DATABASE), read_only=True) as connection:
        yield connection


def test_every_page_has_its_numbers_compared() -> None:
    assert METRICS.keys() | TABLES.keys() | {"Overview", "One customer"} == {one.title for one in PAGES}


@pytest.mark.parametrize("title", METRICS)
def test_the_numbers_of_a_page_are_those_of_the_tables(
    page: Page, tables: duckdb.DuckDBPyConnection, title: str
) -> None:
    go(page, title)
    expected = {label: str(tables.execute(query).fetchall()[0][0]) for label, query in METRICS[title].items()}
    assert numbers(page) == expected


@pytest.mark.parametrize("title", TABLES)
def test_the_rows_of_a_page_are_those_of_the_tables(page: Page, tables: duckdb.DuckDBPyConnection, title: str) -> None:
    go(page, title)
    for shown in TABLES[title]:
        expected = tables.execute(shown.query).fetchall()
        assert expected, shown.query
        found = rows(page, (*shown.keys, *shown.values))
        for row in expected:
            near = [cells for cells in found if all(map(is_told, cells[: len(shown.keys)], row))]
            assert any(all(map(is_told, cells, row)) for cells in near), f"{row} is not among {near or found}"


def test_the_numbers_of_a_customer_are_those_of_the_tables(page: Page, tables: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select c.customer_id, format('{:,.2f} EUR', sum(t.net_amount)), count(*) filter (where not t.is_return), "
        "format('{:.0f}% ({})', 100 * any_value(churn_probability), any_value(risk_band)), "
        "format('{:,.2f} EUR', any_value(expected_amount)) from ml.churn_scores as c join ml.clv_predictions "
        "using (customer_id) join marts.fct_transactions as t using (customer_id) group by 1 "
        "having sum(t.net_amount) < 1000 and any_value(expected_amount) < 1000 order by 1 limit 1"
    )
    ((customer, spent, count, churn, expected),) = tables.execute(query).fetchall()
    go(page, "One customer")
    box = page.get_by_label("Customer id")
    box.fill(customer)
    box.press("Enter")
    page.get_by_test_id("stMetric").nth(3).wait_for()
    assert numbers(page) == {
        "Net amount so far": spent,
        "Purchases": str(count),
        "Churn probability": churn,
        "Expected amount": expected,
    }


def go(page: Page, title: str) -> None:
    page.get_by_role("link", name=title).first.click()
    settled(page, title)


def numbers(page: Page) -> dict[str, str]:
    """The single numbers of a page by their label."""
    return {
        one.get_by_test_id("stMetricLabel").inner_text(): one.get_by_test_id("stMetricValue").inner_text()
        for one in page.get_by_test_id("stMetric").all()
    }


def rows(page: Page, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Cells of the page's tables that have these columns, beneath charts too; long tables as far as they are drawn."""
    found: list[tuple[str, ...]] = []
    for table in page.get_by_test_id("stTable").all():
        cells = [row.locator("th, td").all_text_contents() for row in table.locator("tr").all()]
        found += chosen(cells[0], cells[1:], columns)
    for grid in page.locator("[data-testid=stDataFrame]:visible").all():
        grid.scroll_into_view_if_needed()
        grid.locator("[role=gridcell]").first.wait_for(state="attached")
        cells = [row.locator("[role=gridcell]").all_text_contents() for row in grid.locator("[role=row]").all()[1:]]
        found += chosen(grid.locator("[role=columnheader]").all_text_contents(), cells, columns)
    return found


def chosen(names: list[str], cells: list[list[str]], wanted: tuple[str, ...]) -> list[tuple[str, ...]]:
    names = [name.strip() for name in names]
    if not set(wanted) <= set(names):
        return []
    return [tuple(row[names.index(name)].strip() for name in wanted) for row in cells]


def is_told(cell: str, value: object) -> bool:
    """Whether a cell says a value, as exactly as it says anything."""
    if value is None:
        return cell in ("", "None")
    if isinstance(value, str | date):
        return cell.replace("_", " ") == str(value).replace("_", " ")
    plain = cell.replace(",", "").removesuffix("%")
    try:
        told = float(plain)
    except ValueError:
        return False
    digits = len(plain.partition(".")[2])
    return abs(told - float(str(value)) * (100 if cell.endswith("%") else 1)) <= 0.501 * 10**-digits
