"""Offers: which customer gets which, within budgets and limits, and what each offer is expected to bring."""

from functools import partial

import dagster as dg
import polars as pl

from ml.campaign_schemas import OFFER_PLANS, OFFERS
from ml.schemas import Schema, conform
from orchestration.dbt.assets import OWNERS
from orchestration.models import offers as planning
from orchestration.runs.run import Run

asset = partial(dg.asset, group_name="campaigns", owners=OWNERS, kinds={"polars", "duckdb"})
TABLES = ("uplift_scores", "uplift_bands", "uplift_designs", "churn_scores", "clv_predictions", "customer_features")
INPUTS = [
    *(["ml", name] for name in (*TABLES, "experiment_assignments", "experiment_results")),
    *(["marts", name] for name in ("dim_customers", "dim_customer_permissions", "dim_as_of")),
]


@asset(
    key=["ml", "offers"],
    deps=INPUTS,
    description="One row per customer who is to get an offer: value x risk x effect - cost, the most profit per cost "
    "first, within budgets and limits.",
)
def offers(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Choose among everybody who may be addressed."""
    return _written(run, "ml.offers", planning.plan(run).offers, OFFERS)


@asset(
    key=["ml", "offer_plans"],
    deps=INPUTS,
    description="One row per declared offer: what it is expected to bring, with an interval, or why it is refused.",
)
def offer_plans(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Add every offer up: planned again, for it takes less than to keep it."""
    plans = planning.plan(run).plans
    said = {row["offer"]: f"{row['status']}: {row['reason'] or ''}" for row in plans.iter_rows(named=True)}
    return _written(run, "ml.offer_plans", plans, OFFER_PLANS, **said)


def _written(run: Run, key: str, frame: pl.DataFrame, schema: Schema, **said: str) -> dg.MaterializeResult[None]:
    rows = run.warehouse.write(key, conform(frame, schema))
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, **said})


ASSETS = [offers, offer_plans]
