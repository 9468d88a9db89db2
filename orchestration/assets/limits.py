"""What a run may do before it is stopped: the source file's limits, and the totals that were published last."""

import dagster as dg
import polars as pl

from ml.schemas import Schema
from orchestration.dbt import OWNERS
from orchestration.history import History
from orchestration.run import Run

LAST_TOTALS: Schema = {
    "as_of_date": pl.Date,
    "entity": pl.String,
    "measure": pl.String,
    "accepted": pl.Decimal(38, 4),
}


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
    key=["raw", "last_totals"],
    group_name="raw",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per entity x measure: what was accepted on the last published day before this one.",
)
def last_totals(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Take the totals of the last published day from the history; none before the first publication."""
    history = History(run.settings.history_dir, source=run.source.name)
    days = history.days("totals")
    earlier = [day for day in days if run.requested_as_of is None or day < run.requested_as_of]
    totals = pl.DataFrame(schema=LAST_TOTALS)
    if earlier:
        kept = history.read("totals", earlier[-1])
        totals = kept.with_columns(as_of_date=pl.lit(earlier[-1])).select(*LAST_TOTALS)
    rows = run.warehouse.write("raw.last_totals", totals)
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


ASSETS = [limits, last_totals]
