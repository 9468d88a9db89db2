"""Every candidate, model or rule, as a probability: fitted on the past, calibrated on the latest outcomes.

A candidate has `fit(features, churned)`, `values(features)` (what it looks at, in plain units), `score(features)`,
`terms(features, is_exact)` (its score as a sum of one term a feature, against the average training customer) and
`is_additive` (whether those terms are how it was computed), so that scores and reasons come from the same numbers.
Who serves is decided in `ml.churn.training`.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, clone

from ml.logistic_line import fit_logistic_line

Array = npt.NDArray[np.float64]

TRUSTED_TYPES: Final = (
    "ml.btyd.bg_nbd.BgNbd",
    "ml.btyd.choice.PurchaseModel",
    "ml.btyd.choice.Trial",
    "ml.btyd.expectations.PurchaseExpectations",
    "ml.btyd.mbg_cnbd_k.MbgCnbdK",
    "ml.btyd.mbg_nbd.MbgNbd",
    "ml.btyd.pareto_nbd.ParetoNbd",
    "ml.churn.blend.BlendedChurn",
    "ml.churn.blend.SilenceChurn",
    "ml.churn.boosting.BoostedChurn",
    "ml.churn.calibration.CalibratedChurn",
    "ml.churn.contract_inputs.ContractInputs",
    "ml.churn.contract_rules.ContractNumberRule",
    "ml.churn.contract_rules.PlanRateRule",
    "ml.churn.inputs.PurchaseInputs",
    "ml.churn.linear.Hinges",
    "ml.churn.linear.LogisticChurn",
    "ml.churn.rules.BaseRateRule",
    "ml.churn.rules.OneNumberRule",
    "ml.churn.survival.SurvivalChurn",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""What skops must be told to trust when it loads a churn model."""


class CalibratedChurn(BaseEstimator):
    """A candidate turned into a probability by Platt scaling (1999) on outcomes it was not fitted on.

    `purchases` are fitted PurchaseExpectations, for candidates that look at them; rules need none.
    """

    def __init__(self, candidate: Any, purchases: Any = None) -> None:
        self.candidate = candidate
        self.purchases = purchases

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:
        """Fit the candidate on past cut-offs."""
        self.candidate_ = clone(self.candidate).fit(self._seen(features), churned)
        return self

    def keep(self, candidate: Any) -> Self:
        """Take a candidate that was fitted already."""
        self.candidate_ = candidate
        return self

    def calibrate(self, features: pl.DataFrame, churned: Array) -> Self:
        """Learn intercept and slope from a later cut-off."""
        return self._calibrate(self.candidate_.score(self._seen(features)), churned)

    def fit_and_calibrate(self, features: pl.DataFrame, churned: Array) -> Self:
        """Both from one cut-off: calibrated on scores of each half of the customers by a fit on the other half."""
        seen, places = self._seen(features), np.arange(len(churned))
        scores = np.zeros(len(churned))
        for half in (0, 1):
            learnt, held = places % 2 == half, places % 2 != half
            one = clone(self.candidate).fit(seen.filter(pl.Series(learnt)), churned[learnt])
            scores[held] = one.score(seen.filter(pl.Series(held)))
        self.candidate_ = clone(self.candidate).fit(seen, churned)
        return self._calibrate(scores, churned)

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the candidate looks at, in plain units, a row per customer."""
        found: pl.DataFrame = self.candidate_.values(self._seen(features))
        return found

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:
        """Calibrated log-odds against the average training customer, shape (customers, features)."""
        found: Array = self.slope_ * self.candidate_.terms(self._seen(features), is_exact=is_exact)
        return found

    @property
    def is_additive(self) -> bool:
        """Whether the score is by itself a sum of terms, so that every reason is exact."""
        return bool(self.candidate_.is_additive)

    def churn_probability(self, features: pl.DataFrame) -> Array:
        """Probability of churn, one a customer."""
        found: Array = expit(self.intercept_ + self.slope_ * self.candidate_.score(self._seen(features)))
        return found

    def _seen(self, features: pl.DataFrame) -> pl.DataFrame:
        if self.purchases is None:
            return features
        found: pl.DataFrame = self.purchases.transform(features)
        return found

    def _calibrate(self, score: Array, churned: Array) -> Self:
        """Targets are Platt's, a little off 0 and 1, so that one class alone, three customers or none end well.

        With no outcome at all everyone gets 0.5.
        """
        positives = churned.sum()
        target = np.where(churned > 0, (positives + 1) / (positives + 2), 1 / (len(churned) - positives + 2))
        rate = (positives + 1) / (len(churned) + 2)
        intercept, slope = (
            (float(found[0]) for found in fit_logistic_line(score, target)) if len(churned) else (np.nan,) * 2
        )
        self.slope_ = 1.0 if np.isnan(slope) else slope
        self.intercept_ = float(logit(rate)) if np.isnan(slope) else intercept
        return self
