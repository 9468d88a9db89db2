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

STRATEGIES = {rfm.STRATEGY: rfm.assign, lifecycle.STRATEGY: lifecycle.assign}


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
    cut_points = _cut_points_on_record(run, as_of)
    is_new = cut_points is None
    if cut_points is None:
        features = run.warehouse.read("from ml.customer_features order by customer_id")
        quantiles = run.source.segments.rfm.quantiles
        cut_points = pl.concat([rfm.fit(features, quantiles=quantiles), lifecycle.fit(features)])
        _history(run).keep("cut_points", as_of, cut_points)
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
    strategies = run.source.segments.strategies
    heat = []

    def assign(features: pl.DataFrame) -> pl.DataFrame:
        features = conform(features, CUSTOMER_FEATURES)
        assigned = [STRATEGIES[name](features, cut_points) for name in strategies]
        heat.append(rfm.assign(features, cut_points))
        segments = pl.concat(frame.select("as_of_date", "customer_id", "strategy", "segment") for frame in assigned)
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
            "customer_count": rows // len(strategies),
            "rfm_heat_map": picture(
                plots.rfm_heat_map(cells, as_of=as_of, currency=run.source.currency),
                title="Customers by recency and frequency score",
            ),
        }
    )


def _history(run: Run) -> History:
    return History(run.settings.history_dir, source=run.source.name)


def _cut_points_on_record(run: Run, as_of: date) -> pl.DataFrame | None:
    """The newest cut points up to a day, unless new ones are asked for, due, or configured otherwise."""
    day = _history(run).before("cut_points", as_of, is_same_day_included=True)
    if day is None or run.retrain:
        return None
    if run.retrain is None and (as_of - day).days >= run.source.models.retrain_after_days:
        return None
    kept = _history(run).read("cut_points", day)
    quantiles = kept.filter(pl.col("strategy") == rfm.STRATEGY)["quantile"].unique().sort().to_list()
    return kept if quantiles in ([], sorted(run.source.segments.rfm.quantiles)) else None


def _previous(run: Run, as_of: date) -> pl.DataFrame:
    day = _history(run).before("segments", as_of)
    known = _history(run).read("segments", day) if day else empty(CUSTOMER_SEGMENTS)
    return known.select("customer_id", "strategy", previous_segment="segment")


def _fitted_on(cut_points: pl.DataFrame, as_of: date) -> str:
    return (as_of if cut_points.is_empty() else cut_points["as_of_date"][0]).isoformat()


ASSETS = [segment_cut_points, customer_segments]
