"""How good a list of recommendations was, as metrics of a customer's hits that the bootstrap and the gate understand.

For each customer `actual` is how many items they bought, and `hits` says which places of the list held one of them: a
number whose lowest bit is the first place. So every metric of lists is a metric of two numbers a customer.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ml.gate import Criteria
from ml.metrics import Array, Metric, weighted, weighted_mean

LENGTH: Final = 10


def as_hits(is_hit: npt.NDArray[np.bool_]) -> Array:
    """Hits from customers x places (first place first)."""
    return np.asarray(is_hit @ (2.0 ** np.arange(is_hit.shape[1])))


def _places(hits: Array) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (hits.astype(np.int64)[:, None] >> np.arange(LENGTH)) & 1 == 1
    return found


def recalls(actual: Array, hits: Array) -> Array:
    """Of what each customer bought, the share that was on the list."""
    return np.asarray(_places(hits).sum(axis=1) / actual)


def gains(actual: Array, hits: Array) -> Array:
    """NDCG of each customer's list: hits count less the later they come (Jaervelin and Kekaelaeinen 2002)."""
    discounts = 1 / np.log2(np.arange(2, LENGTH + 2))
    best = discounts.cumsum()[np.minimum(actual, LENGTH).astype(np.int64) - 1]
    return np.asarray((_places(hits) * discounts).sum(axis=1) / best)


@weighted
def recall_at_10(actual: Array, hits: Array, weights: Array) -> Array:
    """Mean over customers who bought something of the share of it that was among the first ten."""
    return weighted_mean(recalls(actual, hits), weights)


@weighted
def ndcg_at_10(actual: Array, hits: Array, weights: Array) -> Array:
    """Mean NDCG of the first ten."""
    return weighted_mean(gains(actual, hits), weights)


@weighted
def ndcg_loss_at_10(actual: Array, hits: Array, weights: Array) -> Array:
    """What is missing of an NDCG of 1."""
    return 1 - weighted_mean(gains(actual, hits), weights)


@weighted
def success_at_10(actual: Array, hits: Array, weights: Array) -> Array:  # noqa: ARG001 - the shape of every metric
    """Share of customers who bought something of the first ten."""
    return weighted_mean((hits > 0).astype(np.float64), weights)


METRICS: Final[dict[str, Metric]] = {
    "recall_at_10": recall_at_10,
    "ndcg_at_10": ndcg_at_10,
    "ndcg_loss_at_10": ndcg_loss_at_10,
    "success_at_10": success_at_10,
}

CRITERIA: Final = Criteria(
    "recall at 10",
    recall_at_10,
    "1 - NDCG at 10",
    ndcg_loss_at_10,
    # a list of which not one customer in a hundred takes anything is no recommendation
    "success at 10",
    success_at_10,
    (0.01, 1.0),
    must_win_rank=True,
)
