"""Column names and types of the frames about experiments: who is in which arm, and what came of it."""

from typing import Final

import polars as pl

from ml.schemas import Schema

EXPERIMENT_ASSIGNMENTS: Final[Schema] = {
    "experiment_id": pl.String,
    "customer_id": pl.String,
    "arm": pl.String,
    "assigned_by": pl.String,
    "assigned_date": pl.Date,
    "first_date": pl.Date,
    "last_date": pl.Date,
}
"""Grain: experiment x customer. `assigned_by` is keyed_hash or data. Outcomes that count are from `first_date` to
`last_date`; without the first all that is known counts, without the last all up to the as-of date."""

EXPERIMENT_RESULTS: Final[Schema] = {
    "as_of_date": pl.Date,
    "experiment_id": pl.String,
    "purpose": pl.String,
    "assigned_by": pl.String,
    "analysis": pl.String,
    "starts_on": pl.Date,
    "ends_on": pl.Date,
    "status": pl.String,
    "reason": pl.String,
    "arm": pl.String,
    "is_control": pl.Boolean,
    "assigned_count": pl.Int64,
    "declared_share": pl.Float64,
    "sample_ratio_p_value": pl.Float64,
    "is_sample_ratio_kept": pl.Boolean,
    "metric": pl.String,
    "is_proportion": pl.Boolean,
    "customer_count": pl.Int64,
    "mean": pl.Float64,
    "confidence": pl.Float64,
    "effect": pl.Float64,
    "effect_lower": pl.Float64,
    "effect_upper": pl.Float64,
    "effect_p_value": pl.Float64,
    "cuped_effect": pl.Float64,
    "cuped_lower": pl.Float64,
    "cuped_upper": pl.Float64,
    "cuped_p_value": pl.Float64,
    "variance_reduction": pl.Float64,
    "correction": pl.String,
    "corrected_p_value": pl.Float64,
    "conclusion": pl.String,
}
"""Grain: experiment x arm x metric; the control arm has a row of its own, without effect.

`status` is not_started, running, final or no_data; `conclusion` is higher, lower, no_difference_shown, undecided or
invalid, none where nothing is known yet. Effects are differences of means from the control arm."""
