"""The last asset: what passed every check becomes what BI reads, and the day goes into the history."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from orchestration.activation import feed
from orchestration.dbt.assets import OWNERS
from orchestration.models import experiments
from orchestration.models.segments import CHANGES
from orchestration.publishing.publish import publish
from orchestration.runs.run import Run
from orchestration.storage.history import DRIFT, LEDGER, History


def published_version(tables: Sequence[dg.AssetKey], comments: Mapping[str, Mapping[str, Any]]) -> dg.AssetsDefinition:
    """The asset that publishes `tables`, with `comments` by `schema.table` for BI tools."""

    @dg.asset(
        key=["published", "clientele"],
        deps=tables,
        group_name="publish",
        kinds={"duckdb", "parquet"},
        owners=OWNERS,
        description="One version folder per run: the public tables as DuckDB and Parquet with a manifest, "
        "verified after reopening and made current in one step.",
    )
    def clientele(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
        as_of = run.as_of
        version = publish(run, as_of=as_of, comments=comments)
        if run.is_backfill or not run.is_scratch:
            keep_day(run)
        rows = sum(table["row_count"] for table in version.tables.values())
        return dg.MaterializeResult(
            metadata={
                "as_of_date": as_of.isoformat(),
                "is_current": not run.is_scratch,
                "folder": dg.MetadataValue.path(version.folder),
                "table_count": len(version.tables),
                "dagster/row_count": rows,
            }
        )

    return clientele


def keep_day(run: Run) -> None:
    """Keep what was published of this day: segment membership, totals, drift, every batch of scores, and who was
    assigned to an experiment on it, or changed in an activation.

    A day says whether it was back-filled; what was really published of a day is never replaced by such.
    """
    as_of = run.as_of
    history = History(run.settings.history_dir, source=run.source.name)
    is_backfilled = run.warehouse.read("select is_backfilled from marts.dim_as_of").item()
    if is_backfilled and _was_published(history, as_of):
        return
    history.keep("segments", as_of, run.warehouse.read("from ml.customer_segments order by customer_id, strategy"))
    history.keep("segment_changes", as_of, run.warehouse.read(CHANGES))
    history.keep("totals", as_of, run.warehouse.read("from quality.reconciliation order by entity, measure"))
    history.keep("drift", as_of, run.warehouse.read(DRIFT))
    assigned = run.warehouse.read(experiments.TODAY)
    if assigned.height and not run.is_scratch:
        history.keep(experiments.SUBJECT, as_of, assigned)
    if run.source.actions.activations:
        history.keep(
            feed.SUBJECT, as_of, run.warehouse.read("from activation.changes order by activation, customer_id")
        )
    for model, table in LEDGER.items():
        batch = run.warehouse.read(f"from {table} order by customer_id, horizon_days")
        history.keep(f"scores/{model}", as_of, batch.with_columns(is_backfilled=pl.lit(is_backfilled)))
    history.keep("days", as_of, pl.DataFrame({"is_backfilled": [is_backfilled], "known_at": [run.known_at]}))


def _was_published(history: History, day: date) -> bool:
    """Whether a day on record is one that was really published; before days were told apart, all were."""
    if day in history.days("days"):
        return not history.read("days", day)["is_backfilled"].item()
    return day in history.days("totals")
