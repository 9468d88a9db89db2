"""How sure an expected amount is: 80 % intervals of what the customer will actually spend, split-conformal.

Learned from a cut-off whose outcomes the prediction has not seen. Measuring coverage belongs to
`ml.clv.training`.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

Array = npt.NDArray[np.float64]


class RatioIntervals(BaseEstimator):
    """Quantiles of actual over predicted, in bins of similar predictions (split-conformal, Vovk et al. 2005).

    An interval is about the outcome, not about its mean: where most buy nothing p10 is 0 and even p90 may
    lie below the expectation, and it then holds more than 80 %. It is negative only where returns
    outweighed purchases.
    """

    def __init__(self, *, coverage: float = 0.8, bins: int = 10, minimum_bin: int = 50) -> None:
        self.coverage = coverage
        self.bins = bins
        self.minimum_bin = minimum_bin

    def fit(self, predicted: Array, actual: Array) -> Self:
        """Learn the quantiles; with fewer than `minimum_bin` customers intervals are NaN."""
        bins = min(self.bins, len(predicted) // self.minimum_bin)
        self.edges_ = np.unique(np.quantile(predicted, np.arange(1, bins) / bins)) if bins > 1 else np.zeros(0)
        # keeps the ratio finite where nothing is expected, and is small against every other prediction
        self.offset_ = (0.01 * float(predicted.mean()) if bins else 0.0) or 1.0
        ratio, place = actual / (predicted + self.offset_), self._place(predicted)
        tail = (1 - self.coverage) / 2
        quantiles = [self._quantiles(ratio[place == bin_], tail) for bin_ in range(len(self.edges_) + 1)]
        self.quantiles_ = np.array(quantiles) if bins else np.full((1, 2), np.nan)
        return self

    def predict(self, predicted: Array) -> tuple[Array, Array]:
        """(p10, p90) of each customer's actual amount, in units of the prediction."""
        quantiles = self.quantiles_[self._place(predicted)] * (predicted + self.offset_)[:, None]
        return quantiles[:, 0], quantiles[:, 1]

    def _place(self, predicted: Array) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.edges_, predicted, side="right")

    @staticmethod
    def _quantiles(ratio: Array, tail: float) -> tuple[float, float]:
        # the conformal correction: one place further out than the sample's own quantile
        if not len(ratio):
            return np.nan, np.nan
        ordered, places = np.sort(ratio), len(ratio) + 1
        lower = max(int(np.floor(tail * places)) - 1, 0)
        upper = min(int(np.ceil((1 - tail) * places)) - 1, len(ratio) - 1)
        return float(ordered[lower]), float(ordered[upper])
