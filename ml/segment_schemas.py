"""Column names and types of every frame about segments: what strategies look at, and their tables in schema `ml`."""

from typing import Final

import polars as pl

from ml.schemas import CUSTOMER_FEATURES, Schema

PROFILE: Final = ("age_band", "gender", "income_band", "household_size", "city", "region", "country")
"""Columns of `marts.dim_customers` that divide people or places; as text."""

SEGMENT_INPUTS: Final[Schema] = CUSTOMER_FEATURES | {
    "churn_probability": pl.Float64,
    "expected_amount": pl.Float64,
    **dict.fromkeys(PROFILE, pl.String),
}
"""What strategies look at. Grain: customer with a purchase; no score where a model gives none. Declared attributes
follow, by their own names."""

CUSTOMER_SEGMENTS: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "strategy": pl.String,
    "segment": pl.String,
    "previous_segment": pl.String,
    "change": pl.String,
    "segment_since": pl.Date,
    "model_version": pl.String,
}
"""`change` is new, none, behaviour, thresholds or model: why the segment is not the previous one. `segment_since` is
the first day on record of an unbroken stay."""

SEGMENT_CHANGES: Final[Schema] = {
    name: CUSTOMER_SEGMENTS[name]
    for name in ("as_of_date", "customer_id", "strategy", "previous_segment", "segment", "change")
}
"""Grain: day on record x customer x strategy where the segment is not that of the day before: entries, so exits too."""

SEGMENT_SNAPSHOTS: Final[Schema] = {
    "snapshot": pl.String,
    "taken_at": pl.Datetime("us"),
    "as_of_date": pl.Date,
    "strategy": pl.String,
    "segment": pl.String,
    "model_version": pl.String,
    "customer_id": pl.String,
}
"""Grain: snapshot x customer: who was in a segment when a campaign took it."""

SEGMENT_TRAITS: Final[Schema] = {
    "as_of_date": pl.Date,
    "strategy": pl.String,
    "segment": pl.String,
    "rank": pl.Int64,
    "feature": pl.String,
    "category": pl.String,
    "value": pl.Float64,
    "everyone_value": pl.Float64,
    "effect": pl.Float64,
    "customer_count": pl.Int64,
}
"""Grain: strategy x segment x rank. `value` is the median of a number or the share of a category; `effect` is Cliff's
delta against everyone else, from -1 (all have less) to 1 (all have more)."""

SEGMENT_DEFINITIONS: Final[Schema] = {
    "as_of_date": pl.Date,
    "strategy": pl.String,
    "quantity": pl.String,
    "segment": pl.String,
    "measure": pl.String,
    "category": pl.String,
    "quantile": pl.Float64,
    "value": pl.Float64,
}
"""Everything that is remembered of a fit, a number or a group a row. `quantity` is cut_point (at a quantile), centre
(of a segment in a measure), average, spread or population (of a measure), group (a category's segment) or rule."""

SEGMENT_STRATEGIES: Final[Schema] = {
    "as_of_date": pl.Date,
    "strategy": pl.String,
    "status": pl.String,
    "reason": pl.String,
    "segment_count": pl.Int64,
    "stability": pl.Float64,
    "model_version": pl.String,
    "config": pl.String,
}
"""Grain: configured strategy. `status` is published, withheld (not stable) or not_carried (by the data)."""

SEGMENT_WORDS: Final[Schema] = {
    "as_of_date": pl.Date,
    "strategy": pl.String,
    "segment": pl.String,
    "words": pl.String,
}
"""Grain: strategy x segment: what it is, in words."""

SEGMENT_EVALUATIONS: Final[Schema] = {
    "strategy": pl.String,
    "model_version": pl.String,
    "cutoff_date": pl.Date,
    "horizon_days": pl.Int64,
    "metric": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "customer_count": pl.Int64,
}
"""Grain: strategy x metric, on customers of a past cut-off and what they did in the horizon after it."""
