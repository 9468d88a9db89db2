import json
import subprocess
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt.assets import command
from orchestration.publishing.generations import DATABASE
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse, reader
from tests.shop import Rejected, Shop

COUNTED = ("accepted", "rejected", "excluded", "repeated", "superseded")
CONTRACT = {
    "marts.dim_customers": "customer_id first_transaction_date last_transaction_date transaction_count net_amount",
    "marts.dim_customer_ids": "source source_customer_id customer_id",
    "marts.dim_products": "product_id name category department brand",
    "marts.dim_campaigns": "campaign_id name kind started_at ended_at cost_amount",
    "marts.fct_campaign_contacts": "customer_id campaign_id contacted_at is_control responded_at",
    "marts.fct_transactions": "transaction_id customer_id occurred_at transaction_date line_count gross_amount "
    "discount_amount net_amount is_return currency",
    "marts.fct_transaction_lines": "transaction_id line_number customer_id product_id occurred_at quantity net_amount "
    "kind",
    "ml.customer_features": "as_of_date customer_id recency_days frequency_count monetary_amount tenure_days",
    "ml.customer_segments": "as_of_date customer_id strategy segment previous_segment model_version",
    "ml.churn_scores": "as_of_date customer_id horizon_days churn_probability risk_band served_by model_version",
    "ml.churn_reasons": "as_of_date customer_id rank feature value contribution is_exact",
    "ml.clv_predictions": "as_of_date customer_id horizon_days expected_transaction_count expected_amount "
    "expected_amount_p10 expected_amount_p90 alive_probability served_by model_version",
    "ml.model_versions": "model model_version trained_at as_of_date status reason config library_versions model_sha256",
    "ml.model_evaluations": "model model_version candidate cutoff_date horizon_days metric value lower upper "
    "customer_count",
    "ml.model_drift": "as_of_date model horizon_days model_version drift",
    "ml.score_outcomes": "model model_version scored_as_of_date matured_date metric value customer_count",
    "reports.rpt_customer_360": "customer_id",
    "reports.rpt_segment_profiles": "strategy segment customer_count customer_share net_amount revenue_share",
    "reports.rpt_cohort_retention": "cohort_month month_number customer_count active_count retention_rate net_amount",
    "reports.rpt_kpis_daily": "date transaction_count active_customer_count new_customer_count net_amount "
    "average_transaction_amount return_rate",
    "reports.rpt_acquisition": "acquisition_channel cohort_month customer_count costed_customer_count "
    "acquisition_cost_amount payback_month_number clv_to_cac",
    "reports.rpt_model_health": "model status served_by drift age_days",
    "quality.rejected_rows": "entity source_file row_number reason field",
    "quality.reconciliation": "entity measure received accepted rejected excluded repeated superseded erased "
    "difference",
    "quality.capabilities": "capability is_available reason",
}


@pytest.fixture(scope="module")
def warehouse(settings: Settings) -> Warehouse:
    return Warehouse(settings.warehouse_file, settings=settings)


def one(warehouse: Warehouse, query: str) -> tuple[Any, ...]:
    return warehouse.read(query).row(0)


def test_every_unit_test_of_the_sql_passes(settings: Settings, manifest: dict[str, Any], tmp_path: Path) -> None:
    place = {"warehouse": settings.warehouse_file, "target": tmp_path}
    words = command("test", "--select", "test_type:unit", settings=settings, **place)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    results = json.loads((tmp_path / "run_results.json").read_text())["results"]
    failed = [result["unique_id"] for result in results if result["status"] != "pass"]
    assert (done.returncode, failed) == (0, []), done.stdout
    assert len(results) == len(manifest["unit_tests"]) >= 40


def test_every_planted_defect_is_rejected_for_its_reason_and_nothing_else_is(warehouse: Warehouse, shop: Shop) -> None:
    found = {Rejected(*row) for row in warehouse.read("from quality.rejected_rows").iter_rows()}
    assert found == shop.rejected()
    assert len(found) == 20


def test_the_reconciliation_is_exact_and_is_what_was_planted(warehouse: Warehouse, shop: Shop) -> None:
    found = {
        (row["entity"], row["measure"]): row
        for row in warehouse.read("from quality.reconciliation").iter_rows(named=True)
    }
    for entity in ("transactions", "customers", "products", "campaigns", "campaign_contacts", "consents", "feedback"):
        rows = shop.of(entity)
        counts = {status: Decimal(sum(row.status == status for row in rows)) for status in COUNTED}
        _matches(found.pop((entity, "rows")), counts, received=Decimal(len(rows)))
    sold = shop.of("transactions")
    amounts = {status: _total(row.amount for row in sold if row.status == status) for status in COUNTED}
    _matches(found.pop(("transactions", "amount")), amounts, received=_total(row.amount for row in sold))
    assert {row["received"] for row in found.values()} <= {0}  # of what the shop does not have


