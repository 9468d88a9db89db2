"""Segments of every customer, by strategy, and the cut points that make them."""

from datetime import date

import dagster as dg
import polars as pl

from ml.schemas import CUSTOMER_FEATURES, CUSTOMER_SEGMENTS, SEGMENT_CUT_POINTS, conform, empty
from ml.segmentation import lifecycle, rfm
from orchestration import plots
from orchestration.dbt import OWNERS
from orchestration.history import History
from orchestration.metadata import column_schema, picture
from orchestration.run import Run

STRATEGIES = {rfm.STRATEGY: rfm, lifecycle.STRATEGY: lifecycle}


@dg.asset(
    key=["ml", "segment_cut_points"],
    deps=[["ml", "customer_features"]],
    group_name="segmentation",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per strategy x measure x quantile: the values that divide customers, kept until they are due.",
)
def segment_cut_points(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Take the cut points on record, or fit and keep new ones when they are missing, due or asked for."""
    as_of = run.as_of()
    history = _history(run)
    day = history.before("cut_points", as_of, is_same_day_included=True)
    due = day is None or (as_of - day).days >= run.source.models.retrain_after_days
    is_new = day is None or bool(run.retrain) or (due and run.retrain is None)
    if is_new:
        features = run.warehouse.read("from ml.customer_features order by customer_id")
        fitted = [strategy.fit(features) for strategy in STRATEGIES.values()]
        history.keep("cut_points", as_of, pl.concat(fitted))
    cut_points = history.read("cut_points", day if day and not is_new else as_of)
    rows = run.warehouse.write("ml.segment_cut_points", cut_points)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "dagster/column_schema": column_schema(SEGMENT_CUT_POINTS),
            "is_newly_fitted": is_new,
        }
    )


@dg.asset(
    key=["ml", "customer_segments"],
    deps=[["ml", "customer_features"], ["ml", "segment_cut_points"]],
    group_name="segmentation",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per customer x strategy: the segment now and the one before.",
)
def customer_segments(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Assign every customer to one segment per strategy, bucket by bucket."""
    as_of = run.as_of()
    cut_points = run.warehouse.read("from ml.segment_cut_points")
    previous = _previous(run, as_of)
    heat = []

    def assign(features: pl.DataFrame) -> pl.DataFrame:
        features = conform(features, CUSTOMER_FEATURES)
        assigned = {name: strategy.assign(features, cut_points) for name, strategy in STRATEGIES.items()}
        heat.append(assigned[rfm.STRATEGY])
        segments = pl.concat(
            [frame.select("as_of_date", "customer_id", "strategy", "segment") for frame in assigned.values()]
        )
        versioned = segments.join(previous, on=["customer_id", "strategy"], how="left").with_columns(
            model_version=pl.format("{}-{}", "strategy", pl.lit(_fitted_on(cut_points, as_of)))
        )
        return conform(versioned, CUSTOMER_SEGMENTS)

    frames = run.warehouse.map_customers("ml.customer_features", assign)
    rows = run.warehouse.write("ml.customer_segments", [empty(CUSTOMER_SEGMENTS), *frames])
    cells = rfm.heat_map(pl.concat(heat))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "dagster/column_schema": column_schema(CUSTOMER_SEGMENTS),
            "customer_count": rows // len(STRATEGIES),
            "rfm_heat_map": picture(
                plots.rfm_heat_map(cells, as_of=as_of, currency=run.source.currency),
                title="Customers by recency and frequency score",
            ),
        }
    )


def _history(run: Run) -> History:
    return History(run.settings.history_dir, source=run.source.name)


def _previous(run: Run, as_of: date) -> pl.DataFrame:
    day = _history(run).before("segments", as_of)
    known = _history(run).read("segments", day) if day else empty(CUSTOMER_SEGMENTS)
    return known.select("customer_id", "strategy", previous_segment="segment")


def _fitted_on(cut_points: pl.DataFrame, as_of: date) -> str:
    return (as_of if cut_points.is_empty() else cut_points["as_of_date"][0]).isoformat()


ASSETS = [segment_cut_points, customer_segments]
