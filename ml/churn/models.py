"""The churn model and the calibration that it shares with the rules.

A candidate has `fit(features, churned)`, `values(features)` (what it looks at, in plain units) and
`terms(features)` (its score as a sum of one term a feature, against the average training customer), so that
scores and reasons come from the same numbers. Rules of one feature are in `ml.churn.rules`; who serves is
decided in `ml.churn.training`.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ml.evaluation import fit_logistic_line
from ml.schemas import WINDOWS_DAYS

Array = npt.NDArray[np.float64]

TRUSTED_TYPES: Final = (
    "ml.churn.models.CalibratedChurn",
    "ml.churn.models.ChurnFeatures",
    "ml.churn.models.LogisticChurn",
    "ml.churn.rules.BaseRateRule",
    "ml.churn.rules.OwnRhythmRule",
    "ml.churn.rules.RecencyRule",
    "numpy.dtype",
)
"""What skops must be told to trust when it loads a churn model."""

_SHARES: Final = ("discount_share", "return_share", "weekend_share", "evening_share")
_SKEWED: Final = (
    "recency_days",
    "frequency_count",
    "monetary_amount",
    "tenure_days",
    "purchase_day_count",
    "average_order_amount",
    "average_line_count",
    "gap_mean_days",
    "gap_median_days",
    "gap_deviation_days",
    "last_gap_days",
    *(f"purchase_count_{days}_days" for days in WINDOWS_DAYS),
    *(f"net_amount_{days}_days" for days in WINDOWS_DAYS),
)


def _ratio(above: str, below: str) -> pl.Expr:
    return (pl.col(above) + 1) / (pl.col(below) + 1)


_RATIOS: Final = {
    "recency_per_gap": _ratio("recency_days", "gap_mean_days"),
    "recency_per_median_gap": _ratio("recency_days", "gap_median_days"),
    "recency_per_last_gap": _ratio("recency_days", "last_gap_days"),
    "recency_per_tenure": _ratio("recency_days", "tenure_days"),
    "gap_deviation_per_gap": _ratio("gap_deviation_days", "gap_mean_days"),
    "purchase_days_per_tenure": _ratio("purchase_day_count", "tenure_days"),
    "recent_share_of_purchases": _ratio("purchase_count_30_days", "purchase_count_90_days"),
}


class ChurnFeatures(TransformerMixin, BaseEstimator):
    """CUSTOMER_FEATURES to a matrix: shares as they are, everything skewed as a signed log of 1 + size."""

    def fit(self, features: pl.DataFrame, churned: Array | None = None) -> Self:  # noqa: ARG002 - scikit-learn's shape
        """Remember the names of the matrix's columns."""
        self.names_ = [*_SHARES, *_SKEWED, *_RATIOS]
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """The features in plain units, one column each, null where undefined."""
        return features.select(
            *(pl.col(name).cast(pl.Float64) for name in (*_SHARES, *_SKEWED)),
            **{name: ratio.cast(pl.Float64) for name, ratio in _RATIOS.items()},
        )

    def transform(self, features: pl.DataFrame) -> Array:
        """Shape (customers, features); NaN where undefined."""
        skewed = pl.all().exclude(_SHARES)
        logs = self.values(features).with_columns(skewed.sign() * skewed.abs().log1p())
        return logs.cast(pl.Float64).fill_null(np.nan).to_numpy(order="c")


def make_model(*, seed: int, regularisation: float = 0.1) -> Pipeline:
    """Unfitted pipeline: log features, median imputation with indicators, scaling, ridge logit."""
    return make_pipeline(
        ChurnFeatures(),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=regularisation, solver="newton-cholesky", tol=1e-8, random_state=seed),
    )


class LogisticChurn(BaseEstimator):
    """`make_model` as a candidate: its log-odds as a sum of one exact term a feature."""

    def __init__(self, *, seed: int = 0, regularisation: float = 0.1) -> None:
        self.seed = seed
        self.regularisation = regularisation

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:
        """Fit on past cut-offs stacked; `churned` is 0 or 1 a row, and both must occur."""
        self.pipeline_ = make_model(seed=self.seed, regularisation=self.regularisation).fit(features, churned)
        # a threaded matrix product varies in its last digits; scores must not
        self.pipeline_[-1].coef_ = self.pipeline_[-1].coef_.round(9)
        self.pipeline_[-1].intercept_ = self.pipeline_[-1].intercept_.round(9)
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the model looks at, in plain units, a row per customer."""
        found: pl.DataFrame = self.pipeline_[0].values(features)
        return found

    def terms(self, features: pl.DataFrame) -> Array:
        """Log-odds against the average training customer, shape (customers, features).

        The term of an imputation indicator is added to that of its feature. No matrix product: its last
        digit would depend on how many rows are scored together.
        """
        names = self.pipeline_[0].names_
        if features.is_empty():  # as a bucket may be, and scikit-learn refuses
            return np.zeros((0, len(names)))
        terms: Array = self.pipeline_[:-1].transform(features) * self.pipeline_[-1].coef_[0]
        folded = terms[:, : len(names)].copy()
        for position, feature in enumerate(self.pipeline_[1].indicator_.features_):
            folded[:, feature] += terms[:, len(names) + position]
        return folded


class CalibratedChurn(BaseEstimator):
    """A candidate turned into a probability by Platt scaling (1999) on outcomes it was not fitted on."""

    def __init__(self, candidate: Any) -> None:
        self.candidate = candidate

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:
        """Fit the candidate on past cut-offs."""
        self.candidate_ = clone(self.candidate).fit(features, churned)
        return self

    def calibrate(self, features: pl.DataFrame, churned: Array) -> Self:
        """Learn intercept and slope from a later cut-off.

        Targets are Platt's, a little off 0 and 1, so that one class alone, three customers or none end
        well: with no outcome at all everyone gets 0.5.
        """
        score = _row_sums(self.candidate_.terms(features))
        positives = churned.sum()
        target = np.where(churned > 0, (positives + 1) / (positives + 2), 1 / (len(churned) - positives + 2))
        rate = (positives + 1) / (len(churned) + 2)
        intercept, slope = fit_logistic_line(score, target) if len(churned) else (np.nan, np.nan)
        self.slope_ = 1.0 if np.isnan(slope) else slope
        self.intercept_ = float(logit(rate)) if np.isnan(slope) else intercept
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the candidate looks at, in plain units, a row per customer."""
        found: pl.DataFrame = self.candidate_.values(features)
        return found

    def terms(self, features: pl.DataFrame) -> Array:
        """Calibrated log-odds against the average training customer, shape (customers, features)."""
        found: Array = self.slope_ * self.candidate_.terms(features)
        return found

    def churn_probability(self, features: pl.DataFrame) -> Array:
        """Probability of churn, one a customer."""
        found: Array = expit(self.intercept_ + _row_sums(self.terms(features)))
        return found


def _row_sums(terms: Array) -> Array:
    """Sum of each row, column by column: the same digits however many rows there are."""
    total = np.zeros(len(terms))
    for column in terms.T:
        total = total + column
    return total
