"""What a run may do before it is stopped: the source file's limits, and the totals that were published last."""

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


ASSETS = [limits, past_totals]
