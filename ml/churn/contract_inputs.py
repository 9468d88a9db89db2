"""What churn models look at where customers have contracts: numbers and categories as the matrix that is fitted.

A feature may take several columns of the matrix; its terms are added up again, so that it stays one reason. Which
columns a contract has is decided in `ml.contracts`; fitting belongs to the candidates.
"""

from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin

from ml.schemas import CONTRACT_LABELS

Array = npt.NDArray[np.float64]

MAXIMUM_LEVELS: Final = 20
RAREST_LEVEL: Final = 20
"""Rows of a category in training; fewer teach nothing, and such a category counts as an unknown one."""


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
            if _is_number(series):
                self.numbers_.append(series.name)
                continue
            levels = _levels(series)
            if len(levels) > 1:
                self.levels_[series.name] = levels
        self.names_ = [*self.numbers_, *self.levels_]
        widths = [1] * len(self.numbers_) + [len(levels) for levels in self.levels_.values()]
        self.owners_ = np.repeat(np.arange(len(self.names_)), widths)
        self.bent_count_ = len(self.numbers_)
        return self

    def values(self, features: pl.DataFrame) -> pl.DataFrame:
        """Numbers in plain units, one column a feature; null where undefined, and for every category."""
        numbers = [_numbers(features[name]).alias(name) for name in self.numbers_]
        nothing = [pl.Series(name, [None] * features.height, dtype=pl.Float64) for name in self.levels_]
        return pl.DataFrame([*numbers, *nothing])

    def transform(self, features: pl.DataFrame) -> Array:
        """Shape (customers, columns): signed logs of 1 + size of numbers, NaN where undefined, then categories."""
        numbers = [
            _numbers(features[name]).to_frame().select(pl.all().sign() * pl.all().abs().log1p()).to_series()
            for name in self.numbers_
        ]
        columns = [number.fill_null(np.nan).to_numpy() for number in numbers]
        for name, levels in self.levels_.items():
            found = _texts(features[name])
            columns += [(found == level).cast(pl.Float64).to_numpy() for level in levels]
        return np.column_stack(columns) if columns else np.zeros((features.height, 0))


def _texts(series: pl.Series) -> pl.Series:
    return series.cast(pl.String).str.strip_chars().fill_null("")


def _numbers(series: pl.Series) -> pl.Series:
    if series.dtype == pl.String:
        series = series.str.strip_chars()
    return series.cast(pl.Float64, strict=False).fill_nan(None)


def _is_number(series: pl.Series) -> bool:
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return True
    if series.dtype != pl.String:
        return False
    given = _texts(series).replace("", None).drop_nulls()
    return given.n_unique() > MAXIMUM_LEVELS and _numbers(given).null_count() == 0


def _levels(series: pl.Series) -> list[str]:
    texts = _texts(series)
    counts = texts.value_counts(name="count").filter(pl.col("count") >= RAREST_LEVEL)
    common = counts.sort("count", texts.name, descending=[True, False]).head(MAXIMUM_LEVELS)
    return sorted(common[texts.name].to_list())
