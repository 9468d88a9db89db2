"""Tables that were added to day by day are those that are built whole, whatever came, changed, went or moved."""

import csv
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from orchestration.dbt.increments import ENTITIES, Increment, Origin, since
from orchestration.settings import Settings
from tests.marts import build_marts, rows

SOURCE = """
name: growing_shop
timezone: Europe/Berlin
currency: EUR
entities:
  transactions:
    files: sales-*.csv
    columns:
      {transaction_id: id, customer_id: who, occurred_at: at, product_id: sku, quantity: n, amount: paid,
       currency: money, updated_at: changed}
    where: sku <> 'training'
  products: {files: products.csv, columns: {product_id: sku, name: label, unit_cost_amount: cost}}
  exchange_rates: {files: rates-*.csv, columns: {currency: money, date: day, rate: rate}}
"""
SALES = ("id", "who", "at", "sku", "n", "paid", "money", "changed")
TOUCHED = """
    select (select count(*) from staging.stg_transactions_touched), count(distinct transaction_id)
    from staging.stg_transactions_classified
"""
ABOUT_THE_BUILD = {"raw.source_settings", "staging.stg_transactions_touched"}


class Folder:
    """The files of a shop that go on growing."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "shop.yml").write_text(SOURCE)
        self.products({"bread": "1.00", "cheese": ""})
        self.write("rates-1.csv", ("money", "day", "rate"), [("USD", "2024-03-01", "0.9")])
        self.sales("2024-02", self.usual("feb", days=range(1, 29), count=800))
        self.sales("2024-03", [*self.usual("old", days=range(1, 29), count=40), ("t9", "c9", *bought("2024-03-02"))])
        self.sales("2024-04", self.usual("new", days=range(1, 29), count=40))

    def usual(self, name: str, *, days: range, count: int) -> list[tuple[str, ...]]:
        month = {"feb": 2, "old": 3, "new": 4}[name]
        return [
            (f"{name}{n // 2}", f"c{n // 2 % 7}", *bought(f"2024-{month:02}-{days[n // 2 % len(days)]:02}", sku=sku))
            for n in range(count)
            for sku in (("bread",) if name == "feb" else ("bread", "cheese"))
        ]

    def sales(self, name: str, lines: list[tuple[str, ...]]) -> None:
        self.write(f"sales-{name}.csv", SALES, lines)

    def products(self, costs: dict[str, str]) -> None:
        self.write("products.csv", ("sku", "label", "cost"), [(sku, sku, cost) for sku, cost in costs.items()])

    def write(self, name: str, header: tuple[str, ...], lines: list[tuple[str, ...]]) -> None:
        with (self.home / name).open("w", newline="") as file:
            csv.writer(file).writerows([header, *lines])


def bought(
    day: str, *, sku: str = "bread", n: str = "1", paid: str = "5.00", money: str = "EUR", changed: str = ""
) -> tuple[str, ...]:
    return (f"{day} 12:00:00", sku, n, paid, money, changed)


def a_day_comes(shop: Folder) -> None:
    """With sales, a late line, one said again, a newer version, another customer's name, and rows to be rejected."""
    shop.sales(
        "2024-05",
        [
            ("may1", "c1", *bought("2024-04-29")),
            ("old1", "c1", *bought("2024-03-02", sku="cheese", paid="7.77")),
            ("new0", "c0", *bought("2024-04-01")),
            ("new2", "c2", *bought("2024-04-03", paid="4.44", changed="2024-04-20 10:00:00")),
            ("new3", "c6", *bought("2024-04-04")),
            ("", "c3", *bought("2024-04-28")),
            ("may2", "c3", *bought("2024-04-29", paid="much")),
            ("may3", "c3", *bought("2024-04-29", sku="training")),
            ("may4", "c4", *bought("2024-04-29", n="-1", paid="-5.00")),
            ("usd1", "c5", *bought("2024-04-20", money="USD")),
        ],
    )


