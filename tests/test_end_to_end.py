"""The same rows give the same tables: in another order, again, and from the kept folders alone.

Equal hashes leave one table out, and only where files were shuffled: quality.rejected_rows names row numbers.
"""

from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest

from ml.backtest import build_snapshots
from ml.schemas import TRANSACTIONS, conform
from orchestration.publishing.generations import read_manifest
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse, reader, records
from tests.commands import Finished, hashes, metadata
from tests.shop import AS_OF

NAMES_FILES = {"quality.rejected_rows", "quality.loads"}  # row numbers in a file, and the hash of its content


def current(run: Finished) -> dict[str, str]:
    assert run.exit_code == 0, run.stderr
    return hashes(run.settings.published_dir / "current")


def rejected(settings: Settings) -> list[tuple[object, ...]]:
    query = "select entity, source_file, reason, field, count(*) from quality.rejected_rows group by all order by all"
    return Warehouse(settings.warehouse_file, settings=settings).read(query).rows()


def test_the_order_of_the_rows_in_the_files_changes_no_table(first_runs: list[Finished]) -> None:
    first, shuffled = (current(run) for run in first_runs)
    differing = {name for name in first | shuffled if first.get(name) != shuffled.get(name)}
    assert differing <= NAMES_FILES
    assert rejected(first_runs[0].settings) == rejected(first_runs[1].settings)
    assert len(first) == 114


def test_what_the_program_alone_decides_is_made_once_for_all_data_folders(first_runs: list[Finished]) -> None:
    (home,) = {run.settings.made_once_dir for run in first_runs}
    program = (home / f"drawing-{version('vl-convert-python')}.js").read_text()
    for run in first_runs:
        assert program in (run.settings.published_dir / "current" / "overview.html").read_text()
        assert not [*run.settings.data_dir.rglob("drawing*.js")]


def test_models_are_trained_and_served_on_this_data(first_run: Finished) -> None:
    models = {model["model"]: model for model in first_run.summary["models"]}
    assert all(model["rank_value"] is not None for model in models.values())  # a contest was held
    assert "response" not in models  # ten responded: a rate would tell of them
    assert models["clv"]["served_by"] == "champion"
    assert models["churn"]["served_by"] in ("champion", "rule")
    assert models["recommendations"]["served_by"] == "rule"  # what the shop's customers take is chance


def test_offers_are_planned_where_an_effect_is_declared_and_refused_where_none_is_known(settings: Settings) -> None:
    warehouse = Warehouse(settings.warehouse_file, settings=settings)
    plans = {row["offer"]: row for row in warehouse.read("from ml.offer_plans").iter_rows(named=True)}
    refused, voucher = plans["spring_again"], plans["voucher"]
    assert refused["status"] == "refused"
    assert refused["reason"].startswith(
        "no uplift is known of spring, mailed: 35 customers contacted and fewer than 11 "
    )
    # an effect of .05 at a value of 40 is worth 2, and costs 1: a hundred of them for the budget
    assert (voucher["status"], voucher["effect_basis"], voucher["offered_count"]) == ("planned", "declared", 100)
    assert (voucher["cost_amount"], voucher["expected_profit_amount"]) == (100.0, 100.0)
    assert (voucher["expected_profit_lower"], voucher["expected_profit_upper"]) == (None, None)
    offered = warehouse.read(
        "select min(features.recency_days) as recency, count(*) as customers from ml.offers as offers "
        "inner join ml.customer_features as features using (customer_id)"
    )
    assert offered.row(0, named=True)["customers"] == 100
    assert offered.row(0, named=True)["recency"] > 30


def test_every_customer_of_the_year_is_recommended_ten_products_in_order_and_told_why(settings: Settings) -> None:
    warehouse = Warehouse(settings.warehouse_file, settings=settings)
    lists = warehouse.read("from ml.product_recommendations order by customer_id, rank")
    assert lists["customer_id"].n_unique() > 600
    ranks = lists.group_by("customer_id").agg("rank")["rank"].to_list()
    assert all(sorted(ranked) == list(range(1, 11)) for ranked in ranks)
    assert lists.filter(pl.col("score") > pl.col("score").shift(1).over("customer_id")).is_empty()
    assert lists.filter(pl.struct("customer_id", "product_id").is_duplicated()).is_empty()
    assert set(lists["name"]) <= {f"Product {number}" for number in range(30)} | {"unknown sku"}
    assert lists["reason"].str.contains("^(popular: |among )").all()  # of the rule that serves


