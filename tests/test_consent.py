"""Consent: who refuses a purpose is in no table, sample or snapshot that serves it, from the date on and not before."""

import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from orchestration.models import training
from orchestration.privacy import consent
from orchestration.privacy.registry import Column, Registry, Table
from orchestration.publishing.generations import DATABASE
from orchestration.runs.run import Run
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.storage.segment_snapshots import freeze, kept
from orchestration.warehouse import Warehouse, reader
from tests.commands import Finished
from tests.conftest import EARLIER
from tests.runs import run_on
from tests.shop import AS_OF, GRANTED_AGAIN, REFUSED, REFUSED_AFTER, REFUSED_LATER

PLANTED = {*REFUSED.values(), REFUSED_LATER, REFUSED_AFTER, GRANTED_AGAIN}
EXPECTED = {
    "operation": PLANTED,
    "analytics": PLANTED - {REFUSED["analytics"]},
    "profiling": PLANTED - {REFUSED["analytics"], REFUSED["profiling"], REFUSED_LATER},
    "marketing": set(),  # no segment was frozen
}
"""Of the planted customers, those whom a table may name, by its purpose."""


def found(file: Path, table: str) -> set[str]:
    """Which of the planted customers a table names."""
    with reader(file) as connection:
        rows = connection.execute(f"select distinct customer_id from {table}").fetchall()
    return {customer for (customer,) in rows} & PLANTED


@pytest.fixture
def run(settings: Settings) -> Run:
    """A run as its assets see it, over the warehouse that the first run left."""
    return replace(run_on(settings), known_at=datetime(2026, 7, 2))  # noqa: DTZ001 - UTC, as everywhere


def test_every_table_names_those_alone_who_allow_what_it_is_for(published: Path, registry: Registry) -> None:
    tables = [table for table in registry.tables_of_people() if table.name.split(".")[0] in ("marts", "ml", "reports")]
    assert len(tables) > 20
    named = {table.name: found(published / DATABASE, table.name) for table in tables}
    profiled = {table.name for table in tables if table.purpose == "profiling"}
    assert profiled >= {f"ml.{name}" for name in ("customer_segments", "churn_scores", "clv_predictions")}
    assert profiled >= {
        f"ml.{name}" for name in ("churn_reasons", "next_purchases", "product_recommendations", "segment_changes")
    }
    for table in tables:
        assert named[table.name] <= EXPECTED[table.purpose], table.name
    for name in ("ml.churn_scores", "ml.clv_predictions", "ml.customer_segments", "ml.next_purchases"):
        assert named[name] == EXPECTED["profiling"], name
    assert named["ml.customer_features"] == named["reports.rpt_customer_360"] == EXPECTED["analytics"]
    assert named["marts.dim_customers"] == named["marts.fct_transactions"] == PLANTED


def test_who_refuses_profiling_stands_in_the_360_without_segment_and_score(published: Path) -> None:
    with reader(published / DATABASE) as connection:
        rows = connection.execute(
            "select customer_id, is_marketing_allowed, rfm_segment is null, churn_probability is null, "
            "expected_amount is null, recency_days is null from reports.rpt_customer_360 "
            f"where customer_id in ('{REFUSED['profiling']}', '{REFUSED['marketing']}') order by 1"
        ).fetchall()
    assert rows == [
        (REFUSED["profiling"], True, True, True, True, False),
        (REFUSED["marketing"], False, False, False, False, False),
    ]


def test_a_day_before_the_refusal_still_has_the_customer(later_runs: dict[str, Finished]) -> None:
    earlier = later_runs["earlier"]
    folder = earlier.settings.published_dir / "versions" / earlier.summary["run_id"]
    with reader(folder / DATABASE) as connection:
        assert connection.execute("select as_of_date from marts.dim_as_of").fetchall() == [(EARLIER,)]
    assert REFUSED_LATER in found(folder / DATABASE, "ml.churn_scores")
    assert REFUSED["profiling"] not in found(folder / DATABASE, "ml.churn_scores")


def test_no_training_sample_holds_who_refuses_profiling(run: Run) -> None:
    question = training.Question("churn", 30, {}, 60, 6, 50_000)
    sample = training.snapshots(run, question, training.plan(run, question, as_of=AS_OF), as_of=AS_OF)
    assert sample["as_of_date"].min() < date(2026, 3, 1)
    assert set(sample["customer_id"]) & PLANTED == EXPECTED["profiling"]


def test_money_counts_in_totals_whoever_refuses(published: Path) -> None:
    with reader(published / DATABASE) as connection:
        (totals,) = connection.execute(
            "select (select sum(net_amount) from reports.rpt_kpis_daily), "
            "(select sum(net_amount) from marts.fct_transactions)"
        ).fetchall()
        withheld = connection.execute("from quality.withheld_customers").fetchall()
    assert totals[0] == totals[1]
    assert withheld == [("analytics", 700, 1, 699), ("marketing", 700, 1, 699), ("profiling", 700, 3, 697)]


def test_nothing_but_consent_maps_customers() -> None:
    calls = [
        str(file.relative_to(PROJECT_DIR))
        for file in sorted((PROJECT_DIR / "orchestration").rglob("*.py"))
        if re.search(r"warehouse\.map_customers\(", file.read_text())
    ]
    assert calls == ["orchestration/privacy/consent.py"]


def test_a_table_that_names_somebody_against_their_will_is_found(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb", settings=Settings(data_dir=tmp_path))
    permissions = {
        "customer_id": ["ann", "bob"],
        "is_analytics_allowed": [True, True],
        "is_profiling_allowed": [True, False],
        "is_marketing_allowed": [True, True],
    }
    warehouse.write(consent.PERMISSIONS, pl.DataFrame(permissions))
    report = pl.DataFrame({"customer_id": ["ann", "bob"], "spend": [1, 2], "segment": ["a", None]})
    key = Column("customer_id", "identifier", "analytics", "transactions")
    columns = (
        key,
        Column("spend", "customer", "analytics", "run"),
        Column("segment", "customer", "profiling", "run"),
    )
    table = Table("reports.rpt", columns, "analytics", "run", is_stored=True)
    registry = Registry({table.name: table}, {})
    for segments, misused in ((["a", None], []), (["a", "b"], ["reports.rpt.segment"])):
        warehouse.write("reports.rpt", report.with_columns(segment=pl.Series(segments)))
        with warehouse.connect() as connection:
            assert consent.used_against_will(connection, registry) == misused


def test_a_frozen_segment_leaves_out_who_refuses_marketing(settings: Settings, tmp_path: Path, run: Run) -> None:
    aside = settings.model_copy(update={"data_dir": tmp_path})
    tmp_path.joinpath("published").symlink_to(settings.published_dir)
    with reader(settings.published_dir / "current" / DATABASE) as connection:
        ((segment, count),) = connection.execute(
            "select segment, (select count(*) from ml.customer_segments as all_of_them "
            "where strategy = 'rfm' and segment = mine.segment) "
            f"from ml.customer_segments as mine where strategy = 'rfm' and customer_id = '{REFUSED['marketing']}'"
        ).fetchall()
    taken = freeze(aside, name="spring", strategy="rfm", segment=segment, now=datetime(2026, 7, 2))  # noqa: DTZ001
    (snapshot,) = kept(aside, source="tiny_shop")
    assert taken == snapshot.height == count - 1
    assert REFUSED["marketing"] not in set(snapshot["customer_id"])
