"""Ridge regressions of a truth or of an amount on what was known: every score is a sum of one term a column."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression, Ridge

from ml.campaigns.inputs import Inputs
from ml.sums import row_sums

Array = npt.NDArray[np.float64]


class Linear(BaseEstimator):
    """A ridge regression on INPUTS: logistic where `is_truth` (the outcome is 0 or 1), else of the mean.

    A truth that is always or never so is predicted as such.
    """

    def __init__(self, *, is_truth: bool, inputs: Any = None, regularisation: float = 0.02) -> None:
        self.is_truth = is_truth
        self.inputs = inputs
        self.regularisation = regularisation

    def fit(self, known: pl.DataFrame, outcome: Array, weights: Array | None = None) -> Self:
        """Fit on rows of what was known; `outcome`, and `weights` if any, are a number a row."""
        self.inputs_ = clone(self.inputs or Inputs()).fit(known)
        matrix = self.inputs_.transform(known)
        mean = float(np.average(outcome, weights=weights)) if len(outcome) else 0.0
        if not matrix.shape[1] or outcome.min() == outcome.max():
            self.weights_ = np.zeros(matrix.shape[1])
            self.intercept_ = _log_odds(mean) if self.is_truth else mean
            return self
        if self.is_truth:
            model = LogisticRegression(C=self.regularisation, solver="newton-cholesky", tol=1e-8)
            model.fit(matrix, outcome, sample_weight=weights)
            coefficients, intercept = model.coef_[0], model.intercept_[0]
        else:
            model = Ridge(alpha=1 / self.regularisation, solver="cholesky").fit(matrix, outcome, sample_weight=weights)
            coefficients, intercept = model.coef_, model.intercept_
        # a threaded matrix product varies in its last digits; scores must not
        self.weights_, self.intercept_ = np.asarray(coefficients).round(9), float(np.round(intercept, 9))
        return self

    def predict(self, known: pl.DataFrame) -> Array:
        """The probability, or the mean, of each row."""
        found = self.intercept_ + row_sums(self.inputs_.transform(known) * self.weights_)
        return np.asarray(1 / (1 + np.exp(-found)) if self.is_truth else found)


def _log_odds(share: float) -> float:
    held = min(max(share, 1e-6), 1 - 1e-6)
    return float(np.log(held / (1 - held)))
