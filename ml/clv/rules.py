"""The rules that a CLV model has to beat, each with the methods of a candidate (see `ml.clv.models`).

A rule extrapolates over the horizon itself when the customer is younger than that: one order yesterday is
not one order a day. What is learned from outcomes is the level, and that does not belong here.
"""

from typing import Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator


class SpendPerDayRule(BaseEstimator):
    """Spend and purchases so far per day of tenure, times the horizon."""

    def fit(self, features: pl.DataFrame) -> Self:  # noqa: ARG002 - every candidate is given features
        """Nothing to learn."""
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, alive probability unknown: a row per customer."""
        share = horizon_days / pl.max_horizontal("tenure_days", pl.lit(horizon_days))
        return features.select(
            expected_transaction_count=pl.col("frequency_count") * share,
            expected_amount=pl.col("monetary_amount").clip(lower_bound=0.0) * share,
            alive_probability=pl.lit(None, pl.Float64),
        )


class OrderTimesRateRule(BaseEstimator):
    """Average order amount times the customer's own repeat rate times the horizon; 0 for one-time buyers."""

    def fit(self, features: pl.DataFrame) -> Self:  # noqa: ARG002 - every candidate is given features
        """Nothing to learn."""
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, alive probability unknown: a row per customer."""
        share = horizon_days / pl.max_horizontal("tenure_days", pl.lit(horizon_days))
        count = (pl.col("frequency_count") - 1) * share
        return features.select(
            expected_transaction_count=count,
            expected_amount=count * pl.col("average_order_amount").clip(lower_bound=0.0),
            alive_probability=pl.lit(None, pl.Float64),
        )


class PopulationMeanRule(BaseEstimator):
    """Everyone alike: one purchase and one unit of money, which the level turns into the averages."""

    def fit(self, features: pl.DataFrame) -> Self:  # noqa: ARG002 - every candidate is given features
        """Nothing to learn."""
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:  # noqa: ARG002 - as above
        """Expected transaction count and amount, alive probability unknown: a row per customer."""
        one = pl.Series(np.ones(features.height))
        return pl.DataFrame({"expected_transaction_count": one, "expected_amount": one}).with_columns(
            alive_probability=pl.lit(None, pl.Float64)
        )
