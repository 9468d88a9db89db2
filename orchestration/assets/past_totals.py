"""The totals that were published last, from the history, as a table with which dbt compares the totals of this run."""

import dagster as dg
import polars as pl

from ml.schemas import Schema
from orchestration.dbt.assets import OWNERS
from orchestration.runs.run import Run
from orchestration.storage.history import History

PAST_TOTALS: Schema = {
    "as_of_date": pl.Date,
    "entity": pl.String,
    "measure": pl.String,
    "accepted": pl.Decimal(38, 4),
}
DAYS = 8  # a day run again is compared with the one before it, not with itself


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


ASSETS = [past_totals]
