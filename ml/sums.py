"""Sums whose last digit does not depend on how many rows are worked out together, as a matrix product's does."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def row_sums(terms: Array) -> Array:
    """Sum of each row, column by column."""
    total = np.zeros(len(terms))
    for column in terms.T:
        total = total + column
    return total
