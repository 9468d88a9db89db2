"""What a purchase model makes of CUSTOMER_FEATURES: each customer's history in, expectations as columns out.

Which money a purchase brings belongs to `ml.clv`; who churns to `ml.churn`.
"""

from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

from ml.btyd.choice import PurchaseModel

Array = npt.NDArray[np.float64]

EXPECTATIONS: Final = ("alive_probability", "silence_probability", "expected_purchase_day_count")


def histories(features: pl.DataFrame) -> Array:
    """The x, t_x and T of purchase models: repeat purchase days, days to the last one, days observed."""
    return features.select(
        pl.col("purchase_day_count") - 1,
        pl.col("tenure_days") - pl.col("recency_days"),
        pl.col("tenure_days").alias("T"),
    ).to_numpy()


class PurchaseExpectations(BaseEstimator):
    """A purchase model of everyone's history at one cut-off, as three columns about the horizon ahead.

    `silence_probability` is that of no purchase in the horizon. It is not 1 - `alive_probability`, which is 0 for
    whoever bought once and ranks worse than chance.
    """

    def __init__(self, *, horizon_days: int) -> None:
        self.horizon_days = horizon_days

    def fit(self, features: pl.DataFrame) -> Self:
        """Fit on all customers of a cut-off; those who stay away are what it learns from."""
        self.model_ = PurchaseModel().fit(histories(features)) if len(features) else None
        return self

    @property
    def message_(self) -> str:
        """Which family was fitted, and why not another."""
        return "Nobody to learn from." if self.model_ is None else str(self.model_.message_)

    def transform(self, features: pl.DataFrame) -> pl.DataFrame:
        """The features and EXPECTATIONS beside them; null where there was nobody to learn from."""
        if self.model_ is None or features.is_empty():
            return features.with_columns(pl.lit(None, pl.Float64).alias(name) for name in EXPECTATIONS)
        past = histories(features)
        found = (
            self.model_.alive_probability(past),
            self.model_.no_purchase_probability(past, horizon=self.horizon_days),
            self.model_.expected_purchases(past, horizon=self.horizon_days),
        )
        return features.with_columns(pl.Series(name, column) for name, column in zip(EXPECTATIONS, found, strict=True))
