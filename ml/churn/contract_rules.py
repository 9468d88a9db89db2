"""The rules that a model of contracts has to beat: how long it runs, what it costs, or which plan it is.

Each has the methods of a candidate (see `ml.churn.calibration`); the base rate is in `ml.churn.rules`.
"""

from typing import ClassVar, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

Array = npt.NDArray[np.float64]

_PRIOR: Final = 10.0  # customers at the base rate that every plan is given, so that a rare one is not certain


class ContractNumberRule(BaseEstimator):
    """The log of one number: the younger the contract, or the dearer, the riskier; who has none is average."""

    is_additive: ClassVar[bool] = True

    def __init__(self, measure: Literal["contract_tenure_days", "monthly_amount"] = "contract_tenure_days") -> None:
        self.measure = measure

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:  # noqa: ARG002 - every candidate is given outcomes
        """Remember the average customer of the training rows."""
        found = self._log(features)
        known = found[~np.isnan(found)]
        self.average_ = float(known.mean()) if len(known) else 0.0
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """The number in plain units, a row per customer."""
        return features.select(pl.col(self.measure).cast(pl.Float64))

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:  # noqa: ARG002 - always exact
        """Score against the average training customer, shape (customers, 1)."""
        return self.score(features).reshape(-1, 1)

    def score(self, features: pl.DataFrame) -> Array:
        """Score against the average training customer, one a customer."""
        return np.nan_to_num(self._log(features) - self.average_, nan=0.0)

    def _log(self, features: pl.DataFrame) -> Array:
        number = self.values(features).to_series().clip(lower_bound=0).log1p().fill_null(np.nan).to_numpy()
        return -number if self.measure == "contract_tenure_days" else number


class PlanRateRule(BaseEstimator):
    """The log-odds of churn of those who have the same plan; an unknown plan is average."""

    is_additive: ClassVar[bool] = True

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:
        """Count who churned, plan by plan, each with a few customers at the base rate beside its own."""
        rate = (churned.sum() + 1) / (len(churned) + 2)
        odds = float(np.log(rate / (1 - rate)))
        rows = pl.DataFrame({"plan": self._plans(features), "churned": churned})
        plans = rows.group_by("plan").agg(pl.col("churned").sum(), count=pl.len()).sort("plan")
        smoothed = (plans["churned"].to_numpy() + _PRIOR * rate) / (plans["count"].to_numpy() + _PRIOR)
        self.odds_ = dict(
            zip(plans["plan"].to_list(), (np.log(smoothed / (1 - smoothed)) - odds).tolist(), strict=True)
        )
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """A plan is no number: nulls, a row per customer."""
        return pl.DataFrame({"plan": pl.Series([None] * features.height, dtype=pl.Float64)})

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:  # noqa: ARG002 - always exact
        """Score against the average training customer, shape (customers, 1)."""
        return self.score(features).reshape(-1, 1)

    def score(self, features: pl.DataFrame) -> Array:
        """Log-odds against the base rate, one a customer."""
        return np.array([self.odds_.get(plan, 0.0) for plan in self._plans(features)], dtype=np.float64)

    def _plans(self, features: pl.DataFrame) -> pl.Series:
        return features["plan"].cast(pl.String).fill_null("")
