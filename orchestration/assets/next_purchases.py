"""When each customer's next purchase is to be expected."""

import dagster as dg
import polars as pl

from ml.next_purchases import GAP_COUNTS, count_gaps, distribute, predict
from ml.rhythm import population_gap
from ml.schemas import CUSTOMER_FEATURES, NEXT_PURCHASES, conform, empty
from orchestration.dbt.assets import OWNERS
from orchestration.privacy import consent
from orchestration.runs.run import Run


@dg.asset(
    key=["ml", "next_purchases"],
    deps=[["ml", "customer_features"], ["marts", "fct_transactions"]],
    group_name="segmentation",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per customer who ever bought: the day of the next purchase to be expected, and its interval.",
)
def next_purchases(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Count everybody's gaps bucket by bucket, then date each customer's next purchase."""
    as_of = run.as_of
    gap = population_gap(
        run.warehouse.read(f"select gap_mean_days from ml.customer_features where {consent.allowed('profiling')}")
    )
    counts = consent.map_customers(
        run,
        "marts.fct_transactions",
        lambda bucket: count_gaps(bucket, as_of=as_of, population_gap_days=gap),
        purpose="profiling",
        columns=("customer_id", "transaction_date"),
        where="customer_id is not null and is_purchase",
    )
    distribution = distribute(pl.concat([empty(GAP_COUNTS), *counts]))
    frames = consent.map_customers(
        run,
        "ml.customer_features",
        lambda features: predict(conform(features, CUSTOMER_FEATURES), distribution, population_gap_days=gap),
        purpose="profiling",
    )
    rows = run.warehouse.write("ml.next_purchases", [empty(NEXT_PURCHASES), *frames])
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "population_gap_days": gap,
        }
    )


ASSETS = [next_purchases]
