"""Every CLV candidate, model or rule, brought to the level of outcomes it was not fitted on, with intervals.

Candidates are in `models`, `learned` and `rules`; who serves is decided in `training`.
"""

from typing import Any, Final, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, clone

from ml.clv.intervals import RatioIntervals

TRUSTED_TYPES: Final = (
    "ml.btyd.bg_nbd.BgNbd",
    "ml.btyd.choice.PurchaseModel",
    "ml.btyd.choice.Trial",
    "ml.btyd.expectations.PurchaseExpectations",
    "ml.btyd.gamma_gamma.GammaGamma",
    "ml.btyd.mbg_cnbd_k.MbgCnbdK",
    "ml.btyd.mbg_nbd.MbgNbd",
    "ml.btyd.pareto_nbd.ParetoNbd",
    "ml.clv.intervals.RatioIntervals",
    "ml.clv.learned.DirectClv",
    "ml.clv.learned.LogLinearClv",
    "ml.clv.learned.TwoStageClv",
    "ml.clv.leveling.LeveledClv",
    "ml.clv.models.PurchaseValueModel",
    "ml.clv.models.PurchasesAndLastPeriod",
    "ml.clv.rules.LastPeriodRule",
    "ml.clv.rules.OrderTimesRateRule",
    "ml.clv.rules.PopulationMeanRule",
    "ml.clv.rules.SpendPerDayRule",
    "ml.clv.rules.SpendSoFarRule",
    "numpy.dtype",
    "sklearn._loss.link.HalfLogitLink",
    "sklearn._loss.link.LogLink",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfGammaLoss",
    "sklearn._loss.loss.HalfPoissonLoss",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""What skops must be told to trust when it loads a CLV model."""

MINIMUM_CLASS: Final = 50


class LeveledClv(BaseEstimator):
    """A candidate with one factor for one-time buyers and one for the others: actual over predicted total.

    One-time buyers are most of the customers of many shops and behave as a class of their own. Where a candidate
    expects nothing of a whole class, each of it is given the class's mean. `purchases` are fitted
    PurchaseExpectations, for candidates that look at them.
    """

    def __init__(self, candidate: Any, purchases: Any = None) -> None:
        self.candidate = candidate
        self.purchases = purchases

    def fit(self, snapshots: pl.DataFrame) -> Self:
        """Fit the candidate; until `calibrate` its level stays as it is, and intervals are unknown."""
        self.factors_, self.means_ = np.ones((2, 2)), np.zeros((2, 2))
        self.intervals_ = RatioIntervals().fit(np.zeros(0), np.zeros(0))
        return self.keep(clone(self.candidate).fit(self._seen(snapshots)))

    def keep(self, candidate: Any) -> Self:
        """Take a fitted candidate, such as one of later histories; level and intervals stay."""
        self.candidate_ = candidate
        return self

    def calibrate(self, snapshots: pl.DataFrame, *, horizon_days: int) -> Self:
        """Learn the level of counts and amounts in each class, and the intervals, from a later cut-off."""
        self.factors_, self.means_ = np.ones((2, 2)), np.zeros((2, 2))
        expected, is_once, _ = self._expected(snapshots, horizon_days)
        actual = snapshots.select("future_purchase_count", "future_amount").cast(pl.Float64).to_numpy()
        classes = [is_once, ~is_once]
        if min(int(some.sum()) for some in classes) < MINIMUM_CLASS:
            classes = [np.ones(len(is_once), dtype=bool)] * 2
        for number, some in enumerate(classes):
            totals, wanted = expected[some].sum(axis=0), actual[some].sum(axis=0).clip(0)
            is_expected = totals > 0
            self.factors_[number] = np.where(is_expected, wanted / np.where(is_expected, totals, 1), 0.0)
            self.means_[number] = np.where(is_expected, 0.0, wanted / max(1, int(some.sum())))
        leveled = self._leveled(expected, is_once)
        self.intervals_ = RatioIntervals().fit(leveled[:, 1], actual[:, 1])
        return self

    def predict(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, p10 and p90, alive probability: a row per customer.

        p10 and p90 are null where too few outcomes have matured to know them.
        """
        expected, is_once, alive = self._expected(features, horizon_days)
        count, amount = self._leveled(expected, is_once).T
        lower, upper = self.intervals_.predict(amount)
        return pl.DataFrame(
            {
                "expected_transaction_count": count,
                "expected_amount": amount,
                "expected_amount_p10": pl.Series(lower, dtype=pl.Float64).fill_nan(None),
                "expected_amount_p90": pl.Series(upper, dtype=pl.Float64).fill_nan(None),
                "alive_probability": alive,
            }
        )

    def _seen(self, features: pl.DataFrame) -> pl.DataFrame:
        if self.purchases is None:
            return features
        found: pl.DataFrame = self.purchases.transform(features)
        return found

    def _expected(self, features: pl.DataFrame, horizon_days: int) -> tuple[Any, Any, pl.Series]:
        """Counts and amounts as expected, shape (customers, 2); who bought once; alive probabilities."""
        expected = self.candidate_.expect(self._seen(features), horizon_days=horizon_days)
        numbers = expected.select("expected_transaction_count", "expected_amount").to_numpy()
        return numbers, (features["purchase_day_count"] == 1).to_numpy(), expected["alive_probability"]

    def _leveled(self, expected: Any, is_once: Any) -> Any:
        place = np.where(is_once, 0, 1)
        return expected * self.factors_[place] + self.means_[place]
