"""Segments of every customer, by strategy; what makes them, what sets them apart, and how strategies compare."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from ml.schemas import Schema, conform, empty
from ml.segment_schemas import (
    CUSTOMER_SEGMENTS,
    SEGMENT_CHANGES,
    SEGMENT_DEFINITIONS,
    SEGMENT_EVALUATIONS,
    SEGMENT_SNAPSHOTS,
    SEGMENT_STRATEGIES,
    SEGMENT_TRAITS,
    SEGMENT_WORDS,
)
from ml.segmentation.changes import with_changes
from ml.segmentation.rfm import heat_map
from ml.segmentation.traits import traits
from orchestration.dbt.assets import OWNERS
from orchestration.models import segments
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage import segment_snapshots as snapshots
from orchestration.storage.history import History
from orchestration.ui import report_plots
from orchestration.ui.metadata import picture

if TYPE_CHECKING:
    from ml.segmentation.strategies import Strategy

INPUTS = [
    ["ml", "customer_features"],
    ["ml", "churn_scores"],
    ["ml", "clv_predictions"],
    ["marts", "dim_customers"],
    ["marts", "dim_customer_permissions"],
]
KEYS = ["as_of_date", "customer_id", "strategy", "segment"]


@dg.asset(
    key=["ml", "segment_definitions"],
    deps=[*INPUTS, *(["marts", name] for name in ("fct_transactions", "fct_campaign_contacts", "dim_campaigns"))],
    kinds={"scikitlearn", "duckdb"},
    group_name="segmentation",
    owners=OWNERS,
    description="One row per number, group or rule that is remembered of how customers are divided, kept until it is "
    "due.",
)
def segment_definitions(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Take the definitions on record, or fit and keep new ones when they are missing, due or asked for."""
    as_of = run.as_of
    record = segments.in_force(run, as_of=as_of)
    is_new = record is None
    if record is None:
        record = segments.fit(run, as_of=as_of)
    withheld = record.strategies.filter(pl.col("status") != segments.PUBLISHED)
    written = _written(run, "ml.segment_definitions", record.definitions, SEGMENT_DEFINITIONS)
    said = {row["strategy"]: f"{row['status']}: {row['reason']}" for row in withheld.iter_rows(named=True)}
    return written._replace(metadata={**(written.metadata or {}), "is_newly_fitted": is_new, **said})


def _recorded(table: str, schema: Schema, description: str, frame: Callable[[segments.Record], pl.DataFrame]) -> Any:
    """The asset of a table that was made together with the definitions in force."""

    @dg.asset(
        key=["ml", table],
        deps=[["ml", "segment_definitions"]],
        kinds={"polars", "duckdb"},
        description=description,
        group_name="segmentation",
        owners=OWNERS,
    )
    def recorded(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
        return _written(run, f"ml.{table}", frame(_record(run)), schema)

    return recorded


@dg.asset(
    key=["ml", "segment_words"],
    deps=[["ml", "segment_definitions"]],
    kinds={"polars", "duckdb"},
    description="One row per strategy x segment: what it is, in words.",
    group_name="segmentation",
    owners=OWNERS,
)
def segment_words(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Ask each strategy."""
    record, as_of = _record(run), run.as_of
    rows = [
        (as_of, strategy.name, segment, words)
        for strategy in _published(run, record)
        for segment, words in strategy.words(record.definitions).items()
    ]
    return _written(run, "ml.segment_words", pl.DataFrame(rows, schema=SEGMENT_WORDS, orient="row"), SEGMENT_WORDS)


@dg.asset(
    key=["ml", "customer_segments"],
    deps=[*INPUTS, ["ml", "segment_definitions"]],
    kinds={"polars", "duckdb"},
    description="One row per customer x strategy: the segment now, the one before, and why it is another.",
    group_name="segmentation",
    owners=OWNERS,
)
def customer_segments(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Assign every customer to one segment per strategy, bucket by bucket."""
    as_of, record = run.as_of, _record(run)
    before = _before(run)
    versions = dict(before.group_by("strategy").agg(pl.col("model_version").first()).iter_rows())
    strategies = _published(run, record)
    earlier = {
        strategy.name: segments.on_record_of(run, versions[strategy.name])
        for strategy in strategies
        if strategy.name in versions
    }
    heat = []

    def assign(customers: pl.DataFrame) -> pl.DataFrame:
        now, as_before = [empty(CUSTOMER_SEGMENTS).select(KEYS)], [empty(CUSTOMER_SEGMENTS).select(KEYS)]
        for strategy in strategies:
            found = strategy.assign(customers, record.definitions)
            if strategy.name == "rfm":
                heat.append(found)
            now.append(found.select(KEYS))
            if versions.get(strategy.name) == record.version(strategy.name):
                as_before.append(now[-1])
            elif (old := earlier.get(strategy.name)) is not None:
                as_before.append(strategy.assign(customers, old.definitions).select(KEYS))
        named = {strategy.name: record.version(strategy.name) for strategy in strategies}
        changed = with_changes(pl.concat(now), before, pl.concat(as_before))
        version = pl.col("strategy").replace_strict(named, default=None, return_dtype=pl.String)
        return conform(changed.with_columns(model_version=version), CUSTOMER_SEGMENTS)

    frames = consent.map_customers(run, segments.inputs(run), assign, purpose="profiling")
    rows = run.warehouse.write("ml.customer_segments", [empty(CUSTOMER_SEGMENTS), *frames])
    drawn = {}
    if heat:
        figure = report_plots.rfm_heat_map(heat_map(pl.concat(heat)), as_of=as_of, currency=run.source.currency)
        drawn["rfm_heat_map"] = picture(figure, title="Customers by recency and frequency score")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "strategies": ", ".join(record.published) or "none",
            **drawn,
        }
    )


