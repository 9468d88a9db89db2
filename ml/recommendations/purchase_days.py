"""What days of purchase say of a customer and an item: how often, how lately, and what was bought afterwards."""

from datetime import date, timedelta
from typing import Final

import polars as pl

from ml.schemas import Schema

PURCHASE_DAYS: Final[Schema] = {"customer_id": pl.String, "item": pl.String, "purchase_date": pl.Date}
"""Grain: customer x item x day on which they bought it."""

HISTORY_DAYS: Final = 365
"""What was bought longer ago says nothing: tastes change, and memory stays bounded."""

HALF_LIVES_DAYS: Final = (30, 90)
_UNIT: Final = 2**20
"""Weights are counted in whole parts of this size, so that a sum does not depend on the order of its rows."""


def before(days: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """The days of the year up to `as_of`."""
    first = as_of - timedelta(days=HISTORY_DAYS)
    return days.filter(pl.col("purchase_date").is_between(first, as_of, closed="right"))


def after(days: pl.DataFrame, *, as_of: date, horizon_days: int) -> pl.DataFrame:
    """Grain: customer x item bought in the `horizon_days` after `as_of`."""
    last = as_of + timedelta(days=horizon_days)
    bought = days.filter(pl.col("purchase_date").is_between(as_of, last, closed="right"))
    return bought.select("customer_id", "item").unique().sort("customer_id", "item")


def own_items(days: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Grain: customer x item of the year up to `as_of`, sorted: day_count, recency_days, and weight_30, weight_90.

    A weight counts days of purchase, each half as much for every so many days that it is old.
    """
    age = (pl.lit(as_of) - pl.col("purchase_date")).dt.total_days()
    weights = {
        f"weight_{half_life}": ((pl.lit(0.5).pow(age / half_life) * _UNIT).round().cast(pl.Int64).sum() / _UNIT)
        for half_life in HALF_LIVES_DAYS
    }
    return (
        before(days, as_of=as_of)
        .group_by("customer_id", "item")
        .agg(day_count=pl.col("purchase_date").n_unique().cast(pl.Int64), recency_days=age.min(), **weights)
        .sort("customer_id", "item")
    )


def visits(days: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Grain: customer, sorted: days of purchase in the year up to `as_of`, and in its last half-life of 30 days."""
    lately = pl.col("purchase_date") > as_of - timedelta(days=HALF_LIVES_DAYS[0])
    return (
        before(days, as_of=as_of)
        .group_by("customer_id")
        .agg(
            visit_count=pl.col("purchase_date").n_unique().cast(pl.Int64),
            recent_visit_count=pl.col("purchase_date").filter(lately).n_unique().cast(pl.Int64),
        )
        .sort("customer_id")
    )