def test_a_second_run_gives_the_same_tables_and_loads_nothing(
    first_run: Finished, later_runs: dict[str, Finished]
) -> None:
    again = later_runs["again"]
    assert current(again) == current(first_run)
    seen = metadata(again.settings, again.summary["run_id"])
    assert sum(asset.get("new_file_count", 0) for asset in seen.values()) == 0
    assert sum(asset.get("unchanged_file_count", 0) for asset in seen.values()) == 8
    assert seen["ml.churn_model"]["is_newly_trained"] is False
    assert seen["ml.segment_definitions"]["is_newly_fitted"] is False


def test_a_model_that_is_missing_is_trained_anew_to_the_same_bytes(
    first_run: Finished, later_runs: dict[str, Finished]
) -> None:
    again = later_runs["again"]
    assert metadata(again.settings, again.summary["run_id"])["ml.clv_model"]["is_newly_trained"] is True
    (first,), (second,) = (run.settings.history_dir.glob("models/clv-*/model.skops") for run in (first_run, again))
    assert first.read_bytes() == second.read_bytes()


def test_without_the_warehouse_and_trained_again_the_tables_are_the_same(
    first_run: Finished, later_runs: dict[str, Finished]
) -> None:
    rebuilt = later_runs["rebuilt"]
    assert current(rebuilt) == current(first_run)
    seen = metadata(rebuilt.settings, rebuilt.summary["run_id"])
    assert sum(asset.get("new_file_count", 0) for asset in seen.values()) == 0
    for asset, flag in (
        ("ml.churn_model", "is_newly_trained"),
        ("ml.clv_model", "is_newly_trained"),
        ("ml.recommendation_model", "is_newly_trained"),
        ("ml.segment_definitions", "is_newly_fitted"),
    ):
        assert seen[asset][flag] is True, asset


def test_an_earlier_day_is_built_aside_and_does_not_become_current(
    first_run: Finished, later_runs: dict[str, Finished]
) -> None:
    earlier = later_runs["earlier"]
    assert earlier.exit_code == 0, earlier.stderr
    assert current(earlier) == current(first_run)
    published = earlier.settings.published_dir
    aside = read_manifest(published / "versions" / earlier.summary["run_id"])
    assert aside is not None
    assert (aside["as_of_date"], earlier.summary["as_of_date"]) == ("2026-05-31", "2026-05-31")
    assert (published / "current").resolve().name == first_run.summary["run_id"]
    history = earlier.settings.history_dir
    assert [file.stem for file in history.glob("segments/*/*.parquet")] == ["2026-06-30"]
    first = Warehouse(first_run.settings.warehouse_file, settings=first_run.settings)
    assert first.read("select as_of_date from staging.stg_as_of").item().isoformat() == "2026-06-30"


def test_what_is_said_before_training_is_what_training_finds(published: Path) -> None:
    with reader(published / "clientele.duckdb") as connection:
        said = {row["model"]: row for row in records(connection, "from quality.model_outcomes where role = 'test'")}
        levels = records(connection, "select model, level from quality.model_readiness")
        tried = records(connection, "select distinct model from ml.model_evaluations")
    trainable = {row["model"] for row in levels if row["level"] == "trainable"}
    assert trainable == {row["model"] for row in tried} & {row["model"] for row in levels} == {"churn", "clv"}
    transactions = pl.read_parquet(published / "parquet/marts/fct_transactions.parquet")
    allowed = pl.read_parquet(published / "parquet/marts/dim_customer_permissions.parquet").filter(
        "is_profiling_allowed"
    )
    known = transactions.join(allowed, on="customer_id", how="semi").select(list(TRANSACTIONS))
    for model, window in (("churn", 90), ("clv", None)):
        row = said[model]
        day = AS_OF - timedelta(days=row["horizon_days"])
        snapshot = build_snapshots(conform(known, TRANSACTIONS), cutoffs=[day], horizon_days=row["horizon_days"])
        if window is not None:
            snapshot = snapshot.filter(pl.col("recency_days") < window)
        again = snapshot["future_purchase_count"] > 0
        repeat = snapshot.filter((pl.col("purchase_day_count") > 1) & (pl.col("value_amount") > 0))
        assert (row["customer_count"], row["positive_count"], row["negative_count"], row["repeat_customer_count"]) == (
            snapshot.height,
            (~again).sum(),
            again.sum(),
            repeat.height,
        )
        assert row["mean_amount"] == pytest.approx(snapshot["future_amount"].mean(), abs=1e-3)
