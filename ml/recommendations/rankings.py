"""How the items that come into question are ranked: two rules, two models, and one that learns to rank.

Every ranking gives each of PAIRS a score; the highest is proposed first. None looks at another customer's pairs.
"""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ml.sums import row_sums

Array = npt.NDArray[np.float64]

POPULARITY: Final = "popularity"
BUY_AGAIN: Final = "buy_again"
RULES: Final = (POPULARITY, BUY_AGAIN)
LEARNED: Final = "learned_ranking"
MODELS: Final = ("co_purchase", "factorisation", LEARNED)
"""Simplest first."""
NEVER_DAYS: Final = 1000
"""Stands for the recency of what was never bought."""


class FixedRanking(BaseEstimator):
    """A ranking by a formula; `name` is one of RULES, co_purchase or factorisation.

    Popularity is the share of customers who bought it lately. Buy-again is by days of purchase, the latest first among
    equals, then by popularity. The models add what the customer's own items speak for to their fading days of purchase.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def fit(self, pairs: pl.DataFrame, bought: Array) -> Self:  # noqa: ARG002 - as every ranking
        """Nothing is learned."""
        return self

    def score(self, pairs: pl.DataFrame) -> Array:
        """One number for each of PAIRS."""
        popular = pairs["recent_buyer_share"].to_numpy()
        if self.name == POPULARITY:
            return np.asarray(popular)
        if self.name == BUY_AGAIN:
            days, recency = pairs["day_count"].to_numpy(), pairs["recency_days"].fill_null(NEVER_DAYS).to_numpy()
            return np.asarray(np.where(days > 0, days + 1 / (2 + recency), popular / 2))
        spoken_for = pairs["co_purchase" if self.name == "co_purchase" else "affinity"].to_numpy()
        return np.asarray(np.log1p(pairs["weight_90"].to_numpy()) + spoken_for)


class LearnedRanking(BaseEstimator):
    """Logistic regression of "bought in the horizon" on a pair's numbers: its score is that probability."""

    def fit(self, pairs: pl.DataFrame, bought: Array) -> Self:
        """Fit on pairs of a past day; `bought` is 0 or 1 a pair, and both must occur."""
        columns = inputs(pairs)
        scaler = StandardScaler().fit(columns)
        model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-8).fit(scaler.transform(columns), bought)
        # a threaded matrix product varies in its last digits; scores must not
        self.weights_ = (model.coef_[0] / scaler.scale_).round(9)
        self.intercept_ = float((model.intercept_[0] - row_sums((self.weights_ * scaler.mean_)[None, :])[0]).round(9))
        return self

    def score(self, pairs: pl.DataFrame) -> Array:
        """The probability of each of PAIRS."""
        log_odds = self.intercept_ + row_sums(inputs(pairs) * self.weights_)
        return np.asarray(1 / (1 + np.exp(-log_odds)))


def make_ranking(name: str) -> Any:
    """An unfitted ranking by name."""
    return LearnedRanking() if name == LEARNED else FixedRanking(name)


def inputs(pairs: pl.DataFrame) -> Array:
    """What is learned from, a column each: habits on a log scale, how popular, and what the models say."""
    is_own = pl.col("day_count") > 0
    columns = pairs.select(
        day_count=pl.col("day_count").log1p(),
        weight_30=pl.col("weight_30").log1p(),
        weight_90=pl.col("weight_90").log1p(),
        recency=pl.col("recency_days").fill_null(NEVER_DAYS).log1p(),
        share_of_visits=pl.col("day_count") / pl.col("visit_count"),
        recent_visits=pl.col("recent_visit_count").log1p(),
        repeat_share="repeat_share",
        own_repeat_share=pl.when(is_own).then("repeat_share").otherwise(0.0),
        recent_buyers=(pl.col("recent_buyer_share") + 1e-4).log(),
        buyers=(pl.col("buyer_share") + 1e-4).log(),
        co_purchase="co_purchase",
        affinity="affinity",
        is_own=is_own.cast(pl.Float64),
    )
    return columns.to_numpy().astype(np.float64, order="C")
