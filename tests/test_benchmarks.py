"""The simulated shop is the one that it claims to be, the bare scripts do the pipeline's work, and clocks are right."""

import hashlib
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks import floors
from benchmarks.bare_features import bare_features
from benchmarks.generate import AS_OF, DAYS, Truth, write_shop
from benchmarks.goals import GOALS, served
from benchmarks.histories import histories
from benchmarks.process import FailedError, Measured, measure, median
from benchmarks.report import table
from benchmarks.results import Results
from ml.btyd.bg_nbd import BgNbd
from ml.features import build_features
from ml.schemas import CUSTOMER_FEATURES, TRANSACTIONS, conform
from tests.marts import build_marts, rows

CUSTOMERS = 5_000
BURN = "import time\nwhile time.process_time() < 0.5: pass"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "shop"
    write_shop(folder, customers=CUSTOMERS, threads=2)
    return folder


@pytest.fixture(scope="module")
def bare(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the bare scripts for cleaning and aggregation make of it."""
    place = tmp_path_factory.mktemp("bare")
    floors.clean(simulated, place)()
    floors.aggregate(simulated, place)()
    return place


def asked(query: str) -> tuple[Any, ...]:
    with duckdb.connect() as connection:
        (row,) = connection.execute(query).fetchall()
    return tuple(row)


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_threads(tmp_path: Path) -> None:
    one, four, other = (tmp_path / name for name in ("one", "four", "other"))
    write_shop(one, customers=1000, threads=1)
    write_shop(four, customers=1000, threads=4, memory="300MB")
    write_shop(other, customers=1000, threads=4, seed=1)
    assert len(hashes(one)) == 3 * 37 + 2
    assert hashes(four) == hashes(one)
    assert (
        hashes(other)["deliveries/transactions-2025-12.parquet"]
        != hashes(one)["deliveries/transactions-2025-12.parquet"]
    )


def test_shares_of_returns_repeats_corrections_guests_and_refusals_are_those_of_the_parameters(
    simulated: Path, bare: Path
) -> None:
    truth, files = Truth(), f"'{simulated}/deliveries/transactions-*.parquet'"
    sold, returned, unpriced, guests = asked(
        "select count(*) filter (where kind = 'sale'), count(*) filter (where kind = 'return' and card is not null), "
        f"avg((paid is null)::integer), count(distinct order_no) filter (where card is null) from {files}"
    )
    known_lines, lines, per_order = asked(
        "select count(*) filter (where customer_id is not null and kind = 'sale'), count(*), "
        "count(*) filter (where kind = 'sale') / count(distinct transaction_id) filter (where kind = 'sale') "
        f"from '{bare}/lines.parquet'"
    )
    (repeated,) = asked(f"select sum(n - 1) from (select *, count(*) as n from {files} group by all having n > 1)")
    (corrected,) = asked(f"select count(distinct order_no) from {files} where kind = 'sale' and changed_at > sold_at")
    (orders,) = asked(f"select count(distinct order_no) from {files} where kind = 'sale'")
    (refused,) = asked(f"select count(*) from '{simulated}/deliveries/consents-*.parquet'")
    assert lines > 10 * CUSTOMERS
    assert returned / known_lines == pytest.approx(truth.returned, rel=0.1)
    assert int(repeated) / sold == pytest.approx(truth.repeated, rel=0.15)
    assert corrected / orders == pytest.approx(truth.corrected, rel=0.3)
    assert unpriced == pytest.approx(truth.unpriced, rel=0.3)
    assert guests == pytest.approx(DAYS + truth.guests * CUSTOMERS, rel=0.01)
    assert refused / (3 * CUSTOMERS) == pytest.approx(truth.refused, rel=0.2)
    assert per_order == pytest.approx(truth.lines, rel=0.02)


def test_the_rates_and_the_dropout_that_customers_were_drawn_from_are_recovered(bare: Path) -> None:
    truth = Truth()
    model = BgNbd().fit(histories(bare / "transactions.parquet", to_the_second=True))
    assert model.converged_
    assert model.r_ == pytest.approx(0.5, rel=0.1)
    assert model.alpha_ == pytest.approx(truth.alpha, rel=0.15)
    assert model.a_ / (model.a_ + model.b_) == pytest.approx(1 / (1 + truth.b), rel=0.1)


def test_spend_follows_gamma_gamma_and_products_zipf(bare: Path) -> None:
    truth = Truth()
    mean, first, tenth = asked(
        f"with sold as (from '{bare}/lines.parquet' where kind = 'sale' and customer_id is not null) "
        "select sum(net_amount) / count(distinct transaction_id), avg((product_id = 'p1000001')::integer), "
        "avg((product_id = 'p1000010')::integer) from sold"
    )
    assert float(mean) == pytest.approx(6 * truth.gamma / 3, rel=0.05)  # Gamma(6) of a scale with mean gamma / (4 - 1)
    assert first / tenth == pytest.approx(7.3, rel=0.15)  # log 2 to log 1.1: the logarithmic form of Zipf's law


def test_one_more_day_waits_beside_the_deliveries_and_brings_that_day_alone(simulated: Path) -> None:
    day = date(2026, 1, 1)
    first, last, lines = asked(
        "select min(changed_at)::date, max(changed_at)::date, count(*) from "
        f"'{simulated}/next_day/transactions-2026-01-01.parquet' where changed_at > sold_at or kind = 'sale'"
    )
    (latest,) = asked(f"select max(changed_at)::date from '{simulated}/deliveries/transactions-*.parquet'")
    assert (last, latest) == (day, AS_OF)
    assert (day - first).days <= 2  # what is said again was sold up to two days before
    assert lines > 20


def test_the_bare_features_are_those_of_the_pipeline(bare: Path) -> None:
    transactions = pl.read_parquet(bare / "transactions.parquet").filter(pl.col("customer_id").is_not_null())
    as_of = transactions["transaction_date"].max()
    assert isinstance(as_of, date)
    bare_features(bare / "transactions.parquet", bare / "features.parquet")
    ours = build_features(conform(transactions.with_columns(value_amount="net_amount"), TRANSACTIONS), as_of=as_of)
    columns = [name for name in CUSTOMER_FEATURES if name != "value_amount"]
    theirs = pl.read_parquet(bare / "features.parquet").sort("customer_id").with_columns(value_amount=0.0)
    filled = conform(theirs, CUSTOMER_FEATURES).select(columns).fill_nan(None)
    assert_frame_equal(filled, ours.select(columns).fill_nan(None), abs_tol=1e-6)


def test_the_pipeline_and_the_bare_scripts_keep_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, marts_dir: Path
) -> None:
    folder = tmp_path_factory.mktemp("small") / "shop"
    source = write_shop(folder, customers=300)
    place = tmp_path_factory.mktemp("small_bare")
    floors.clean(folder, place)()
    floors.aggregate(folder, place)()
    warehouse = build_marts(source, data_dir=marts_dir)
    for table_of_ours, file, columns in (
        ("marts.fct_transaction_lines", "lines", "count(*), sum(net_amount), sum(quantity)"),
        ("marts.fct_transactions", "transactions", "count(*), sum(net_amount), count(*) filter (where is_purchase)"),
        ("marts.dim_customers", "customers", "sum(transaction_count), sum(net_amount)"),
    ):
        assert rows(warehouse, f"select {columns} from {table_of_ours}") == [
            asked(f"select {columns} from '{place}/{file}.parquet'")
        ], table_of_ours
    (accepted,) = rows(warehouse, "select count(*) from marts.dim_as_of where as_of_date = '2025-12-31'")
    assert accepted == (1,)


def test_what_children_take_is_counted_and_what_a_process_said_last_is_heard(tmp_path: Path) -> None:
    script = (
        "import json, subprocess, sys\n"
        "held = bytearray(300 * 2**20)\n"
        f"subprocess.run([sys.executable, '-c', {BURN!r}], check=True)\n"
        "print('words'); print(json.dumps({'lines': 3}))"
    )
    taken = measure([sys.executable, "-c", script], log=tmp_path / "log")
    assert 0.5 <= taken.cpu < 3
    assert taken.wall >= 0.5
    assert taken.peak_process > 0.29  # what the starting process held counts as well, here all that tests have loaded
    assert taken.peak_tree >= taken.peak_process
    assert taken.told == {"lines": 3}


def test_a_process_that_fails_says_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="no such stage"):
        measure([sys.executable, "-c", "raise SystemExit('no such stage')"], log=tmp_path / "log")


def test_of_several_readings_the_middle_one_counts_and_all_are_told() -> None:
    readings = [Measured(9, 9, 1, 1, {"work_cpu": cpu}) for cpu in (8.6, 5.7, 6.6)]
    assert median(readings).told == {"work_cpu": 6.6, "readings": [5.7, 6.6, 8.6]}


def test_start_up_training_and_clustering_count_apart_from_the_first_run() -> None:
    results = Results("5k", 5_000, 55_000)

    def took(cpu: float, **told: Any) -> dict[str, Any]:
        return {"cpu": cpu, "wall": cpu, "peak_process": 1.0, "peak_tree": 1.0, "told": told}

    trained = {
        "ml__churn_model": 30.0,
        "ml__clv_model": 20.0,
        "ml__segment_definitions": 10.0,
        "raw__transactions": 5.0,
    }
    steps = {name: {"cpu": seconds, "wall": seconds} for name, seconds in trained.items()}
    results.measured["run.first"] = took(100, steps=steps)
    results.measured["stage.start"] = took(6)
    results.measured["stage.start_dbt"] = took(5, work_cpu=2.0)
    for name in ("clean", "aggregate", "features", "predict", "copy"):
        results.measured[f"floor.{name}"] = took(4, ready_cpu=2.0, work_cpu=2.0)
    assert served(results) == pytest.approx((100 - 60 - 6 - 2 * 2) / 10)
    by_work = {goal.work: goal for goal in GOALS}
    assert by_work["BG/NBD fit, cold"].measured(results) is None
    assert by_work["BG/NBD fit, cold"].ratio(50) == 0.5
    assert by_work["publish"].ratio(3) == 1.5
    assert table(["work", "CPU s"], [["clean", "1"]]) == "| work | CPU s |\n| --- | ---: |\n| clean | 1 |"
