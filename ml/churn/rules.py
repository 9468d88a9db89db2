"""The rules that a churn model has to beat: one number a customer, or none, calibrated like the model.

Each has the methods of a candidate (see `ml.churn.models`): `fit`, `values` and `terms`. What is learned from
outcomes is the calibration, and that does not belong here.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

Array = npt.NDArray[np.float64]


class RecencyRule(BaseEstimator):
    """The longer ago the last purchase, the riskier: log of 1 + recency in days."""

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:  # noqa: ARG002 - every candidate is given outcomes
        """Remember the average customer of the training rows."""
        self.average_ = _mean(self._score(features))
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the rule looks at: recency in days, a row per customer."""
        return features.select(pl.col("recency_days").cast(pl.Float64))

    def terms(self, features: pl.DataFrame) -> Array:
        """Score against the average training customer, shape (customers, 1)."""
        return (self._score(features) - self.average_).reshape(-1, 1)

    def _score(self, features: pl.DataFrame) -> Array:
        return features["recency_days"].cast(pl.Float64).log1p().to_numpy()


class OwnRhythmRule(BaseEstimator):
    """The more overdue against the own mean gap, the riskier: log of (1 + recency) / (1 + gap), days.

    A customer without a gap of their own gets the median gap of the training customers who have one.
    """

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:  # noqa: ARG002 - every candidate is given outcomes
        """Remember the usual gap and the average customer of the training rows."""
        usual = features["gap_mean_days"].median()
        self.usual_gap_ = float(usual) if isinstance(usual, float) else 0.0
        self.average_ = _mean(self._score(features))
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the rule looks at: days since the last purchase per day of usual gap, a row per customer."""
        gap = pl.col("gap_mean_days").fill_null(self.usual_gap_)
        return features.select(((pl.col("recency_days") + 1) / (gap + 1)).alias("recency_per_gap"))

    def terms(self, features: pl.DataFrame) -> Array:
        """Score against the average training customer, shape (customers, 1)."""
        return (self._score(features) - self.average_).reshape(-1, 1)

    def _score(self, features: pl.DataFrame) -> Array:
        return self.values(features).to_series().log().to_numpy()


class BaseRateRule(BaseEstimator):
    """Everyone alike: the population rate, which the calibration learns."""

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:  # noqa: ARG002 - every candidate is given both
        """Nothing to learn."""
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """No feature: a frame without columns."""
        return features.select([])

    def terms(self, features: pl.DataFrame) -> Array:
        """No terms, shape (customers, 0)."""
        return np.zeros((features.height, 0))


def _mean(score: Array) -> float:
    return float(score.mean()) if len(score) else 0.0
