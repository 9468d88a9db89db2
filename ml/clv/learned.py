"""CLV learned from outcomes, from features and from what a purchase model expects: log-linear, direct and two-stage.

Level and intervals belong to `ml.clv.leveling`.
"""

from collections.abc import Callable
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import PoissonRegressor

from ml.btyd.expectations import EXPECTATIONS
from ml.schemas import WINDOWS_DAYS
from ml.sums import row_sums

Array = npt.NDArray[np.float64]

_INPUTS: Final = (
    "recency_days",
    "frequency_count",
    "value_amount",
    "tenure_days",
    "purchase_day_count",
    "average_order_amount",
    "average_line_count",
    "discount_share",
    "return_share",
    "gap_mean_days",
    "gap_median_days",
    "gap_deviation_days",
    "last_gap_days",
    *(f"purchase_count_{days}_days" for days in WINDOWS_DAYS),
    *(f"net_amount_{days}_days" for days in WINDOWS_DAYS),
    *EXPECTATIONS,
)
_DERIVED: Final = {
    "value_per_purchase_day": pl.col("value_amount") / pl.col("purchase_day_count"),
    "value_per_day": pl.col("value_amount") / (pl.col("tenure_days") + 30),
    "expected_value": pl.col("expected_purchase_day_count") * pl.col("value_amount") / pl.col("purchase_day_count"),
}
_LOGS: Final = (
    "recency_days",
    "tenure_days",
    "purchase_day_count",
    "value_amount",
    *(f"net_amount_{days}_days" for days in WINDOWS_DAYS),
    *(f"purchase_count_{days}_days" for days in WINDOWS_DAYS),
    "expected_purchase_day_count",
    "expected_value",
    "value_per_day",
)
_SMALLEST: Final = 1e-3


class LogLinearClv(BaseEstimator):
    """Expected value as a product of powers of a few strong inputs: a Poisson regression on their logs."""

    def __init__(self, *, regularisation: float = 1e-3) -> None:
        self.regularisation = regularisation

    def fit(self, snapshots: pl.DataFrame) -> Self:
        """Fit on outcomes of past cut-offs; an amount below zero counts as zero, which the level makes good."""
        logs = _logs(snapshots)
        self.centre_, self.spread_ = logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-9)
        self.lowest_, self.highest_ = logs.min(axis=0), logs.max(axis=0)
        self.scale_, target = _scaled(snapshots)
        self.count_ = self._fitted(logs, snapshots["future_purchase_count"].to_numpy())
        self.amount_ = self._fitted(logs, target)
        return self

    def _fitted(self, logs: Array, target: Array) -> Array:
        """Level and powers of a Poisson regression on standardised logs, rounded to what a fit can tell apart."""
        model = PoissonRegressor(alpha=self.regularisation, solver="newton-cholesky", tol=1e-8)
        model.fit((logs - self.centre_) / self.spread_, target)
        found: Array = np.append(model.intercept_, model.coef_).round(9)
        return found

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:  # noqa: ARG002 - learned for one
        """Expected transaction count and amount, and the purchase model's alive probability: a row per customer."""
        # a power of what was never seen, such as of a longer history, is anybody's guess
        logs = (np.clip(_logs(features), self.lowest_, self.highest_) - self.centre_) / self.spread_
        count, amount = (np.exp(level + row_sums(logs * powers)) for level, *powers in (self.count_, self.amount_))
        return _expectation(features, count, amount * self.scale_)


class DirectClv(BaseEstimator):
    """Expected value in one stage: boosting of the Poisson deviance, which zeros and long tails do not upset."""

    def __init__(self, *, seed: int = 0, trees: int = 120) -> None:
        self.seed = seed
        self.trees = trees

    def fit(self, snapshots: pl.DataFrame) -> Self:
        """Fit on outcomes of past cut-offs; an amount below zero counts as zero, which the level makes good."""
        matrix = _learnable(snapshots)
        self.count_ = _regressor("poisson", self.seed, self.trees).fit(
            matrix, snapshots["future_purchase_count"].to_numpy()
        )
        self.scale_, target = _scaled(snapshots)
        self.amount_ = _regressor("poisson", self.seed, self.trees).fit(matrix, target)
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:  # noqa: ARG002 - learned for one
        """Expected transaction count and amount, and the purchase model's alive probability: a row per customer."""
        return _expected(features, self.count_, lambda matrix: self.amount_.predict(matrix) * self.scale_)