@dg.asset(
    key=["ml", "segment_changes"],
    deps=[["ml", "customer_segments"]],
    kinds={"polars", "duckdb"},
    description="One row per day on record x customer x strategy where the segment is not that of the day before: when "
    "everyone entered and left.",
    group_name="segmentation",
    owners=OWNERS,
)
def segment_changes(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """The changes of every published day before, and today's, of those who allow profiling today."""
    as_of, history = run.as_of, _history(run)
    earlier = [history.read("segment_changes", day) for day in history.days("segment_changes") if day < as_of]
    today = run.warehouse.read(segments.CHANGES)
    changes = consent.of_permitted(run, pl.concat([*earlier, today], how="vertical_relaxed"), purpose="profiling")
    return _written(run, "ml.segment_changes", changes, SEGMENT_CHANGES)


@dg.asset(
    key=["ml", "segment_traits"],
    deps=[*INPUTS, ["ml", "customer_segments"]],
    kinds={"polars", "duckdb"},
    description="One row per strategy x segment x rank: what sets its customers apart from everyone else.",
    group_name="segmentation",
    owners=OWNERS,
)
def segment_traits(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Compare every segment with all others, feature by feature."""
    customers = run.warehouse.read(f"from {segments.inputs(run)} order by customer_id")
    found = run.warehouse.read("select customer_id, strategy, segment from ml.customer_segments order by all")
    return _written(run, "ml.segment_traits", traits(customers, found), SEGMENT_TRAITS)


@dg.asset(
    key=["ml", "segment_snapshots"],
    deps=[["ml", "customer_segments"]],
    kinds={"polars", "duckdb"},
    description="One row per snapshot x customer: who was in a segment when a campaign took it (`clientele freeze`).",
    group_name="segmentation",
    owners=OWNERS,
)
def segment_snapshots(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Bring the snapshots that were taken into a table, without who has opted out of marketing since."""
    frames = [empty(SEGMENT_SNAPSHOTS), *snapshots.kept(run.settings, source=run.source.name)]
    taken = pl.concat(frames).filter(pl.col("as_of_date") <= run.as_of)
    permitted = consent.of_permitted(run, taken, purpose="marketing")
    return _written(run, "ml.segment_snapshots", permitted, SEGMENT_SNAPSHOTS)


def _record(run: Run) -> segments.Record:
    record = segments.on_record(run, segments.newest(run, as_of=run.as_of))
    assert record is not None, "ml.segment_definitions is built before"  # noqa: S101 - the order of assets
    return record


def _published(run: Run, record: segments.Record) -> "list[Strategy]":
    return [strategy for strategy in segments.configured(run) if strategy.name in record.published]


def _before(run: Run) -> pl.DataFrame:
    """The segments of the last published day before this one."""
    as_of, history = run.as_of, _history(run)
    day = history.before("segments", as_of)
    known = history.read("segments", day) if day else empty(CUSTOMER_SEGMENTS)
    if "segment_since" not in known.columns:  # kept before it was recorded
        known = known.with_columns(segment_since="as_of_date")
    return known


def _history(run: Run) -> History:
    return History(run.settings.history_dir, source=run.source.name)


def _written(run: Run, key: str, frame: pl.DataFrame, schema: Schema) -> dg.MaterializeResult[None]:
    rows = run.warehouse.write(key, conform(frame, schema))
    return dg.MaterializeResult(metadata={"dagster/row_count": rows})


ASSETS = [
    segment_definitions,
    _recorded(
        "segment_strategies",
        SEGMENT_STRATEGIES,
        "One row per strategy: whether it has segments, how stable they are, and why not where it has none.",
        lambda record: record.strategies,
    ),
    _recorded(
        "segment_evaluations",
        SEGMENT_EVALUATIONS,
        "One row per strategy x metric: every strategy on the same past day, judged by what came after.",
        lambda record: record.evaluations,
    ),
    segment_words,
    customer_segments,
    segment_changes,
    segment_traits,
    segment_snapshots,
]
