"""What models of campaigns look at: any numbers and categories known before, as the matrix that is fitted."""

from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator

from ml.campaigns.contacts import CONTACTS
from ml.mixed_columns import is_number, levels, numbers, texts

Array = npt.NDArray[np.float64]


class Inputs(BaseEstimator):
    """Numbers on a logarithmic scale, with what is missing at the median and marked; a column for each common category.

    Every column has mean 0 and deviation 1 in training; one that does not vary there is left out. Names and days are no
    inputs.
    """

    def fit(self, known: pl.DataFrame) -> Self:
        """Decide what each column is, and remember medians, categories and scales."""
        left_out = {*CONTACTS} - {"campaign_kind"}
        columns = [series for series in known if series.name not in left_out and series.dtype != pl.Date]
        self.numbers_ = [series.name for series in columns if is_number(series)]
        found = {series.name: levels(series) for series in columns if series.name not in self.numbers_}
        self.levels_ = {name: common for name, common in found.items() if len(common) > 1}
        self.medians_ = [_or_zero(_curved(known[name]).median()) for name in self.numbers_]
        plain = self._plain(known)
        deviations = plain.std(axis=0) if len(plain) else np.zeros(plain.shape[1])
        self.kept_ = np.flatnonzero(deviations > 1e-9)
        self.means_, self.scales_ = plain.mean(axis=0)[self.kept_].round(9), deviations[self.kept_].round(9)
        return self

    def transform(self, known: pl.DataFrame) -> Array:
        """Shape (rows, columns)."""
        found: Array = (self._plain(known)[:, self.kept_] - self.means_) / self.scales_
        return found

    def _plain(self, known: pl.DataFrame) -> Array:
        columns = []
        for name, median in zip(self.numbers_, self.medians_, strict=True):
            curved = _curved(known[name])
            columns += [curved.fill_null(median).to_numpy(), curved.is_null().cast(pl.Float64).to_numpy()]
        for name, common in self.levels_.items():
            found = texts(known[name])
            columns += [(found == level).cast(pl.Float64).to_numpy() for level in common]
        return np.column_stack(columns) if columns else np.zeros((known.height, 0))


def _curved(series: pl.Series) -> pl.Series:
    return numbers(series).to_frame("x").select(pl.col("x").sign() * pl.col("x").abs().log1p()).to_series()


def _or_zero(median: object) -> float:
    return round(float(median), 9) if isinstance(median, int | float) else 0.0