def _total(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _matches(row: dict[str, Any], expected: dict[str, Decimal], *, received: Decimal) -> None:
    assert {status: row[status] for status in COUNTED} == expected
    assert (row["received"], row["erased"], row["difference"]) == (received, 0, 0)


def test_money_in_the_marts_is_the_money_accepted_to_the_cent(warehouse: Warehouse, shop: Shop) -> None:
    accepted = _total(row.amount for row in shop.of("transactions") if row.status == "accepted")
    for table in ("marts.fct_transactions", "marts.fct_transaction_lines", "reports.rpt_kpis_daily"):
        assert one(warehouse, f"select sum(net_amount) from {table}") == (accepted,), table


def test_the_last_day_is_left_out_because_it_is_half_over(warehouse: Warehouse) -> None:
    assert str(one(warehouse, "from staging.stg_as_of")[0]) == "2026-06-30"


def test_a_product_that_the_catalogue_lacks_is_kept_and_marked(warehouse: Warehouse) -> None:
    query = "select product_id, name from marts.dim_products where not is_in_catalogue"
    assert warehouse.read(query).rows() == [("unknown sku", None)]


def test_a_zero_is_no_purchase_and_a_negative_amount_is_a_return_rounded_away_from_zero(warehouse: Warehouse) -> None:
    query = "select is_purchase, is_return, net_amount from marts.fct_transactions where transaction_id = '{}'"
    assert one(warehouse, query.format("k2")) == (False, False, Decimal(0))
    assert one(warehouse, query.format("k3")) == (False, True, Decimal("-1.0001"))
    assert one(warehouse, query.format("k4")) == (True, False, Decimal("1.0001"))


def test_a_time_with_an_offset_is_put_on_the_shops_clock(warehouse: Warehouse) -> None:
    query = "select occurred_at from marts.fct_transactions where transaction_id = 'k4'"
    assert one(warehouse, query) == (datetime(2026, 3, 2, 11),)  # noqa: DTZ001 - the clock on the wall


def test_guests_count_in_the_kpis_and_are_nobody(warehouse: Warehouse) -> None:
    assert one(warehouse, "select count(*) from marts.fct_transactions where customer_id is null") == (365,)
    assert one(warehouse, "select count(*), count(customer_id) from marts.dim_customers") == (700, 700)
    guests = one(warehouse, "select sum(transaction_count) from reports.rpt_kpis_daily")
    assert guests == one(warehouse, "select count(*) from marts.fct_transactions")


def test_the_newest_version_of_a_customer_wins_and_conflicting_ones_have_no_profile(warehouse: Warehouse) -> None:
    query = "select customer_id, city, has_profile, loyalty_tier from marts.dim_customers where customer_id in ({})"
    ids = ", ".join(f"'c0{number}'" for number in (690, 691, 692, 693, 695))
    assert warehouse.read(f"{query.format(ids)} order by 1").rows() == [
        ("c0690", None, False, None),
        ("c0691", "Bonn", True, "tier 1"),
        ("c0692", "Köln", True, "tier 2"),
        ("c0693", None, False, None),
        ("c0695", None, False, None),
    ]


def test_the_published_tables_have_the_columns_that_others_rely_on(published: Path) -> None:
    with reader(published / DATABASE) as connection:
        rows = connection.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns()"
        ).fetchall()
    found = {f"{table}.{column}" for table, column in rows}
    wanted = {f"{table}.{column}" for table, columns in CONTRACT.items() for column in columns.split()}
    assert wanted - found == set()


def test_every_public_model_enforces_its_contract(manifest: dict[str, Any]) -> None:
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    public = [node for node in models if node["schema"] in ("marts", "quality", "reports")]
    assert len(public) >= 28
    assert [node["name"] for node in public if not node["config"]["contract"]["enforced"]] == []
    assert [node["name"] for node in models if not node["description"].startswith("One row")] == []


def test_raw_is_read_in_staging_only_and_ml_in_reports_only(manifest: dict[str, Any]) -> None:
    read = {
        (node["schema"], name.split(".")[2])
        for node in manifest["nodes"].values()
        for name in node.get("depends_on", {}).get("nodes", [])
        if node["resource_type"] == "model" and name.startswith("source.")
    }
    verdicts = ("quality", "ml")  # quality.capabilities: only a fit tells whether segments hold
    assert read == {("staging", "raw"), ("reports", "ml"), verdicts}
