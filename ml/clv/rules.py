"""The rules that a CLV model has to beat, each with the methods of a candidate (see `ml.clv.models`).

A rule extrapolates over the horizon itself when the customer is younger than that: one order yesterday is not one
order a day. What is learned from outcomes is the level, and that does not belong here.
"""

from typing import Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator

from ml.schemas import WINDOWS_DAYS


class SpendSoFarRule(BaseEstimator):
    """All value and purchases so far: who was worth much will be."""

    def fit(self, features: pl.DataFrame) -> Self:  # noqa: ARG002 - every candidate is given features
        """Nothing to learn."""
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:  # noqa: ARG002 - as they stand
        """Expected transaction count and amount, alive probability unknown: a row per customer."""
        return _expectation(features, pl.col("frequency_count"), _value())


class SpendPerDayRule(BaseEstimator):
    """Value and purchases so far per day of tenure, times the horizon."""

    def fit(self, features: pl.DataFrame) -> Self:  # noqa: ARG002 - every candidate is given features
        """Nothing to learn."""
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, alive probability unknown: a row per customer."""
        share = _share(horizon_days)
        return _expectation(features, pl.col("frequency_count") * share, _value() * share)


class OrderTimesRateRule(BaseEstimator):
    """Average order value times the customer's own repeat rate times the horizon; 0 for one-time buyers."""

    def fit(self, features: pl.DataFrame) -> Self:  # noqa: ARG002 - every candidate is given features
        """Nothing to learn."""
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, alive probability unknown: a row per customer."""
        came_back = pl.col("purchase_day_count") > 1
        count = pl.when(came_back).then(pl.col("frequency_count") - 1).otherwise(0) * _share(horizon_days)
        return _expectation(features, count, count * _value() / pl.col("frequency_count"))


class LastPeriodRule(BaseEstimator):
    """As much as in the last horizon, or in the longest window before it that features know."""

    def fit(self, features: pl.DataFrame) -> Self:  # noqa: ARG002 - every candidate is given features
        """Nothing to learn."""
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, alive probability unknown: a row per customer."""
        days = max((window for window in WINDOWS_DAYS if window <= horizon_days), default=WINDOWS_DAYS[0])
        amount = pl.col(f"net_amount_{days}_days").clip(lower_bound=0.0)
        return _expectation(features, pl.col(f"purchase_count_{days}_days"), amount)


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


def _value() -> pl.Expr:
    return pl.col("value_amount").clip(lower_bound=0.0)


def _share(horizon_days: int) -> pl.Expr:
    return horizon_days / pl.max_horizontal("tenure_days", pl.lit(horizon_days))


def _expectation(features: pl.DataFrame, count: pl.Expr, amount: pl.Expr) -> pl.DataFrame:
    return features.select(
        expected_transaction_count=count.cast(pl.Float64),
        expected_amount=amount.cast(pl.Float64),
        alive_probability=pl.lit(None, pl.Float64),
    )
