"""Candidates made of other things than one fit on the inputs: a purchase model's own probability, and a blend."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, clone

from ml.logistic_line import log_odds
from ml.sums import row_sums

Array = npt.NDArray[np.float64]


class SilenceChurn(BaseEstimator):
    """P(no purchase in the horizon) of the purchase model, as it stands beside the features."""

    is_additive: ClassVar[bool] = True

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:  # noqa: ARG002 - every candidate is given outcomes
        """Remember the average customer of the training rows."""
        found = self._log_odds(features)
        self.average_ = float(found.mean()) if len(found) else 0.0
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the candidate looks at: the probability, a row per customer."""
        return features.select(pl.col("silence_probability").cast(pl.Float64))

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:  # noqa: ARG002 - always exact
        """Log-odds against the average training customer, shape (customers, 1)."""
        return (self._log_odds(features) - self.average_).reshape(-1, 1)

    def score(self, features: pl.DataFrame) -> Array:
        """Log-odds against the average training customer, one a customer."""
        return row_sums(self.terms(features))

    def _log_odds(self, features: pl.DataFrame) -> Array:
        return log_odds(features["silence_probability"].cast(pl.Float64).fill_null(0.5).to_numpy())


class BlendedChurn(BaseEstimator):
    """The mean log-odds of several candidates."""

    def __init__(self, candidates: Sequence[Any]) -> None:
        self.candidates = candidates

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:
        """Fit each candidate on the same rows."""
        self.candidates_ = [clone(candidate).fit(features, churned) for candidate in self.candidates]
        return self

    @classmethod
    def of(cls, fitted: Sequence[Any]) -> "BlendedChurn":
        """The blend of candidates that were fitted on the same rows already."""
        blend = cls(fitted)
        blend.candidates_ = list(fitted)
        return blend

    @property
    def is_additive(self) -> bool:
        """Whether the score is by itself a sum of terms."""
        return all(part.is_additive for part in self.candidates_)

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What any of the candidates looks at, in plain units, a row per customer."""
        columns: dict[str, pl.Series] = {}
        for part in self.candidates_:
            columns |= {series.name: series for series in part.values(features)}
        return pl.DataFrame(list(columns.values()))

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:
        """The score shared among the features, shape (customers, features)."""
        names = self.values(features).columns
        total = np.zeros((features.height, len(names)))
        for part in self.candidates_:
            places = [names.index(name) for name in part.values(features).columns]
            total[:, places] += part.terms(features, is_exact=is_exact) / len(self.candidates_)
        return total

    def score(self, features: pl.DataFrame) -> Array:
        """Mean log-odds, one a customer."""
        total = np.zeros(features.height)
        for part in self.candidates_:
            total = total + part.score(features)
        return total / len(self.candidates_)
