"""The features of every customer at the as-of date."""

import dagster as dg

from ml.features import build_features
from ml.schemas import CUSTOMER_FEATURES, empty
from orchestration.dbt.assets import OWNERS
from orchestration.privacy import consent
from orchestration.runs.run import Run


@dg.asset(
    key=["ml", "customer_features"],
    deps=[["marts", "fct_transactions"], ["marts", "dim_customer_permissions"], ["marts", "dim_as_of"]],
    group_name="features",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per customer at the as-of date: what is known of those who ever bought, from the past alone.",
)
def customer_features(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Build the features bucket by bucket."""
    as_of = run.as_of
    frames = consent.map_transactions(run, lambda bucket: build_features(bucket, as_of=as_of), purpose="analytics")
    rows = run.warehouse.write("ml.customer_features", [empty(CUSTOMER_FEATURES), *frames])
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "as_of_date": as_of.isoformat(),
        }
    )


ASSETS = [customer_features]
