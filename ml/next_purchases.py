"""When each customer's next purchase is to be expected: by their own rhythm, and how gaps scatter around such rhythms.

A gap is measured in expected gaps: the one that a customer's history before it led to expect, by
`rhythm`. How such ratios are distributed is learned from all gaps, those still open counted as at least
so long (Kaplan and Meier 1958, Nonparametric estimation from incomplete observations), apart for customers with few and
many gaps of their own, whose expectation is worth more. A probability of churn is not made here.
"""

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from ml.rhythm import expected_gap
from ml.schemas import NEXT_PURCHASES, Schema, conform, empty

GAP_COUNTS: Final[Schema] = {
    "own_gap_band": pl.Int64,
    "ratio_step": pl.Int64,
    "ended_count": pl.Int64,
    "open_count": pl.Int64,
}
"""Grain: band of own gaps so far x step of the logarithm of a gap in expected gaps; ended and still open ones."""

OWN_GAP_BANDS: Final = (1, 3, 10, 30)
"""Own gaps so far at which another distribution begins."""

STEPS: Final = 200
"""Ratios are counted in steps of half a per cent: 200 to each factor of e."""

LEAST_RATIO: Final = 1e-3
LEAST_AT_RISK: Final = 30
"""Gaps that have lasted so long and that a distribution needs to say more: what fewer did, nobody can expect."""

QUANTILES: Final = {"earliest_date": 0.1, "expected_date": 0.5, "latest_date": 0.9}
"""Shares of customers in the same position who have bought again by each date."""


def count_gaps(purchases: pl.DataFrame, *, as_of: date, population_gap_days: float) -> pl.DataFrame:
    """GAP_COUNTS of whole customers, from their rows `customer_id`, `transaction_date` of purchases up to `as_of`.

    Counts of several buckets of customers add up.
    """
    days = (
        purchases.lazy()
        .filter(pl.col("transaction_date") <= as_of)
        .select("customer_id", "transaction_date")
        .unique()
        .sort("customer_id", "transaction_date")
        .with_columns(
            next_date=pl.col("transaction_date").shift(-1).over("customer_id"),
            first_date=pl.col("transaction_date").first().over("customer_id"),
            own_gap_count=pl.int_range(pl.len(), dtype=pl.Int64).over("customer_id"),
        )
        .with_columns(
            own_days=(pl.col("transaction_date") - pl.col("first_date")).dt.total_days(),
            gap_days=(pl.col("next_date").fill_null(as_of) - pl.col("transaction_date")).dt.total_days(),
        )
        .with_columns(expected_gap_days=_expected_gap(population_gap_days))
        .group_by(own_gap_band=_band(), ratio_step=_step(pl.col("gap_days") / pl.col("expected_gap_days")))
        .agg(
            ended_count=pl.col("next_date").count().cast(pl.Int64),
            open_count=pl.col("next_date").null_count().cast(pl.Int64),
        )
    )
    return conform(days.collect(), GAP_COUNTS)


def distribute(counts: pl.DataFrame) -> pl.DataFrame:
    """Per own_gap_band and ratio_step the share of gaps that last longer (`surviving_share`), from GAP_COUNTS.

    A band ends where fewer than LEAST_AT_RISK gaps have lasted as long.
    """
    summed = counts.group_by("own_gap_band", "ratio_step").agg(pl.col("ended_count", "open_count").sum())
    gaps = pl.col("ended_count") + pl.col("open_count")
    at_risk = gaps.cum_sum(reverse=True).over("own_gap_band")
    return (
        summed.sort("own_gap_band", "ratio_step")
        .with_columns(at_risk_count=at_risk)
        .filter(pl.col("at_risk_count") >= LEAST_AT_RISK)
        .with_columns(
            surviving_share=(1 - pl.col("ended_count") / pl.col("at_risk_count")).cum_prod().over("own_gap_band")
        )
        .select("own_gap_band", "ratio_step", "at_risk_count", "surviving_share")
    )


def predict(features: pl.DataFrame, distribution: pl.DataFrame, *, population_gap_days: float) -> pl.DataFrame:
    """NEXT_PURCHASES of each row of CUSTOMER_FEATURES, by customer_id.

    The dates take into account that the days since the last purchase have passed without one. A date is null where too
    few of those who had waited as long have been seen to come back by any day.
    """
    if features.is_empty():
        return empty(NEXT_PURCHASES)
    known = (
        features.with_columns(
            own_gap_count=pl.col("purchase_day_count") - 1,
            own_days=pl.col("tenure_days") - pl.col("recency_days"),
        )
        .with_columns(expected_gap_days=_expected_gap(population_gap_days))
        .with_columns(own_gap_band=_band(), waited_step=_step(pl.col("recency_days") / pl.col("expected_gap_days")))
        .sort("customer_id")
    )
    ratios = _ratios(known, distribution)
    dated = known.with_columns(ratios).with_columns(
        (
            pl.col("last_purchase_date")
            + pl.duration(
                days=pl.max_horizontal(
                    (pl.col(name) * pl.col("expected_gap_days")).ceil(), pl.col("recency_days") + 1
                ).cast(pl.Int64)
            )
        ).alias(name)
        for name in QUANTILES
    )
    # max_horizontal passes over nulls: without a ratio there is no date
    unknown = [
        pl.when(pl.Series(ratios[position]).is_not_null()).then(pl.col(name)).alias(name)
        for position, name in enumerate(QUANTILES)
    ]
    return conform(dated.with_columns(unknown), NEXT_PURCHASES)


def _expected_gap(population_gap_days: float) -> pl.Expr:
    return expected_gap(pl.col("own_days"), pl.col("own_gap_count"), pl.lit(population_gap_days))


def _band() -> pl.Expr:
    return sum(((pl.col("own_gap_count") >= start).cast(pl.Int64) for start in OWN_GAP_BANDS), start=pl.lit(0))


def _step(ratio: pl.Expr) -> pl.Expr:
    return (ratio.clip(lower_bound=LEAST_RATIO).log() * STEPS).round().cast(pl.Int64)


def _ratios(known: pl.DataFrame, distribution: pl.DataFrame) -> list[pl.Series]:
    """For each quantile the ratio by which that share of those who waited as long has come back; null if unseen.

    And the share of them that has been seen to come back at all.
    """
    bands, waited = known["own_gap_band"].to_numpy(), known["waited_step"].to_numpy()
    found = {name: np.full(known.height, np.nan) for name in (*QUANTILES, "seen_return_probability")}
    for band in np.unique(bands):
        curve = distribution.filter(pl.col("own_gap_band") == band)
        if curve.is_empty():
            continue
        steps, surviving = curve["ratio_step"].to_numpy(), curve["surviving_share"].to_numpy()
        rows = np.flatnonzero(bands == band)
        passed = np.searchsorted(steps, waited[rows], side="right")
        left = np.where(passed > 0, surviving[np.maximum(passed - 1, 0)], 1.0)
        is_seen = (passed < len(steps)) & (left > 0)
        rows, left = rows[is_seen], left[is_seen]
        found["seen_return_probability"][rows] = 1 - surviving[-1] / left
        for name, share in QUANTILES.items():
            # a hair more than the level, so that equal products of shares meet it
            place = np.searchsorted(-surviving, -(1 - share) * left * (1 + 1e-12), side="left")
            is_reached = place < len(steps)
            # where the step begins: rounded up to whole days it is the gap that was counted
            found[name][rows[is_reached]] = np.exp((steps[place[is_reached]] - 0.5) / STEPS)
    return [pl.Series(name, values).fill_nan(None) for name, values in found.items()]
