"""Lifecycle stages (new, active, cooling, dormant, lost): how overdue customers are by their own rhythm.

Someone who buys weekly is overdue after three weeks, someone who buys twice a year is not. A probability of
churn is not made here: being overdue alone ranks customers poorly.
"""

import math
from typing import Final

import polars as pl

from ml.rhythm import expected_gap, population_gap
from ml.schemas import empty
from ml.segment_schemas import SEGMENT_DEFINITIONS
from ml.segmentation.definitions import NOTHING, Background, cut_points, define

STRATEGY: Final = "lifecycle"
POPULATION_GAP: Final = "population_gap_days"
OVERDUE_RATIO: Final = "overdue_ratio"

STAGES: Final = ("active", "cooling", "dormant", "lost")
OVERDUE_RATIOS: Final = (2.0, 4.0, 8.0)
"""Where one stage ends and the next begins, in expected gaps since the last purchase. For exponential gaps
P(gap > c x mean) = exp(-c): 14 % are longer than 2 means, 2 % than 4, 0.03 % than 8."""

WORDS: Final = {
    "new": "bought on one day only, and not long ago",
    "active": "in their own rhythm",
    "cooling": "twice as long without a purchase as their rhythm has",
    "dormant": "four times as long without a purchase as their rhythm has",
    "lost": "eight times as long without a purchase as their rhythm has",
}


def fit(customers: pl.DataFrame, background: Background = NOTHING) -> pl.DataFrame:  # noqa: ARG001 - gaps need none
    """Cut points over all of one day's CUSTOMER_FEATURES; no rows without customers.

    They are the population's gap (see `ml.rhythm`) and OVERDUE_RATIOS, each at its quantile among exponential gaps.
    """
    if customers.is_empty():
        return empty(SEGMENT_DEFINITIONS)
    rows = [(POPULATION_GAP, 0.5, population_gap(customers))]
    rows += [(OVERDUE_RATIO, 1 - math.exp(-ratio), ratio) for ratio in OVERDUE_RATIOS]
    named = ("measure", "quantile", "value")
    return define(
        STRATEGY,
        customers["as_of_date"][0],
        ({"quantity": "cut_point", **dict(zip(named, row, strict=True))} for row in rows),
    )


def refit(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG001 - nothing was chosen
    """The cut points of other customers."""
    return fit(customers)


def words(definition: pl.DataFrame) -> dict[str, str]:  # noqa: ARG001 - cut points change no meaning
    """What each stage is."""
    return WORDS


def assign(customers: pl.DataFrame, definition: pl.DataFrame) -> pl.DataFrame:
    """The segment of each customer, in their order, with `expected_gap_days` and `overdue_ratio`.

    The ratio is recency_days in expected gaps (see `ml.rhythm`). Active customers who bought on one day only are new.

    Raises:
        ValueError: there are customers, and the definition has no cut points for this strategy.
    """
    nobody = customers.is_empty()
    population = None if nobody else cut_points(definition, STRATEGY, POPULATION_GAP).first()
    gap = pl.lit(population, dtype=pl.Float64)
    own_days = pl.col("tenure_days") - pl.col("recency_days")  # first to last purchase: all own gaps together
    own_count = pl.col("purchase_day_count") - 1
    expected = expected_gap(own_days, own_count, gap)
    ends = [] if nobody else cut_points(definition, STRATEGY, OVERDUE_RATIO).to_list()
    is_new = (pl.col("purchase_day_count") == 1) & (pl.col("segment") == STAGES[0])
    return (
        customers.with_columns(expected.alias("expected_gap_days"), pl.lit(STRATEGY).alias("strategy"))
        .with_columns((pl.col("recency_days") / pl.col("expected_gap_days")).alias("overdue_ratio"))
        .with_columns(_stage(ends).alias("segment"))
        .with_columns(pl.when(is_new).then(pl.lit("new")).otherwise("segment").alias("segment"))
        .select("as_of_date", "customer_id", "strategy", "expected_gap_days", "overdue_ratio", "segment")
    )


def _stage(ends: list[float]) -> pl.Expr:
    ends_passed = sum(((pl.col("overdue_ratio") > end).cast(pl.Int64) for end in ends), start=pl.lit(0))
    return ends_passed.replace_strict(dict(enumerate(STAGES)), return_dtype=pl.String)
