"""Column names and types of the tables that say what to do next: products to recommend, demand to be ready for."""

from typing import Final

import polars as pl

from ml.schemas import Schema

PRODUCT_RECOMMENDATIONS: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "rank": pl.Int64,
    "horizon_days": pl.Int64,
    "product_id": pl.String,
    "category": pl.String,
    "name": pl.String,
    "score": pl.Float64,
    "is_repeat": pl.Boolean,
    "reason": pl.String,
    "served_by": pl.String,
    "model_version": pl.String,
    "is_stale": pl.Boolean,
}
"""Grain: customer x rank. Where categories are recommended, `product_id` is null."""

DEMAND_WEEKS: Final[Schema] = {
    "as_of_date": pl.Date,
    "product_group": pl.String,
    "unit": pl.String,
    "week_start_date": pl.Date,
    "week_end_date": pl.Date,
    "demand": pl.Float64,
}
"""Grain: product group x past week; `unit` is quantity or net_amount."""

DEMAND_FORECASTS: Final[Schema] = {
    "as_of_date": pl.Date,
    "product_group": pl.String,
    "unit": pl.String,
    "horizon_weeks": pl.Int64,
    "week_start_date": pl.Date,
    "week_end_date": pl.Date,
    **dict.fromkeys(("expected_demand", "expected_demand_p10", "expected_demand_p90"), pl.Float64),
    **dict.fromkeys(("served_by", "candidate", "reason"), pl.String),
}
"""Grain: product group x week ahead; `unit` is quantity or net_amount."""

DEMAND_EVALUATIONS: Final[Schema] = {
    "as_of_date": pl.Date,
    "product_group": pl.String,
    "candidate": pl.String,
    "test": pl.String,
    "origin_count": pl.Int64,
    **dict.fromkeys(("wape", "mase", "interval_coverage"), pl.Float64),
    "is_serving": pl.Boolean,
}
"""Grain: product group, or all groups, x forecaster x test: every rolling origin, or the latest alone."""

REORDER_SUGGESTIONS: Final[Schema] = {
    "as_of_date": pl.Date,
    "product_group": pl.String,
    **dict.fromkeys(("service_level", "lead_time_days", "review_days", "on_hand_quantity"), pl.Float64),
    **dict.fromkeys(("expected_demand", "safety_stock", "order_up_to"), pl.Float64),
    "suggested_quantity": pl.Int64,
    "tested_service_level": pl.Float64,
    "reason": pl.String,
}
"""Grain: product group with a stock level, in pieces; what cannot be said is null, and `reason` says why."""