def a_file_changes(shop: Folder) -> None:
    """March is delivered again, with a transaction less, one moved to another customer, and one without an id."""
    kept = shop.usual("old", days=range(1, 29), count=40)[4:]
    shop.sales("2024-03", [*kept[:-1], ("old19", "c1", *kept[-1][2:]), ("", "c9", *bought("2024-03-05"))])


def costs_become_known(shop: Folder) -> None:
    """Of cheese as well: what customers are worth is counted by margin from now on, for everybody."""
    shop.products({"bread": "1.00", "cheese": "4.00"})


def a_rate_comes(shop: Folder) -> None:
    shop.write("rates-2.csv", ("money", "day", "rate"), [("USD", "2024-04-18", "0.95")])


CHANGES: list[Callable[[Folder], None]] = [a_day_comes, a_rate_comes, a_file_changes, costs_become_known]
EARLIER = date(2024, 4, 20)


def test_tables_added_to_are_tables_built_whole(marts_dir: Path, tmp_path: Path) -> None:
    shop, added_to = Folder(tmp_path), tmp_path / "added_to.duckdb"
    source, working = tmp_path / "shop.yml", Settings(data_dir=marts_dir).warehouse_file
    build_marts(source, data_dir=marts_dir)
    for change in CHANGES:
        change(shop)
    whole = {}
    for as_of in (EARLIER, None, EARLIER):  # of the same files: the day moves on, and back
        shutil.move(build_marts(source, data_dir=marts_dir, is_anew=False, as_of=as_of), added_to)
        ((touched, known),) = rows(added_to, TOUCHED)
        assert 0 < touched < known / 2
        if as_of not in whole:
            whole[as_of] = build_marts(source, data_dir=marts_dir, as_of=as_of).rename(tmp_path / f"{as_of}.duckdb")
        assert different(added_to, whole[as_of]) == {}
        shutil.copy(added_to, working)


def different(one: Path, other: Path) -> dict[str, tuple[int, int]]:
    """By table, how many rows only one of two warehouses holds."""
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only); attach '{other}' as other (read_only)")
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'other'"
        ).fetchall()
        for (table,) in tables:
            counts = [
                connection.execute(f"select count(*) from (from {a}.{table} except all from {b}.{table})").fetchall()
                for a, b in (("one", "other"), ("other", "one"))
            ]
            found[table] = (counts[0][0][0], counts[1][0][0])
    return {table: counts for table, counts in found.items() if counts != (0, 0) and table not in ABOUT_THE_BUILD}


def origin(rules: str, whole_at: str, **deliveries: list[object]) -> Origin:
    return Origin(rules, whole_at, {name: {} for name in ENTITIES} | {"transactions": deliveries})


def test_all_is_built_whole_after_other_rules_a_week_or_much_that_is_new() -> None:
    before = origin("a", "2026-01-01T05:00:00", mon=["a.csv", 0, 900, True])
    tuesday = {"mon": ["a.csv", 0, 900, True], "tue": ["b.csv", 0, 100, True]}
    assert since(before, origin("a", "2026-01-02T05:00:00", **tuesday)) == Increment(["tue"], [], False, False)
    assert since(before, origin("a", "2026-01-08T05:00:00", **tuesday)) is None
    assert since(before, origin("b", "2026-01-02T05:00:00", **tuesday)) is None
    assert since(before, origin("a", "2026-01-02T05:00:00", **tuesday | {"tue": ["b.csv", 0, 300, True]})) is None


def test_a_file_that_changed_or_lost_rows_is_looked_at_in_both_its_versions() -> None:
    before = origin("a", "2026-01-01T05:00:00", sun=["z.csv", 0, 900, True], mon=["a.csv", 0, 20, True])
    replaced = {"sun": ["z.csv", 0, 900, True], "mon": ["a.csv", 0, 20, False], "tue": ["a.csv", 0, 20, True]}
    found = since(before, origin("a", "2026-01-02T05:00:00", **replaced))
    assert found == Increment(["mon", "tue"], ["a.csv"], False, False)
    gone = since(before, origin("a", "2026-01-02T05:00:00", sun=["z.csv", 0, 900, True]))
    assert gone == Increment([], ["a.csv"], False, False)
