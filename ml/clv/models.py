"""CLV models of purchases and money: a purchase model of histories times Gamma-Gamma amounts.

A candidate has `fit(snapshots)` and `expect(features, horizon_days)`: expected transaction count and amount, and the
alive probability where it knows one. Learned candidates are in `learned`, level and intervals in `leveling`, who
serves in `training`. Likelihoods belong to `ml.btyd`.
"""

from typing import Final, Literal, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

from ml.btyd.choice import FAMILIES, PurchaseModel
from ml.btyd.expectations import histories
from ml.btyd.gamma_gamma import GammaGamma
from ml.clv.rules import LastPeriodRule

Array = npt.NDArray[np.float64]
Spenders = Literal["everyone", "repeaters"]

ANY: Final = "any"
UNSOUND: Final = "has no sound fit here and does not compete"


class PurchaseValueModel(BaseEstimator):
    """Purchase days of one family, or of ANY that fits, times Gamma-Gamma value per purchase day, times are days.

    Money is value per purchase day because purchase models count days: baskets of one day merged on one side only
    would count their money twice, and returns must lower the value. Transactions are days times the population's
    ratio. Amounts are learned from `spenders`: from those who came back, as published, or from everyone who paid,
    which ranks better where most never come back.
    """

    def __init__(self, family: str = ANY, *, spenders: Spenders = "everyone") -> None:
        self.family = family
        self.spenders = spenders

    def fit(self, features: pl.DataFrame) -> Self:
        """Fit both on the histories up to one cut-off; no outcome is looked at.

        Raises:
            ValueError: nobody paid, or with `repeaters` nobody came back and paid.
        """
        purchases = PurchaseModel() if self.family == ANY else FAMILIES[self.family][1]()
        self.purchases_ = purchases.fit(histories(features))
        paid = pl.col("value_amount") > 0
        if self.spenders == "repeaters":
            paid &= pl.col("purchase_day_count") > 1
        self.amounts_ = GammaGamma().fit(_amounts(features.filter(paid)))
        days = features["purchase_day_count"].sum()
        self.transactions_per_day_ = float(features["frequency_count"].sum()) / float(days)
        return self

    @property
    def is_sound_(self) -> bool:
        """Whether both fits found a clear maximum."""
        return bool(self.purchases_.is_sound_ and self.amounts_.is_sound_)

    @property
    def message_(self) -> str:
        """How both fits went."""
        return f"Purchases: {self.purchases_.message_} Amounts: {self.amounts_.message_}"

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, and alive probability: a row per customer."""
        past = histories(features)
        days = self.purchases_.expected_purchases(past, horizon=horizon_days)
        return pl.DataFrame(
            {
                "expected_transaction_count": days * self.transactions_per_day_,
                "expected_amount": days * self.amounts_.expected_amount(_amounts(features)),
                "alive_probability": self.purchases_.alive_probability(past),
            }
        )


class PurchasesAndLastPeriod(BaseEstimator):
    """The mean of a purchase model's value and that of the last period, brought to the same totals first.

    The one knows the whole history and takes rates to be constant; the other sees what has changed lately.
    """

    def __init__(self, *, horizon_days: int) -> None:
        self.horizon_days = horizon_days

    def fit(self, features: pl.DataFrame) -> Self:
        """Fit the purchase model on the histories up to one cut-off; no outcome is looked at.

        Raises:
            ValueError: nobody paid.
        """
        self.model_ = PurchaseValueModel().fit(features)
        model, last = self._both(features, self.horizon_days)
        self.ratios_ = model.sum(axis=0) / np.maximum(last.sum(axis=0), np.finfo(float).tiny)
        return self

    @property
    def is_sound_(self) -> bool:
        """Whether the purchase model found a clear maximum."""
        return self.model_.is_sound_

    @property
    def message_(self) -> str:
        """How its fits went."""
        return self.model_.message_

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:
        """Expected transaction count and amount, and alive probability: a row per customer."""
        model, last = self._both(features, horizon_days)
        mean = (model + last * self.ratios_) / 2
        alive = self.model_.expect(features, horizon_days=horizon_days)["alive_probability"]
        return pl.DataFrame(
            {"expected_transaction_count": mean[:, 0], "expected_amount": mean[:, 1], "alive_probability": alive}
        )

    def _both(self, features: pl.DataFrame, horizon_days: int) -> tuple[Array, Array]:
        """Counts and amounts of the model and of the last period, each of shape (customers, 2)."""
        wanted = ("expected_transaction_count", "expected_amount")
        model, last = (
            part.expect(features, horizon_days=horizon_days).select(wanted).to_numpy()
            for part in (self.model_, LastPeriodRule())
        )
        return model, last


def _amounts(features: pl.DataFrame) -> Array:
    """Gamma-Gamma's x and mean amount: purchase days, value per purchase day."""
    return features.select("purchase_day_count", pl.col("value_amount") / pl.col("purchase_day_count")).to_numpy()
