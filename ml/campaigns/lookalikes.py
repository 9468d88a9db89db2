"""Who is like those who joined a segment: rules, and the model that must beat them.

Which customers were in the segment on which day is the caller's to say.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

from ml.campaigns.linear import Linear
from ml.schemas import CUSTOMER_FEATURES, Schema

Array = npt.NDArray[np.float64]

MEMBERSHIP: Final[Schema] = {"is_member": pl.Boolean, "has_joined": pl.Boolean}
SNAPSHOT: Final[Schema] = CUSTOMER_FEATURES | MEMBERSHIP
"""Grain: customer at a day. `is_member` of the segment then; `has_joined`: is one horizon later. Attributes follow, by
their own names."""

BASE_RATE: Final = "base_rate"
NEAREST: Final = "nearest"
RULES: Final = (BASE_RATE, NEAREST)
JOINING: Final = "logistic"
MODELS: Final = (JOINING,)
MEASURES: Final = ("recency_days", "frequency_count", "monetary_amount", "net_amount_90_days", "average_order_amount")


class BaseRate(BaseEstimator):
    """The share of those outside who joined: everybody is as likely."""

    def fit(self, snapshot: pl.DataFrame) -> Self:
        """Remember the share."""
        self.rate_ = round(float(_joined(outside(snapshot)).mean()), 9)
        return self

    def predict(self, snapshot: pl.DataFrame) -> Array:
        """The probability of each customer."""
        return np.full(snapshot.height, self.rate_)


class Nearest(BaseEstimator):
    """How near a customer's MEASURES are to the medians of those inside, and the rate that goes with it, on a line."""

    def fit(self, snapshot: pl.DataFrame) -> Self:
        """Remember medians, spreads and the line."""
        inside, others = snapshot.filter("is_member"), outside(snapshot)
        everyone = _measures(snapshot)
        self.centre_ = np.median(_measures(inside if inside.height else snapshot), axis=0).round(9)
        spread = everyone.std(axis=0).round(9)
        self.spread_ = np.where(spread > 0, spread, 1.0)
        self.line_ = Linear(is_truth=True, regularisation=1.0).fit(self._distance(others), _joined(others))
        return self

    def predict(self, snapshot: pl.DataFrame) -> Array:
        """The probability of each customer."""
        return self.line_.predict(self._distance(snapshot))

    def _distance(self, snapshot: pl.DataFrame) -> pl.DataFrame:
        away = np.abs((_measures(snapshot) - self.centre_) / self.spread_)
        return pl.DataFrame({"distance": away.sum(axis=1).round(9)}, schema={"distance": pl.Float64})


class Joining(BaseEstimator):
    """Logistic regression of joining on everything that was known of who was outside."""

    def fit(self, snapshot: pl.DataFrame) -> Self:
        """Fit on a day whose horizon is over."""
        others = outside(snapshot)
        self.model_ = Linear(is_truth=True).fit(_known(others), _joined(others))
        return self

    def predict(self, snapshot: pl.DataFrame) -> Array:
        """The probability of each customer."""
        return self.model_.predict(_known(snapshot))


def outside(snapshot: pl.DataFrame) -> pl.DataFrame:
    """Those who are not in the segment."""
    return snapshot.filter(~pl.col("is_member"))


def make_candidate(name: str) -> Any:
    """An unfitted candidate by name."""
    return {BASE_RATE: BaseRate, NEAREST: Nearest, JOINING: Joining}[name]()


def _known(snapshot: pl.DataFrame) -> pl.DataFrame:
    return snapshot.drop(*MEMBERSHIP, strict=False)


def _joined(snapshot: pl.DataFrame) -> Array:
    return snapshot["has_joined"].cast(pl.Float64).to_numpy()


def _measures(snapshot: pl.DataFrame) -> Array:
    columns = [pl.col(name).cast(pl.Float64).fill_null(0.0) for name in MEASURES]
    return snapshot.select(column.sign() * column.abs().log1p() for column in columns).to_numpy()


TRUSTED_TYPES: Final = (
    "ml.campaigns.inputs.Inputs",
    "ml.campaigns.linear.Linear",
    *(f"ml.campaigns.lookalikes.{name}" for name in ("BaseRate", "Joining", "Nearest")),
)
