"""Lifecycle stages (new, active, cooling, dormant, lost): how overdue customers are by their own rhythm.

Someone who buys weekly is overdue after three weeks, someone who buys twice a year is not. A probability of
churn is not made here: being overdue alone ranks customers poorly.
"""

import math
from typing import Final

import polars as pl

from ml.schemas import SEGMENT_CUT_POINTS, empty

STRATEGY: Final = "lifecycle"
POPULATION_GAP: Final = "population_gap_days"
OVERDUE_RATIO: Final = "overdue_ratio"

STAGES: Final = ("active", "cooling", "dormant", "lost")
OVERDUE_RATIOS: Final = (2.0, 4.0, 8.0)
"""Where one stage ends and the next begins, in expected gaps since the last purchase. For exponential gaps
P(gap > c x mean) = exp(-c): 14 % are longer than 2 means, 2 % than 4, 0.03 % than 8."""

PSEUDO_GAPS: Final = 2
"""How many gaps of the population are added to a customer's own: their rhythm counts half after two gaps."""

DEFAULT_GAP_DAYS: Final = 30.0
"""The population's gap where nobody has bought on two days: a month, for want of evidence."""


def fit(features: pl.DataFrame) -> pl.DataFrame:
    """SEGMENT_CUT_POINTS over all of one day's CUSTOMER_FEATURES; no rows without customers.

    They are the median over repeat customers of their mean gap (DEFAULT_GAP_DAYS if there are none), and
    OVERDUE_RATIOS, each at its quantile among exponential gaps.
    """
    if features.is_empty():
        return empty(SEGMENT_CUT_POINTS)
    gap = features["gap_mean_days"].median()
    rows = [(POPULATION_GAP, 0.5, DEFAULT_GAP_DAYS if gap is None else gap)]
    rows += [(OVERDUE_RATIO, 1 - math.exp(-ratio), ratio) for ratio in OVERDUE_RATIOS]
    as_of = features["as_of_date"][0]
    return pl.DataFrame([(as_of, STRATEGY, *row) for row in rows], schema=SEGMENT_CUT_POINTS, orient="row")


def assign(features: pl.DataFrame, cut_points: pl.DataFrame) -> pl.DataFrame:
    """The segment of each row of `features`, in their order, with `expected_gap_days` and `overdue_ratio`.

    The expected gap is (own gaps + PSEUDO_GAPS x the population's) / (how many these are), at least one day;
    the ratio is recency_days in expected gaps. Active customers who bought on one day only are new.

    Raises:
        ValueError: there are customers, and `cut_points` (of one day) has none for this strategy.
    """
    gap = pl.lit(_values(features, cut_points, POPULATION_GAP).first(), dtype=pl.Float64)
    own_days = pl.col("tenure_days") - pl.col("recency_days")  # first to last purchase: all own gaps together
    own_count = pl.col("purchase_day_count") - 1
    expected = ((own_days + PSEUDO_GAPS * gap) / (own_count + PSEUDO_GAPS)).clip(lower_bound=1.0)
    ends = _values(features, cut_points, OVERDUE_RATIO)
    is_new = (pl.col("purchase_day_count") == 1) & (pl.col("segment") == STAGES[0])
    return (
        features.with_columns(expected.alias("expected_gap_days"), pl.lit(STRATEGY).alias("strategy"))
        .with_columns((pl.col("recency_days") / pl.col("expected_gap_days")).alias("overdue_ratio"))
        .with_columns(_stage(ends).alias("segment"))
        .with_columns(pl.when(is_new).then(pl.lit("new")).otherwise("segment").alias("segment"))
        .select("as_of_date", "customer_id", "strategy", "expected_gap_days", "overdue_ratio", "segment")
    )


def _stage(ends: pl.Series) -> pl.Expr:
    ends_passed = sum(((pl.col("overdue_ratio") > end).cast(pl.Int64) for end in ends), start=pl.lit(0))
    return ends_passed.replace_strict(dict(enumerate(STAGES)), return_dtype=pl.String)


def _values(features: pl.DataFrame, cut_points: pl.DataFrame, measure: str) -> pl.Series:
    of_measure = (pl.col("strategy") == STRATEGY) & (pl.col("measure") == measure)
    values = cut_points.filter(of_measure)["value"]
    if values.is_empty() and not features.is_empty():
        raise ValueError(f"no {STRATEGY} cut points for {measure}")
    return values
