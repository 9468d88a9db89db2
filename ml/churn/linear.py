"""Logistic regressions, straight or bent by splines: every score is an exact sum of one term a feature.

What goes in belongs to `ml.churn.inputs`.
"""

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ml.churn.inputs import PurchaseInputs
from ml.sums import row_sums

Array = npt.NDArray[np.float64]


class LogisticChurn(BaseEstimator):
    """Ridge logit on inputs with median imputation and indicators of what was missing.

    With `knots` each number may bend at that many of its quantiles.
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
        self.columns_ = self._columns()
        matrix = self.columns_.fit_transform(self.inputs_.transform(features))
        model = LogisticRegression(C=self.regularisation, solver="newton-cholesky", tol=1e-8).fit(matrix, churned)
        # a threaded matrix product varies in its last digits; scores must not
        self.weights_ = model.coef_[0].round(9)
        owners, indicators = self.inputs_.owners_, self.columns_[0].indicator_.features_
        straight, bent = len(owners) + len(indicators), owners[: self.inputs_.bent_count_]
        bent = np.repeat(bent, (matrix.shape[1] - straight) // max(1, len(bent)))
        self.owners_ = np.concatenate([owners, owners[indicators], bent]).astype(np.int64)
        return self

    def _columns(self) -> Pipeline:
        imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
        if not self.knots:
            return make_pipeline(imputer, StandardScaler())
        return make_pipeline(imputer, Hinges(columns=self.inputs_.bent_count_, knots=self.knots), StandardScaler())

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """What the model looks at, in plain units, a row per customer."""
        found: pl.DataFrame = self.inputs_.values(features)
        return found

    def terms(self, features: pl.DataFrame, *, is_exact: bool = True) -> Array:  # noqa: ARG002 - always exact
        """Log-odds against the average training customer, shape (customers, features).

        The terms of a feature's categories, indicator and splines are added up. No matrix product: its last digit would
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


class Hinges(TransformerMixin, BaseEstimator):
    """A matrix and beside it, for each of its first `columns`, the part above each of `knots` quantiles.

    Linear splines: in a ridge regression a line that may bend there, straight again beyond the values that it was
    fitted on, where totals of a growing history soon lie. Plain arrays, which any version of a model file can hold.
    """

    def __init__(self, *, columns: int, knots: int) -> None:
        self.columns = columns
        self.knots = knots

    def fit(self, matrix: Array, churned: Array | None = None) -> Self:  # noqa: ARG002 - scikit-learn's shape
        """Learn the quantiles, shape (knots, columns)."""
        shares = np.arange(1, self.knots + 1) / (self.knots + 1)
        self.knots_ = np.quantile(matrix[:, : self.columns], shares, axis=0)
        self.lowest_, self.highest_ = np.quantile(matrix[:, : self.columns], (0.01, 0.99), axis=0)
        return self

    def transform(self, matrix: Array) -> Array:
        """Shape (rows, all columns + columns x knots), by column and then by knot."""
        seen = np.clip(matrix[:, : self.columns], self.lowest_, self.highest_)
        above = np.maximum(seen[:, :, None] - self.knots_.T, 0)
        return np.hstack([matrix, above.reshape(len(matrix), -1)])
