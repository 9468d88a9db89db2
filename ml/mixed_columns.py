"""Columns of any table as numbers or as categories: which they are, and how each is read.

What a model makes of them belongs to the model.
"""

from typing import Final

import polars as pl

MAXIMUM_LEVELS: Final = 20
RAREST_LEVEL: Final = 20
"""Rows of a category in training; fewer teach nothing, and such a category counts as an unknown one."""


def texts(series: pl.Series) -> pl.Series:
    """As categories: without spaces around, and empty where missing."""
    return series.cast(pl.String).str.strip_chars().fill_null("")


def numbers(series: pl.Series) -> pl.Series:
    """As numbers, null where it is none."""
    if series.dtype == pl.String:
        series = series.str.strip_chars()
    return series.cast(pl.Float64, strict=False).fill_nan(None)


def is_number(series: pl.Series) -> bool:
    """Whether a column is one: numbers, truths, and texts that are all numbers with more than MAXIMUM_LEVELS values."""
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return True
    if series.dtype != pl.String:
        return False
    given = texts(series).replace("", None).drop_nulls()
    return given.n_unique() > MAXIMUM_LEVELS and numbers(given).null_count() == 0


def levels(series: pl.Series) -> list[str]:
    """The categories of a column with RAREST_LEVEL rows or more, sorted; of many the MAXIMUM_LEVELS most common."""
    found = texts(series)
    counts = found.value_counts(name="count").filter(pl.col("count") >= RAREST_LEVEL)
    common = counts.sort("count", found.name, descending=[True, False]).head(MAXIMUM_LEVELS)
    return sorted(common[found.name].to_list())
