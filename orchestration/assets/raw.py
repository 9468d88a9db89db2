"""What was received, as assets: one per input entity, the record of loads, and what the run was asked for."""

from collections.abc import Iterator, Sequence

import dagster as dg
import polars as pl

from ml.schemas import Schema
from orchestration.dbt.assets import OWNERS
from orchestration.errors import InputError
from orchestration.ingest import erased_rows, ingest, register
from orchestration.intake import loads as record
from orchestration.intake.entities import ENTITIES, START_ENTITIES, Entity
from orchestration.intake.file_patterns import FETCHED
from orchestration.intake.source_file import Source
from orchestration.privacy.erasure import finish
from orchestration.privacy.landing import scrub_landing
from orchestration.privacy.retention import first_kept_day, prune_history
from orchestration.publishing.publish import publish_again
from orchestration.runs.news import unchanged_since
from orchestration.runs.run import Run

NEW = ("loaded", "changed")


def received(entity: Entity, *, fetched: Sequence[tuple[str, str]] = ()) -> dg.AssetsDefinition:
    """The asset of one entity: its new and changed files as deliveries, and the view `raw.<entity>` over all.

    `fetched` are the tables (connection, table) whose rows are among its files.
    """

    @dg.asset(
        key=["raw", entity.name],
        deps=[["landing", f"{connection}_{table}"] for connection, table in fetched],
        group_name="raw",
        kinds={"parquet", "duckdb"},
        owners=OWNERS,
        description=f"One row per {entity.grain} row received, with its file and row number; values as received.",
    )
    def raw_entity(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
        finish(run.settings, run.source)
        loads = ingest(entity, source=run.source, settings=run.settings)
        record.keep(loads, source=run.source, settings=run.settings)
        with run.warehouse.connect() as connection:
            register(connection, entity, source=run.source, settings=run.settings, known_at=run.known_until)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": run.warehouse.row_count(f"raw.{entity.name}"),
                "new_file_count": sum(load.outcome in NEW for load in loads),
                "unchanged_file_count": sum(load.outcome == "unchanged" for load in loads),
                "missing_file_count": sum(load.outcome == "missing" for load in loads),
                "new_row_count": sum(load.row_count for load in loads if load.outcome in NEW),
                "notes": [f"{load.source_file}: {load.note}" for load in loads if load.note],
            }
        )

    return raw_entity


