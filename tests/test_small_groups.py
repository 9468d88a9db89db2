"""No published aggregate is about one to ten people: which tables prove it, and that what is merged adds up."""

from datetime import date
from typing import Any

import polars as pl

from ml.segmentation.definitions import SMALLEST_GROUP
from orchestration.privacy.registry import Registry, Table
from orchestration.publishing.generations import PUBLIC_SCHEMAS
from orchestration.settings import DBT_PROJECT_DIR
from tests.sql import select

PEOPLE = (
    *("customer_count", "buyer_count", "contact_count", "contacted_count", "comparison_count", "control_count"),
    *("response_count", "active_count", "eligible_count", "offered_count"),
)
"""How names of columns end that count people."""
RULE = "at_least_eleven_people"


def about_groups(registry: Registry) -> list[Table]:
    tables = [table for name, table in registry.tables.items() if name.split(".")[0] in PUBLIC_SCHEMAS]
    return [table for table in tables if any(column.personal == "aggregate" for column in table.columns)]


def proven(manifest: dict[str, Any]) -> set[str]:
    """`table.column` of every column with the rule."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    ruled = [node for node in tests if (node.get("test_metadata") or {}).get("name") == RULE]
    return {
        f"{(node['attached_node'] or node['depends_on']['nodes'][0]).split('.')[-1]}.{column}"
        for node in ruled
        for column in node["test_metadata"]["kwargs"]["columns"]
    }


def test_every_table_about_groups_proves_that_none_is_small_or_says_why_it_may_be(
    manifest: dict[str, Any], registry: Registry
) -> None:
    tables, ruled = about_groups(registry), proven(manifest)
    assert len(tables) > 30
    for table in tables:
        name = table.name.split(".")[1]
        names = [c.name for c in table.columns if c.personal == "aggregate" and not c.name.startswith("expected_")]
        counts = {f"{name}.{column}" for column in names if column.endswith(PEOPLE)}
        if table.small_groups:
            assert len(table.small_groups) > 20, name
        else:
            assert counts, f"{name} counts nobody: what proves that none of its groups is small?"
            assert counts - ruled == set()


def test_the_smallest_group_is_the_same_in_sql_and_python() -> None:
    macro = (DBT_PROJECT_DIR / "macros" / "merged_group.sql").read_text()
    assert f"var('smallest_group', {SMALLEST_GROUP})" in macro


def test_a_small_band_takes_the_next_smallest_with_it_and_all_money_stays() -> None:
    sizes = {1: 30, 2: 5, 3: 12, 4: 20}
    people = [(f"c{count}-{number}", count) for count, size in sizes.items() for number in range(size)]
    customers = pl.DataFrame(
        {
            "customer_id": [name for name, _ in people],
            "purchase_count": [count for _, count in people],
            "transaction_count": [count for _, count in people],
            "net_amount": [10 * count for _, count in people],
        }
    )
    guests = pl.DataFrame(
        {"customer_id": [None], "net_amount": [7]}, schema={"customer_id": pl.String, "net_amount": int}
    )
    bands = select("rpt_purchase_frequency", {"dim_customers": customers, "fct_transactions": guests})
    told = {
        row["purchase_band"]: row for row in bands.iter_rows(named=True) if row["customer_count"] or row["net_amount"]
    }
    assert {name: row["customer_count"] for name, row in told.items()} == {
        "other bands": 17, "1": 30, "4": 20, "guests": None
    }  # fmt: skip
    assert told["other bands"]["purchase_count"] == 5 * 2 + 12 * 3
    assert bands["net_amount"].sum() == customers["net_amount"].sum() + 7


def cohorts(sizes: dict[date, dict[date, int]]) -> dict[str, pl.DataFrame]:
    """Tables in which of each cohort (its month: buyers by month) so many bought in a month, for 1 each."""
    first = {month: f"{month:%m}" for month in sizes}
    people = [(f"{first[cohort]}-{number}", cohort) for cohort, by in sizes.items() for number in range(by[cohort])]
    bought = [
        (f"{first[cohort]}-{number}", month)
        for cohort, by in sizes.items()
        for month, count in by.items()
        for number in range(count)
    ]
    days = sorted({month for by in sizes.values() for month in by})
    return {
        "dim_customers": pl.DataFrame(people, schema=["customer_id", "first_purchase_date"], orient="row"),
        "fct_transactions": pl.DataFrame(bought, schema=["customer_id", "transaction_date"], orient="row").with_columns(
            net_amount=1, is_purchase=True
        ),
        "dim_dates": pl.DataFrame({"date_day": days}),
        "dim_as_of": pl.DataFrame({"as_of_date": [date(2026, 12, 31)]}),
    }


def test_a_cell_of_few_is_empty_with_another_of_its_month_and_their_money_is_told_together() -> None:
    may, june = date(2026, 5, 1), date(2026, 6, 1)
    april = date(2026, 4, 1)
    tables = cohorts({april: {april: 40, may: 30, june: 4}, may: {may: 20, june: 15}, june: {june: 50}})
    report = select("rpt_cohort_retention", tables)
    cells = {(row["cohort_month"], row["month_number"]): row for row in report.iter_rows(named=True)}
    assert [cells[month, 0]["active_count"] for month in (april, may, june)] == [40, 20, 50]
    # June has 69 buyers: with 50 and 15 told, the 4 would be known.
    assert [cells[key]["active_count"] for key in ((april, 1), (april, 2), (may, 1))] == [30, None, None]
    assert cells[april, 2]["customer_count"] == 40
    assert cells[None, None]["net_amount"] == 4 + 15
    assert report["net_amount"].sum() == tables["fct_transactions"].height


def test_a_cohort_of_few_tells_nothing_of_its_members() -> None:
    may, june = date(2026, 5, 1), date(2026, 6, 1)
    report = select("rpt_cohort_retention", cohorts({may: {may: 30, june: 20}, june: {june: 3}}))
    (small,) = report.filter(pl.col("cohort_month") == june).to_dicts()
    assert [small[name] for name in ("customer_count", "active_count", "retention_rate", "net_amount")] == [None] * 4


def segments(members: dict[tuple[str, str], int]) -> pl.DataFrame:
    """Members of two strategies, so many in each pair of segments (one's, other's)."""
    rows = [
        (f"c-{one}-{other}-{number}", strategy, segment)
        for (one, other), count in members.items()
        for number in range(count)
        for strategy, segment in (("one", one), ("other", other))
    ]
    return pl.DataFrame(rows, schema=["customer_id", "strategy", "segment"], orient="row")


def test_a_pair_of_segments_with_few_in_both_is_left_out_of_both_rows_with_the_next_smallest() -> None:
    members = segments({("a", "x"): 5, ("a", "y"): 12, ("a", "z"): 40, ("b", "x"): 30, ("b", "y"): 60, ("b", "z"): 50})
    report = select("rpt_segment_overlaps", {"customer_segments": members})
    told = {(row["segment"], row["other_segment"]) for row in report.iter_rows(named=True)}
    assert {pair for pair in told if pair[0] in "ab"} == {(other, one) for one, other in told if one in "xyz"}
    assert ("a", "z") in told
    assert not told & {("a", "x"), ("a", "y"), ("x", "a"), ("y", "a")}
    assert report["customer_count"].min() >= SMALLEST_GROUP


def test_small_segments_are_one_in_every_report_by_segment() -> None:
    members = segments({("big", "x"): 40, ("small", "x"): 3, ("next", "x"): 15})
    report = select("rpt_segment_overlaps", {"customer_segments": members})
    mine = report.filter(pl.col("strategy") == "one")
    assert dict(mine.select("segment", "customer_count").iter_rows()) == {"big": 40, "other segments": 18}
