"""The CLV model on features, and the level and intervals that it shares with the rules.

A candidate has `fit(features)` and `expect(features, horizon_days)`: expected transaction count and amount,
and the alive probability where it knows one. Likelihoods are in `bg_nbd` and `gamma_gamma`; who serves in
`training`.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, clone

from ml.btyd.bg_nbd import BgNbd
from ml.btyd.gamma_gamma import GammaGamma
from ml.clv.intervals import RatioIntervals

Array = npt.NDArray[np.float64]

TRUSTED_TYPES: Final = (
    "ml.btyd.bg_nbd.BgNbd",
    "ml.btyd.gamma_gamma.GammaGamma",
    "ml.clv.intervals.RatioIntervals",
    "ml.clv.models.LeveledClv",
    "ml.clv.models.PurchaseValueModel",
    "ml.clv.rules.OrderTimesRateRule",
    "ml.clv.rules.PopulationMeanRule",
    "ml.clv.rules.SpendPerDayRule",
)
"""What skops must be told to trust when it loads a CLV model."""


class PurchaseValueModel(BaseEstimator):
    """BG/NBD purchase days times Gamma-Gamma amount per purchase day, times are days.

    Money is net amount per purchase day because BG/NBD counts days: baskets of one day merged on one side
    only would count their money twice, and returns must lower the value. Transactions are days times the
    population's ratio.
    """

    def fit(self, features: pl.DataFrame) -> Self:
        """Fit both on the histories up to one cut-off, Gamma-Gamma on those who came back and paid.

        Raises:
            ValueError: no customer came back and paid.
        """
        self.purchases_ = BgNbd().fit(_histories(features))
        paid = (pl.col("purchase_day_count") > 1) & (pl.col("monetary_amount") > 0)
        self.amounts_ = GammaGamma().fit(_amounts(features.filter(paid)))
        days = features["purchase_day_count"].sum()
        self.transactions_per_day_ = float(features["frequency_count"].sum()) / float(days)
        return self

    @property
    def message_(self) -> str:
        """How both fits went."""
        return f"BG/NBD: {self.purchases_.message_} Gamma-Gamma: {self.amounts_.message_}"

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, and alive probability: a row per customer."""
        histories = _histories(features)
        days = self.purchases_.expected_purchases(histories, horizon=horizon_days)
        return pl.DataFrame(
            {
                "expected_transaction_count": days * self.transactions_per_day_,
                "expected_amount": days * self.amounts_.expected_amount(_amounts(features)),
                "alive_probability": self.purchases_.alive_probability(histories),
            }
        )


class LeveledClv(BaseEstimator):
    """A candidate brought to the level of outcomes it was not fitted on, with intervals from the same."""

    def __init__(self, candidate: Any) -> None:
        self.candidate = candidate

    def fit(self, features: pl.DataFrame) -> Self:
        """Fit the candidate on histories up to one cut-off; until `calibrate` its level stays as it is."""
        self.candidate_ = clone(self.candidate).fit(features)
        self.count_factor_, self.amount_factor_ = 1.0, 1.0
        self.intervals_ = RatioIntervals().fit(np.zeros(0), np.zeros(0))
        return self

    def calibrate(self, snapshots: pl.DataFrame, *, horizon_days: int) -> Self:
        """Learn one factor for counts, one for amounts (actual over predicted total), and the intervals."""
        expected = self.candidate_.expect(snapshots, horizon_days=horizon_days)
        counts, amounts = snapshots["future_purchase_count"], snapshots["future_amount"]
        self.count_factor_ = _factor(counts, expected["expected_transaction_count"])
        self.amount_factor_ = _factor(amounts, expected["expected_amount"])
        predicted = expected["expected_amount"].to_numpy() * self.amount_factor_
        self.intervals_ = RatioIntervals().fit(predicted, amounts.to_numpy())
        return self

    def predict(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, p10 and p90, alive probability: a row per customer.

        p10 and p90 are null where too few outcomes have matured to know them.
        """
        expected: pl.DataFrame = self.candidate_.expect(features, horizon_days=horizon_days)
        expected = expected.with_columns(
            pl.col("expected_transaction_count") * self.count_factor_,
            pl.col("expected_amount") * self.amount_factor_,
        )
        lower, upper = self.intervals_.predict(expected["expected_amount"].to_numpy())
        return expected.with_columns(
            expected_amount_p10=pl.Series(lower, dtype=pl.Float64).fill_nan(None),
            expected_amount_p90=pl.Series(upper, dtype=pl.Float64).fill_nan(None),
        )


def _histories(features: pl.DataFrame) -> Array:
    """BG/NBD's x, t_x and T: repeat purchase days, days to the last one, days observed."""
    return features.select(
        pl.col("purchase_day_count") - 1,
        pl.col("tenure_days") - pl.col("recency_days"),
        pl.col("tenure_days").alias("T"),
    ).to_numpy()


def _amounts(features: pl.DataFrame) -> Array:
    """Gamma-Gamma's x and mean amount: purchase days, net amount per purchase day."""
    return features.select("purchase_day_count", pl.col("monetary_amount") / pl.col("purchase_day_count")).to_numpy()


def _factor(actual: pl.Series, predicted: pl.Series) -> float:
    # numpy sums in the order of rows, which the caller has sorted; a streaming sum may not
    total = float(predicted.to_numpy().sum())
    return max(float(actual.to_numpy().sum()), 0.0) / total if total > 0 else 1.0