class TwoStageClv(BaseEstimator):
    """Expected value in two stages: will the customer buy, and for how much if so."""

    def __init__(self, *, seed: int = 0, trees: int = 120) -> None:
        self.seed = seed
        self.trees = trees

    def fit(self, snapshots: pl.DataFrame) -> Self:
        """Fit on outcomes of past cut-offs; both kinds must occur."""
        matrix, buys = _learnable(snapshots), snapshots["future_purchase_count"].to_numpy() > 0
        self.count_ = _regressor("poisson", self.seed, self.trees).fit(
            matrix, snapshots["future_purchase_count"].to_numpy()
        )
        self.buys_ = HistGradientBoostingClassifier(**_settings(self.seed, self.trees)).fit(matrix, buys)
        self.scale_, target = _scaled(snapshots)
        self.amount_ = _regressor("gamma", self.seed, self.trees).fit(matrix[buys], target[buys] + _SMALLEST)
        return self

    def expect(self, features: pl.DataFrame, *, horizon_days: int) -> pl.DataFrame:  # noqa: ARG002 - learned for one
        """Expected transaction count and amount, and the purchase model's alive probability: a row per customer."""
        return _expected(
            features,
            self.count_,
            lambda matrix: self.buys_.predict_proba(matrix)[:, 1] * self.amount_.predict(matrix) * self.scale_,
        )


def _logs(features: pl.DataFrame) -> Array:
    """Logs of 1 + size of a few inputs, shape (customers, inputs); what is undefined or negative counts as 0."""
    columns = features.with_columns(**_DERIVED).select(_LOGS).cast(pl.Float64).fill_null(0.0)
    return columns.select(pl.all().clip(0).log1p()).to_numpy(order="c")


def _expected(features: pl.DataFrame, count: Any, amount: Callable[[Array], Array]) -> pl.DataFrame:
    matrix = _matrix(features)
    found = (count.predict(matrix), amount(matrix)) if len(matrix) else (np.zeros(0), np.zeros(0))
    return _expectation(features, *found)


def _expectation(features: pl.DataFrame, count: Array, amount: Array) -> pl.DataFrame:
    alive = features["alive_probability"]
    return pl.DataFrame({"expected_transaction_count": count, "expected_amount": amount, "alive_probability": alive})


def _matrix(features: pl.DataFrame) -> Array:
    """Inputs of the trees, shape (customers, inputs), NaN where undefined."""
    columns = features.select(*_INPUTS, **_DERIVED).cast(pl.Float64).fill_null(np.nan)
    return columns.to_numpy(order="c")


def _learnable(snapshots: pl.DataFrame) -> Array:
    """The same to fit on: a column that nobody has is refused, so it is 0, and nothing is learned from it."""
    matrix = _matrix(snapshots)
    matrix[:, np.isnan(matrix).all(axis=0)] = 0
    return matrix


def _scaled(snapshots: pl.DataFrame) -> tuple[float, Array]:
    amount = snapshots["future_amount"].to_numpy().clip(0)
    scale = float(amount.mean()) or 1.0
    return scale, amount / scale


def _settings(seed: int, trees: int) -> dict[str, Any]:
    return {
        "max_iter": trees,
        "learning_rate": 0.06,
        "max_leaf_nodes": 8,
        "min_samples_leaf": 40,
        "l2_regularization": 5.0,
        "early_stopping": False,
        "random_state": seed,
    }


def _regressor(loss: str, seed: int, trees: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(loss=loss, **_settings(seed, trees))
