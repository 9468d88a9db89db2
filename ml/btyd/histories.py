"""Purchase histories as the estimators of this package take them: checked, and in an order of their own.

What counts as a purchase does not belong here.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_LARGEST_KEY: Final = 2.0**62


class Histories(NamedTuple):
    """Each history that occurs, in order of x, t_x and T, and how many customers have it."""

    x: Array
    t_x: Array
    T: Array
    customers: Array

    def sample(self, size: int) -> "Histories":
        """Every so many-th customer in that order, `size` of them, which spreads them over all kinds."""
        upto = np.cumsum(self.customers)
        ranks = (np.arange(size) + 0.5) * (upto[-1] / size)
        rows, count = np.unique(np.searchsorted(upto, ranks), return_counts=True)
        return Histories(self.x[rows], self.t_x[rows], self.T[rows], count.astype(np.float64))


def columns(X: Any) -> tuple[Array, Array, Array]:
    """x (repeat purchases), t_x (time of the last one) and T (time observed), each of shape (customers,).

    Further columns of X are for other models and left alone.
    """
    x, t_x, T = np.asarray(X, dtype=np.float64)[:, :3].T
    return x, t_x, T


def sorted_columns(X: Any, *, model: str) -> tuple[Array, Array, Array]:
    """The same three columns with the rows sorted, for sums over customers.

    Raises:
        ValueError: X has no rows, a missing value, or not 0 <= t_x <= T; the text names the `model`.
    """
    x, t_x, T = _checked(X, model=model)
    order = np.lexsort((T, t_x, x))  # float sums must not depend on the order of rows
    return x[order], t_x[order], T[order]


def distinct_histories(X: Any, *, model: str) -> Histories:
    """The same rows, each history once. Whole days, the common case, are one number each and so quickly sorted.

    Raises:
        ValueError: as `sorted_columns`.
    """
    x, t_x, T = _checked(X, model=model)
    base = T.max() + 1
    if (x.max() + 1) * base * base < _LARGEST_KEY and all((part == np.floor(part)).all() for part in (x, t_x, T)):
        keys = np.sort(((x * base + t_x).astype(np.int64)) * int(base) + T.astype(np.int64))
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        rest, last = np.divmod(keys[first], int(base))
        repeats, recency = np.divmod(rest, int(base))
        x, t_x, T = (part.astype(np.float64) for part in (repeats, recency, last))
    else:
        order = np.lexsort((T, t_x, x))
        x, t_x, T = x[order], t_x[order], T[order]
        changed = (np.diff(x) != 0) | (np.diff(t_x) != 0) | (np.diff(T) != 0)
        first = np.concatenate([[0], np.flatnonzero(changed) + 1])
        x, t_x, T = x[first], t_x[first], T[first]
    return Histories(x, t_x, T, np.diff(first, append=len(X)).astype(np.float64))


def _checked(X: Any, *, model: str) -> tuple[Array, Array, Array]:
    x, t_x, T = columns(X)
    if len(x) == 0:
        raise ValueError(f"{model} needs at least one customer")
    if not ((x >= 0) & (t_x >= 0) & (t_x <= T)).all():
        raise ValueError(f"{model} needs x >= 0 and 0 <= t_x <= T for every customer, and no missing value")
    return x, t_x, T
