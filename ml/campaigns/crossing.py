"""Predictions of customers by models that never saw them: folds of whole customers, drawn by their ids alone."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.bool_]

FOLDS: Final = 5


def folds(customers: pl.Series, *, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each row, 0 to FOLDS - 1: all rows of a customer are in one, and folds are of about one size."""
    names, places = np.unique(customers.to_numpy(), return_inverse=True)
    found: npt.NDArray[np.int64] = np.random.default_rng(seed).permutation(len(names))[places] % FOLDS
    return found


def crossed(fold: npt.NDArray[np.int64], *, learn: Rows, ask: Rows, answer: Callable[[Rows, Rows], Array]) -> Array:
    """`answer(rows to learn from, rows asked about)` fold by fold; NaN where nobody asked.

    Of rows in `learn` those of a fold's own customers are left out.
    """
    found = np.full(len(fold), np.nan)
    for one in range(FOLDS):
        asked = ask & (fold == one)
        if asked.any():
            found[asked] = answer(learn & (fold != one), asked)
    return found
