"""Purchase histories as the estimators of this package take them: checked, and in an order of their own.

What counts as a purchase does not belong here.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

_MIXER: Final = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no digit is lost
_HALF: Final = np.uint64(32)


class Histories(NamedTuple):
    """Each history that occurs, in an order of its own, and how many customers have it."""

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
    time_bits, count_bits = int(T.max()).bit_length(), int(x.max()).bit_length()
    is_whole = 2 * time_bits + count_bits < 63 and all((part == np.floor(part)).all() for part in (T, t_x, x))
    if is_whole:
        keys = x.astype(np.int64)
        for part in (t_x, T):
            keys <<= time_bits
            keys += part.astype(np.int64)
        keys.sort()
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        keys, lowest = keys[first], (1 << time_bits) - 1
        parts = (keys >> 2 * time_bits, keys >> time_bits & lowest, keys & lowest)
        x, t_x, T = (part.astype(np.float64) for part in parts)
    else:
        order, first = _mixed_order(x, t_x, T)
        x, t_x, T = x[order], t_x[order], T[order]
    return Histories(x, t_x, T, np.diff(first, append=len(X)).astype(np.float64))


def _mixed_order(x: Array, t_x: Array, T: Array) -> tuple[Rows, Rows]:
    """The rows where each history stands once, in an order that depends on histories only, and its first ranks.

    Rows are sorted by one number each, which is quicker than by three. That number mixes the digits of a row;
    should two different rows share it, all three columns decide.
    """
    mixed = np.zeros(len(T), dtype=np.uint64)
    for part in (T, t_x, x):
        mixed ^= mixed >> _HALF
        mixed += (part + 0.0).view(np.uint64)  # + 0.0, as -0.0 is the same time
        mixed *= _MIXER
    order = np.argsort(mixed)
    mixed = mixed[order]
    differs = mixed[1:] != mixed[:-1]
    same = np.flatnonzero(~differs)
    one, other = order[same], order[same + 1]
    if not all((part[one] == part[other]).all() for part in (x, t_x, T)):
        order = np.lexsort((T, t_x, x))
        differs = np.any([np.diff(part[order]) != 0 for part in (x, t_x, T)], axis=0)
    first = np.flatnonzero(np.concatenate([[True], differs]))
    return order[first], first


def _checked(X: Any, *, model: str) -> tuple[Array, Array, Array]:
    x, t_x, T = map(np.ascontiguousarray, columns(X))
    if len(x) == 0:
        raise ValueError(f"{model} needs at least one customer")
    if not ((x >= 0) & (t_x >= 0) & (t_x <= T) & (T + x < np.inf)).all():
        raise ValueError(f"{model} needs x >= 0 and 0 <= t_x <= T for every customer, and no missing value")
    return x, t_x, T
