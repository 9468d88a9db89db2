"""The rules that a churn model has to beat: one number a customer, or none, calibrated like the model.

Each has the methods of a candidate (see `ml.churn.calibration`). What is learned from outcomes is the calibration,
and that does not belong here.
"""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

Array = npt.NDArray[np.float64]
Measure = Literal["recency_days", "frequency_count", "recency_per_gap"]


class OneNumberRule(BaseEstimator):
    """The log of one number: the longer ago the last purchase, the fewer so far, or the more overdue, the riskier.

    Overdue is days since the last purchase per day of the customer's own mean gap; who has no gap gets the median gap
    of the training customers who have one.
    """

    is_additive: ClassVar[bool] = True

    def __init__(self, measure: Measure = "recency_days") -> None:
        self.measure = measure

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:  # noqa: ARG002 - every candidate is given outcomes
        """Remember the usual gap and the average customer of the training rows."""
        usual = features["gap_mean_days"].median()
        self.usual_gap_ = float(usual) if isinstance(usual, float) else 0.0
        found = self._log(features)
        self.average_ = float(found.mean()) if len(found) else 0.0
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """The number in plain units, a row per customer."""
        gap = pl.col("gap_mean_days").fill_null(self.usual_gap_)
        numbers = {
            "recency_days": pl.col("recency_days"),
            "frequency_count": pl.col("frequency_count"),
            "recency_per_gap": (pl.col("recency_days") + 1) / (gap + 1),
        }
        return features.select(numbers[self.measure].cast(pl.Float64).alias(self.measure))

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:  # noqa: ARG002 - always exact
        """Score against the average training customer, shape (customers, 1)."""
        return self.score(features).reshape(-1, 1)

    def score(self, features: pl.DataFrame) -> Array:
        """Score against the average training customer, one a customer."""
        return self._log(features) - self.average_

    def _log(self, features: pl.DataFrame) -> Array:
        number = self.values(features).to_series()
        if self.measure == "recency_per_gap":
            return number.log().to_numpy()
        found = number.log1p().to_numpy()
        return -found if self.measure == "frequency_count" else found


class BaseRateRule(BaseEstimator):
    """Everyone alike: the population rate, which the calibration learns."""

    is_additive: ClassVar[bool] = True

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:  # noqa: ARG002 - every candidate is given both
        """Nothing to learn."""
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """No feature: a frame without columns."""
        return features.select([])

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:  # noqa: ARG002 - always exact
        """No terms, shape (customers, 0)."""
        return np.zeros((features.height, 0))

    def score(self, features: pl.DataFrame) -> Array:
        """Nobody differs from the average: zero, one a customer."""
        return np.zeros(features.height)
