"""What sets a segment apart: by how much its customers differ from everyone else, feature by feature.

The effect is Cliff's delta: the chance that a customer of the segment has more of a feature than one outside it, less
the chance of having less; for a category that is the difference of the two shares. Cliff (1993), Psychological
Bulletin 114.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from ml.schemas import conform, empty
from ml.segment_schemas import PROFILE, SEGMENT_TRAITS
from ml.segmentation.definitions import SMALLEST_GROUP

NUMBERS: Final = (
    "recency_days",
    "frequency_count",
    "monetary_amount",
    "net_amount_90_days",
    "tenure_days",
    "average_order_amount",
    "average_line_count",
    "gap_median_days",
    "discount_share",
    "return_share",
    "weekend_share",
    "evening_share",
    "churn_probability",
    "expected_amount",
)
"""One feature for each thing that can be said of a customer."""
TOP: Final = 5


def traits(
    customers: pl.DataFrame, segments: pl.DataFrame, *, top: int = TOP, smallest: int = SMALLEST_GROUP
) -> pl.DataFrame:
    """SEGMENT_TRAITS: the `top` strongest of each segment, from SEGMENT_INPUTS and customer_id, strategy, segment.

    A segment that is everybody has none, nor one of fewer than `smallest` customers.
    """
    if segments.is_empty():
        return empty(SEGMENT_TRAITS)
    numbers = [name for name in NUMBERS if customers[name].n_unique() > 1]
    ranks = customers.select(
        "customer_id",
        *(pl.col(name).rank("average").alias(f"{name}:rank") for name in numbers),
        *numbers,
        *PROFILE,
    )
    found = [
        _of_strategy(ranks.join(mine.select("customer_id", "segment"), on="customer_id"), numbers).with_columns(
            strategy=pl.lit(mine["strategy"][0])
        )
        for mine in segments.partition_by("strategy", maintain_order=True)
    ]
    strongest = (
        pl.concat(found)
        .filter(pl.col("effect").is_not_null(), pl.col("customer_count") >= smallest)
        .sort(
            "strategy",
            "segment",
            pl.col("effect").abs().round(9),
            "feature",
            "category",
            descending=[False, False, True, False, False],
        )
        .with_columns(rank=pl.int_range(1, pl.len() + 1).over("strategy", "segment"))
        .filter(pl.col("rank") <= top)
        .with_columns(as_of_date=pl.lit(customers["as_of_date"][0]))
    )
    return conform(strongest, SEGMENT_TRAITS)


def _of_strategy(known: pl.DataFrame, numbers: Sequence[str]) -> pl.DataFrame:
    sizes = known.group_by("segment").agg(customer_count=pl.len())
    return pl.concat(
        [*(_number(known, name) for name in numbers), *(_categories(known, sizes, name) for name in PROFILE)]
    ).join(sizes, on="segment")


def _number(known: pl.DataFrame, name: str) -> pl.DataFrame:
    """Cliff's delta from the sum of ranks, as Mann and Whitney have it; halves add up exactly in any order."""
    rank, all_count = pl.col(f"{name}:rank"), known[name].count()
    count = pl.col("count")
    by_segment = known.group_by("segment").agg(ranks=rank.sum(), count=rank.count(), value=pl.col(name).median())
    wins = pl.col("ranks") - count * (count + 1) / 2
    pairs = count * (all_count - count)
    return by_segment.select(
        "segment",
        feature=pl.lit(name),
        category=pl.lit(None, pl.String),
        value=pl.col("value").cast(pl.Float64),
        everyone_value=pl.lit(known[name].median(), pl.Float64),
        effect=pl.when(pairs > 0).then(2 * wins / pairs - 1),
    )


def _categories(known: pl.DataFrame, sizes: pl.DataFrame, name: str) -> pl.DataFrame:
    total = known.height
    counts = known.drop_nulls(name).group_by("segment", category=name).agg(count=pl.len())
    everywhere = counts.group_by("category").agg(all_count=pl.col("count").sum())
    inside = pl.col("count") / pl.col("customer_count")
    outside = (pl.col("all_count") - pl.col("count")) / (total - pl.col("customer_count"))
    return (
        counts.join(everywhere, on="category")
        .join(sizes, on="segment")
        .filter(pl.col("count") >= SMALLEST_GROUP, pl.col("all_count") < total)
        .select(
            "segment",
            feature=pl.lit(name),
            category="category",
            value=inside,
            everyone_value=pl.col("all_count") / total,
            effect=pl.when(pl.col("customer_count") < total).then(inside - outside),
        )
    )
