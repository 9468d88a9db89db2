"""What the source file asks of checks and models, and the totals that were published last, as tables for dbt."""

import dagster as dg
import polars as pl

from ml.schemas import Schema
from orchestration.dbt import OWNERS
from orchestration.history import History
from orchestration.run import Run

PAST_TOTALS: Schema = {
    "as_of_date": pl.Date,
    "entity": pl.String,
    "measure": pl.String,
    "accepted": pl.Decimal(38, 4),
}
MODEL_SETTINGS: Schema = {
    "model": pl.String,
    "horizon_days": pl.Int64,
    "active_window_days": pl.Int64,
    "minimum_history_days": pl.Int64,
    "minimum_training_cutoffs": pl.Int64,
    "maximum_training_cutoffs": pl.Int64,
    "minimum_customers": pl.Int64,
    "minimum_outcomes": pl.Int64,
}
DAYS = 8  # a day run again is compared with the one before it, not with itself


@dg.asset(
    key=["raw", "limits"],
    group_name="raw",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row: the shares and factors beyond which this source file lets no run publish.",
)
def limits(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hand the limits of the source file to dbt's checks."""
    values = run.source.limits.model_dump()
    run.warehouse.write("raw.limits", pl.DataFrame([values], schema=dict.fromkeys(values, pl.Float64)))
    return dg.MaterializeResult(metadata={"dagster/row_count": 1, **values})


@dg.asset(
    key=["raw", "past_totals"],
    group_name="raw",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per published day x entity x measure: what was accepted on the last few days.",
)
def past_totals(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Take the totals of the last published days from the history; staging knows which of them is the one before."""
    history = History(run.settings.history_dir, source=run.source.name)
    known = [day for day in history.days("totals") if run.requested_as_of is None or day < run.requested_as_of]
    kept = [history.read("totals", day).with_columns(as_of_date=pl.lit(day)) for day in known[-DAYS:]]
    totals = pl.concat([pl.DataFrame(schema=PAST_TOTALS), *(frame.select(*PAST_TOTALS) for frame in kept)])
    rows = run.warehouse.write("raw.past_totals", totals)
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


@dg.asset(
    key=["raw", "model_settings"],
    group_name="raw",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per model x horizon: what the source file asks of it, and what a contest needs.",
)
def model_settings(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Hand the questions to dbt, which says before any training whether this data can answer them."""
    churn, clv = run.source.models.churn, run.source.models.clv
    asked = [
        {"model": "churn", "minimum_training_cutoffs": 1} | churn.model_dump(include=set(MODEL_SETTINGS)),
        *(
            {"model": "clv", "horizon_days": days, "minimum_training_cutoffs": 0, "maximum_training_cutoffs": 1}
            | clv.model_dump(include=set(MODEL_SETTINGS))
            for days in clv.horizons_days
        ),
    ]
    rows = run.warehouse.write("raw.model_settings", pl.DataFrame(asked, schema=MODEL_SETTINGS))
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


ASSETS = [limits, model_settings, past_totals]
