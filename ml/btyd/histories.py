"""Purchase histories as the estimators of this package take them: checked, and in an order of their own.

What counts as a purchase does not belong here.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


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
    x, t_x, T = columns(X)
    if len(x) == 0:
        raise ValueError(f"{model} needs at least one customer")
    if not ((x >= 0) & (t_x >= 0) & (t_x <= T)).all():
        raise ValueError(f"{model} needs x >= 0 and 0 <= t_x <= T for every customer, and no missing value")
    order = np.lexsort((T, t_x, x))  # float sums must not depend on the order of rows
    return x[order], t_x[order], T[order]
