"""What churn models look at where customers have contracts: numbers and categories as the matrix that is fitted.

A feature may take several columns of the matrix; its terms are added up again, so that it stays one reason. Which
columns a contract has is decided in `ml.contracts`; fitting belongs to the candidates.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin

from ml.mixed_columns import is_number, levels, numbers, texts
from ml.schemas import CONTRACT_LABELS

Array = npt.NDArray[np.float64]


class ContractInputs(TransformerMixin, BaseEstimator):
    """Any table of contracts to numbers, each on a line and a curve, and to one column for each common category.

    Numbers, booleans, and texts that are numbers with more than MAXIMUM_LEVELS values are numbers; other texts are
    categories, of which a missing one is one more. An unknown or rare category has no column and weighs nothing. A text
    without two common values, such as a name, is no feature.
    """

    def fit(self, features: pl.DataFrame, churned: Array | None = None) -> Self:  # noqa: ARG002 - scikit-learn's shape
        """Decide what each column is, and remember the categories that are common enough."""
        self.levels_: dict[str, list[str]] = {}
        self.numbers_: list[str] = []
        for series in features.drop("as_of_date", "customer_id", *CONTRACT_LABELS, strict=False):
            if is_number(series):
                self.numbers_.append(series.name)
                continue
            common = levels(series)
            if len(common) > 1:
                self.levels_[series.name] = common
        self.names_ = [*self.numbers_, *self.levels_]
        widths = [1] * len(self.numbers_) + [len(common) for common in self.levels_.values()]
        self.owners_ = np.repeat(np.arange(len(self.names_)), widths)
        self.bent_count_ = len(self.numbers_)
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """Numbers in plain units, one column a feature; null where undefined, and for every category."""
        plain = [numbers(features[name]).alias(name) for name in self.numbers_]
        nothing = [pl.Series(name, [None] * features.height, dtype=pl.Float64) for name in self.levels_]
        return pl.DataFrame([*plain, *nothing])

    def transform(self, features: pl.DataFrame) -> Array:
        """Shape (customers, columns): signed logs of 1 + size of numbers, NaN where undefined, then categories."""
        curved = [
            numbers(features[name]).to_frame().select(pl.all().sign() * pl.all().abs().log1p()).to_series()
            for name in self.numbers_
        ]
        columns = [number.fill_null(np.nan).to_numpy() for number in curved]
        for name, common in self.levels_.items():
            found = texts(features[name])
            columns += [(found == level).cast(pl.Float64).to_numpy() for level in common]
        return np.column_stack(columns) if columns else np.zeros((features.height, 0))
