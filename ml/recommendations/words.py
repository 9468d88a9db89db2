"""Recommendations as a reader meets them: what the item is called, and why it is proposed, in words."""

from datetime import date

import polars as pl

from ml.action_schemas import PRODUCT_RECOMMENDATIONS
from ml.gate import ServedBy
from ml.recommendations.rankings import POPULARITY
from ml.schemas import Schema, conform

NAMES: Schema = {"item": pl.String, "product_id": pl.String, "category": pl.String, "name": pl.String}
"""Grain: item. `product_id` is null where items are categories."""


def in_words(
    recommended: pl.DataFrame,
    names: pl.DataFrame,
    *,
    as_of: date,
    horizon_days: int,
    candidate: str,
    served_by: ServedBy,
    model_version: str,
    is_stale: bool,
) -> pl.DataFrame:
    """PRODUCT_RECOMMENDATIONS from RECOMMENDED rows and NAMES."""
    called = names.select("item", because_name=pl.coalesce("name", "item"))
    named = recommended.join(names, on="item", how="left", maintain_order="left").join(
        called, left_on="because_item", right_on="item", how="left", maintain_order="left"
    )
    return conform(
        named.with_columns(
            pl.coalesce("name", "item").alias("name"),
            as_of_date=pl.lit(as_of),
            horizon_days=pl.lit(horizon_days),
            is_repeat=pl.col("day_count") > 0,
            reason=_reason(is_by_popularity=candidate == POPULARITY),
            served_by=pl.lit(served_by),
            model_version=pl.lit(model_version),
            is_stale=pl.lit(is_stale),
        ),
        PRODUCT_RECOMMENDATIONS,
    )


def _reason(*, is_by_popularity: bool) -> pl.Expr:
    percent = (pl.col("recent_buyer_share") * 100).round(1)
    popular = (
        pl.when(pl.col("recent_buyer_share") > 0)
        .then(pl.format("popular: {} % of customers bought it in the last 30 days", percent))
        .otherwise(pl.lit("among what most customers buy"))
    )
    if is_by_popularity:
        return popular
    ago = (
        pl.when(pl.col("recency_days") == 0)
        .then(pl.lit("today"))
        .when(pl.col("recency_days") == 1)
        .then(pl.lit("yesterday"))
        .otherwise(pl.format("{} days ago", "recency_days"))
    )
    return (
        pl.when(pl.col("day_count") > 1)
        .then(pl.format("bought on {} days of the last year, the last time {}", "day_count", ago))
        .when(pl.col("day_count") == 1)
        .then(pl.format("bought once in the last year, {}", ago))
        .when(pl.col("because_name").is_not_null())
        .then(pl.format("often bought by those who buy {}", "because_name"))
        .otherwise(popular)
    )
