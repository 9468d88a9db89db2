"""The metrics layer: what MetricFlow answers is what the reports hold, and who reads the tables is written down."""

import csv
import io
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

from dashboard import kpis
from orchestration.answers.asking import rows
from orchestration.answers.metric_queries import answer, metrics_engine, sql_for
from orchestration.errors import InputError
from orchestration.intake.activations import CUSTOMERS
from orchestration.privacy.consent import PERMISSIONS
from orchestration.settings import PROJECT_DIR, Settings
from tests.commands import clientele

KPIS = [
    "net_amount", "transaction_count", "active_customer_count", "new_customer_count", "average_transaction_amount",
    "return_rate",
]  # fmt: skip
RELATION = re.compile(r"\b(?:marts|ml|quality|reports)\.[a-z_0-9]+(?=[\s\"';)])")


@pytest.fixture(scope="module")
def engine() -> Any:
    return metrics_engine(Settings())


def answered(engine: Any, settings: Settings, *, by: str) -> pl.DataFrame:
    return answer(sql_for(KPIS, by=[by], engine=engine), settings).select(by, pl.col(KPIS).cast(pl.Float64))


def test_what_metricflow_answers_by_day_is_the_daily_report(engine: Any, settings: Settings) -> None:
    report = rows(f"select date, {', '.join(KPIS)} from reports.rpt_kpis_daily order by date", settings)
    assert report.height > 300
    expected = report.select(pl.col("date").alias("metric_time__day"), pl.col(KPIS).cast(pl.Float64))
    assert_frame_equal(answered(engine, settings, by="metric_time__day"), expected, abs_tol=1e-4)


def test_what_metricflow_answers_by_reporting_week_is_the_weekly_report(engine: Any, settings: Settings) -> None:
    report = rows("select week_end, metric, value from reports.rpt_kpis_weekly order by week_end", settings)
    expected = report.pivot("metric", index="week_end", values="value").rename(
        {"week_end": "metric_time__reporting_week"}
    )
    assert expected.height > 50
    found = answered(engine, settings, by="metric_time__reporting_week")
    whole = found.filter(pl.col("metric_time__reporting_week").is_in(expected["metric_time__reporting_week"].implode()))
    assert found.height - whole.height in (0, 1)  # the first days, which are no whole week
    assert_frame_equal(whole, expected.select(whole.columns), abs_tol=1e-6)


def test_a_metric_is_said_to_be_the_same_in_the_layer_and_in_the_report(engine: Any, settings: Settings) -> None:
    told = {metric.name: metric.description for metric in engine.list_metrics()}
    found = rows("select distinct metric, definition from reports.rpt_kpis_weekly", settings)
    assert dict(found.rows()) == {name: told[name].replace("the period", "the week") for name in KPIS}


def test_parts_of_a_metric_add_up_to_the_whole(engine: Any, settings: Settings) -> None:
    whole = rows(sql_for(["net_amount"], engine=engine), settings)
    parts = rows(sql_for(["net_amount"], by=["transaction__channel", "metric_time__month"], engine=engine), settings)
    assert parts.columns == ["transaction__channel", "metric_time__month", "net_amount"]
    assert parts["net_amount"].sum() == whole.item()


def test_attributes_of_people_divide_no_metric(engine: Any) -> None:
    ways = {way.dunder_name for metric in engine.list_metrics() for way in metric.dimensions}
    attributes = {name.partition("__")[2] for name in ways}
    assert (
        attributes & {"gender", "age_band", "income_band", "household_size", "city", "region", "postal_code"} == set()
    )


@pytest.mark.parametrize(
    ("metrics", "by", "words"),
    [
        (["net_amonut"], [], "net_amonut: there is no such metric. The nearest is net_amount."),
        (["net_amount"], ["colour"], "net_amount by colour: they can be divided by transaction__channel, "),
        (["new_customer_count"], ["transaction__channel"], "they can be divided by customer__first_purchase_date"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(
    engine: Any, metrics: list[str], by: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        sql_for(metrics, by=by, engine=engine)


def test_a_period_that_ends_before_it_begins_is_refused(engine: Any) -> None:
    with pytest.raises(InputError, match="the first day is after the last"):
        sql_for(["net_amount"], first=date(2026, 6, 2), last=date(2026, 6, 1), engine=engine)


def test_the_command_asks_lists_and_shows_its_sql(settings: Settings) -> None:
    def asked(*words: str) -> str:
        done = clientele("metrics", *words, source=settings.source, data_dir=settings.data_dir)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    days = ("--from", "2026-06-01", "--to", "2026-06-30")
    (answer,) = csv.DictReader(io.StringIO(asked("net_amount", "--by", "metric_time__month", *days, "--format", "csv")))
    june = "select sum(net_amount) from reports.rpt_kpis_daily where date between '2026-06-01' and '2026-06-30'"
    assert answer == {"metric_time__month": "2026-06-01", "net_amount": str(rows(june, settings).item())}
    assert {line["metric"] for line in csv.DictReader(io.StringIO(asked("--format", "csv")))} >= set(KPIS)
    assert 'FROM "marts"."fct_transactions"' in asked("net_amount", "--sql")


def test_readers_of_the_tables_are_written_down_with_all_that_they_read(manifest: dict[str, Any]) -> None:
    def named(files: Iterable[Path]) -> set[str]:
        return {relation for file in files for relation in RELATION.findall(file.read_text())}

    nodes = manifest["nodes"] | manifest["sources"]
    written = {
        exposure["name"]: {f"{nodes[key]['schema']}.{nodes[key]['name']}" for key in exposure["depends_on"]["nodes"]}
        for exposure in manifest["exposures"].values()
    }
    assert written["dashboard"] == named((PROJECT_DIR / "dashboard").rglob("*.py"))
    assert written["overview"] == set(kpis.TABLES)
    assert written["notebook"] == named([PROJECT_DIR / "bi" / "notebook.py"])
    told_elsewhere = named([PROJECT_DIR / "orchestration" / "activation" / "audience.py"])
    assert written["activation"] == told_elsewhere | {CUSTOMERS, PERMISSIONS}
    datasets = [yaml.safe_load(file.read_text()) for file in (PROJECT_DIR / "bi/superset/datasets").rglob("*.yaml")]
    assert written["superset"] == {f"{table['schema']}.{table['table_name']}" for table in datasets}