@dg.asset(
    key=["raw", "erased_rows"],
    deps=[["raw", name] for name in ENTITIES],
    group_name="raw",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per delivery x currency with rows of erased customers, or past their retention: how many.",
)
def erased(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Write what deliveries remember of rows that are kept no longer; what was fetched loses them as well."""
    scrub_landing(run.source, run.settings)
    prune_history(run.source, run.settings)
    rows = run.warehouse.write(
        "raw.erased_rows", erased_rows(source=run.source, settings=run.settings, known_at=run.known_until)
    )
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


@dg.asset(
    key=["raw", "source_settings"],
    deps=[["raw", name] for name in START_ENTITIES],
    group_name="raw",
    kinds={"duckdb"},
    owners=OWNERS,
    description="One row per run: what the source file and the run asked for (name, time zone, currency, as-of date).",
)
def source_settings(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Write the row that dbt reads, once it is sure that there is anything to describe at the day asked for."""
    _check_day(run)
    row = {
        "source_name": run.source.name,
        "timezone": run.source.timezone,
        "currency": run.source.currency,
        "cancellation_prefix": run.source.rules.returns.cancellation_prefix,
        "adjustment_prefix": run.source.rules.returns.adjustment_prefix,
        "has_feedback_text": any("text" in part.columns for part in run.source.entities.get("feedback", ())),
        "satisfied_from": run.source.models.feedback.satisfied_from,
        "is_consent_required": run.source.privacy.consent == "required",
        "requested_as_of_date": run.requested_as_of,
        "known_at": run.known_at,
    }
    schema: Schema = {
        **dict.fromkeys(row, pl.String),
        "has_feedback_text": pl.Boolean,
        "satisfied_from": pl.Float64,
        "is_consent_required": pl.Boolean,
        "requested_as_of_date": pl.Date,
        "known_at": pl.Datetime("us"),
    }
    run.warehouse.write("raw.source_settings", pl.DataFrame([row], schema=schema))
    shown = {name: str(value) for name, value in row.items() if value is not None}
    return dg.MaterializeResult(metadata={"dagster/row_count": 1, **shown})


def _check_day(run: Run) -> None:
    # The first of the rows that staging may accept: it rejects whatever is dated before 1900.
    first = run.warehouse.read(
        "select min(try_cast(occurred_at as timestamp)) filter (where not _is_excluded and not _is_superseded "
        "and try_cast(occurred_at as timestamp) >= timestamp '1900-01-01')::date as first_date, "
        "count(*) as row_count from raw.transactions"
    ).row(0, named=True)
    if not first["row_count"] and "transactions" in run.source.entities:
        raise InputError(
            f"{run.source.path.name}: entities.transactions: the files have a header and no rows. "
            "Nothing was published; what was published before stays."
        )
    first_kept = first_kept_day("transactions", source=run.source, settings=run.settings)
    if run.requested_as_of and first_kept and run.requested_as_of < first_kept:
        raise InputError(
            f"as-of date {run.requested_as_of}: transactions before {first_kept} are kept no longer "
            f"(privacy.retention_days). Ask for {first_kept} or later; what was published before stays."
        )
    if run.requested_as_of and first["first_date"] and run.requested_as_of < first["first_date"]:
        raise InputError(
            f"as-of date {run.requested_as_of} is before the first transaction ({first['first_date']}). "
            f"Ask for {first['first_date']} or later; what was published before stays."
        )


@dg.asset(
    key=["raw", "loads"],
    deps=[["raw", name] for name in (*ENTITIES, "erased_rows", "source_settings")],
    group_name="raw",
    kinds={"parquet", "duckdb"},
    owners=OWNERS,
    output_required=False,
    description="One row per file and event: loaded, changed, renamed, repeated or missing; nothing new adds nothing.",
)
def loads(context: dg.AssetExecutionContext, run: dg.ResourceParam[Run]) -> Iterator[dg.MaterializeResult[None]]:
    """Make the view over the record of loads, once every entity has added to it.

    Where there is no news at all, the last version is published again and this asset is not made: all steps after it
    are skipped, and their tables are as fresh as if they had run.
    """
    with run.warehouse.connect() as connection:
        record.register(connection, source=run.source, settings=run.settings, known_at=run.known_until)
    last = unchanged_since(run.before, source=run.source, requested_as_of=run.requested_as_of, settings=run.settings)
    if last is None:
        yield dg.MaterializeResult(metadata={"dagster/row_count": run.warehouse.row_count("raw.loads")})
        return
    again = publish_again(run, last)
    since = again.unchanged_since
    context.log.info(f"No news since run {since}: its tables are published again, and nothing is computed.")
    counts = {name: table["row_count"] for name, table in again.tables.items()}
    for name, rows in (counts | {"published.clientele": sum(counts.values())}).items():
        shown = {"dagster/row_count": rows, "unchanged_since": since}
        context.log_event(dg.AssetMaterialization(name.split("."), metadata=shown))


def assets(source: Source | None) -> list[dg.AssetsDefinition]:
    """Every asset of this file; the source's connections say which entities wait for a fetch."""
    return [
        *(received(entity, fetched=_fetched(source, name)) for name, entity in ENTITIES.items()),
        loads,
        erased,
        source_settings,
    ]


def _fetched(source: Source | None, entity: str) -> list[tuple[str, str]]:
    parts = source.entities.get(entity, ()) if source else ()
    named = [FETCHED.fullmatch(pattern) for part in parts for pattern in part.files]
    return sorted({(match["connection"], match["table"]) for match in named if match})
