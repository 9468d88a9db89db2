"""Logistic regressions, straight or bent by splines: every score is an exact sum of one term a feature.

What goes in belongs to `ml.churn.inputs`.
"""

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from ml.churn.inputs import PurchaseInputs

Array = npt.NDArray[np.float64]


class LogisticChurn(BaseEstimator):
    """Ridge logit on inputs with median imputation and indicators of what was missing.

    With `knots` of 2 or more each input also enters as a cubic spline with that many knots at its quantiles.
    """

    is_additive: ClassVar[bool] = True

    def __init__(
        self, *, inputs: Any = None, knots: int = 0, regularisation: float = 0.1, maximum_rows: int = 100_000
    ) -> None:
        self.inputs = inputs
        self.knots = knots
        self.regularisation = regularisation
        self.maximum_rows = maximum_rows

    def fit(self, features: pl.DataFrame, churned: Array) -> Self:
        """Fit on past cut-offs stacked; `churned` is 0 or 1 a row, and both must occur.

        Of more than `maximum_rows` an even part is taken, in the order of rows.
        """
        step = -(-len(churned) // self.maximum_rows)
        features, churned = features.gather_every(step), churned[::step]
        self.inputs_ = clone(self.inputs or PurchaseInputs()).fit(features, churned)
        self.names_ = list(self.inputs_.names_)
        self.columns_ = self._columns().fit(self.inputs_.transform(features))
        matrix = self.columns_.transform(self.inputs_.transform(features))
        model = LogisticRegression(C=self.regularisation, solver="newton-cholesky", tol=1e-8).fit(matrix, churned)
        # a threaded matrix product varies in its last digits; scores must not
        self.weights_ = model.coef_[0].round(9)
        count, indicators = len(self.names_), self.columns_[0].indicator_.features_
        bent = np.repeat(np.arange(count), (matrix.shape[1] - count - len(indicators)) // count)
        self.owners_ = np.concatenate([np.arange(count), indicators, bent]).astype(np.int64)
        return self

    def _columns(self) -> Pipeline:
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        if self.knots < 2:
            return make_pipeline(imputer, StandardScaler())
        splines = SplineTransformer(n_knots=self.knots, knots="quantile", extrapolation="linear", include_bias=False)
        both = ColumnTransformer(
            [("straight", "passthrough", slice(0, None)), ("bent", splines, slice(0, len(self.names_)))]
        )
        return make_pipeline(imputer, StandardScaler(), both, StandardScaler())

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the model looks at, in plain units, a row per customer."""
        found: pl.DataFrame = self.inputs_.values(features)
        return found

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:  # noqa: ARG002 - always exact
        """Log-odds against the average training customer, shape (customers, features).

        The terms of a feature's indicator and splines are added to its own. No matrix product: its last digit would
        depend on how many rows are scored together.
        """
        folded = np.zeros((features.height, len(self.names_)))
        if features.is_empty():  # as a bucket may be, and scikit-learn refuses
            return folded
        parts = self.columns_.transform(self.inputs_.transform(features)) * self.weights_
        for column, owner in zip(parts.T, self.owners_, strict=True):
            folded[:, owner] += column
        return folded

    def score(self, features: pl.DataFrame) -> Array:
        """Log-odds against the average training customer, one a customer."""
        return row_sums(self.terms(features))


def row_sums(terms: Array) -> Array:
    """Sum of each row, column by column: the same digits however many rows there are."""
    total = np.zeros(len(terms))
    for column in terms.T:
        total = total + column
    return total
