import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import SecretStr

from ml.features import build_features
from ml.schemas import TRANSACTIONS
from orchestration.engines.spark import SparkWarehouse
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse
from tests.spark.servers import Cluster, cluster, needs_spark

pytestmark = [needs_spark, pytest.mark.full]
AS_OF = date(2026, 6, 30)
NOON = datetime.combine(AS_OF, clock(12))
BUCKETS = 12


def transactions(customers: int = 1_000, each: int = 20) -> pl.DataFrame:
    """TRANSACTIONS of a year, the same in every run."""
    random, count = np.random.default_rng(6), customers * each
    days = random.integers(0, 365, count)
    moments = [NOON - timedelta(days=int(day)) for day in days]
    amounts = pl.Series(random.integers(1, 9_999, count)).cast(pl.Int64)
    frame = pl.DataFrame(
        {
            "transaction_id": [f"t{number}" for number in range(count)],
            "customer_id": [f"c{number % customers}" for number in range(count)],
            "occurred_at": moments,
            "transaction_date": [moment.date() for moment in moments],
            "line_count": [1] * count,
            **dict.fromkeys(("gross_amount", "net_amount", "value_amount"), amounts),
            "discount_amount": [0] * count,
            "is_purchase": [True] * count,
            "is_return": [False] * count,
        }
    )
    return frame.select(pl.col(name).cast(kind) for name, kind in TRANSACTIONS.items())


@pytest.fixture
def spark(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path / "spark") as running:
        yield running


@pytest.fixture
def warehouse(spark: Cluster, tmp_path: Path) -> Iterator[SparkWarehouse]:
    settings = Settings(data_dir=tmp_path, dbt_target="spark", spark_remote=SecretStr(spark.url), buckets=BUCKETS)
    found = SparkWarehouse(tmp_path / "warehouse.duckdb", settings=settings)
    with found.kept_open():
        found.write("ml.transactions", transactions())
        yield found


def features(seconds: float = 0) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The features of a bucket, after a while; an inner function, so that workers need no tests."""

    def of_bucket(bucket: pl.DataFrame) -> pl.DataFrame:
        time.sleep(seconds)
        return build_features(bucket, as_of=AS_OF)

    return of_bucket


def by_duckdb(tmp_path: Path, at_most: int | None = None) -> pl.DataFrame:
    plain = Warehouse(tmp_path / "plain.duckdb", settings=Settings(data_dir=tmp_path))
    plain.write("ml.transactions", transactions())
    found = plain.map_customers("ml.transactions", features(), columns=TRANSACTIONS, at_most=at_most)
    return pl.concat(found).sort("customer_id")


def test_two_executors_share_the_buckets_and_a_sample_is_of_the_same_customers(
    spark: Cluster, warehouse: SparkWarehouse, tmp_path: Path
) -> None:
    mapped = warehouse.map_customers("ml.transactions", features(), columns=TRANSACTIONS)
    assert pl.concat(mapped).sort("customer_id").equals(by_duckdb(tmp_path))
    some = pl.concat(warehouse.map_customers("ml.transactions", features(), columns=TRANSACTIONS, at_most=300))
    assert some.sort("customer_id").equals(by_duckdb(tmp_path, at_most=300))
    assert sum(executor["completedTasks"] > 0 for executor in spark.executors()) >= 2


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(
    spark: Cluster, warehouse: SparkWarehouse, tmp_path: Path
) -> None:
    def run() -> pl.DataFrame:
        return pl.concat(warehouse.map_customers("ml.transactions", features(4), columns=TRANSACTIONS))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        until = time.monotonic() + 300
        while sum(executor["activeTasks"] > 0 for executor in spark.executors()) < 2 and time.monotonic() < until:
            time.sleep(0.2)
        assert not running.done()
        os.kill(spark.workers[1].pid, signal.SIGKILL)
        found = running.result(timeout=600)
    assert found.sort("customer_id").equals(by_duckdb(tmp_path))
    lost = [executor for executor in spark.executors() if not executor["isActive"]]
    assert [executor["totalTasks"] > 0 for executor in lost] == [True]
