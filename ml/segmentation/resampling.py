"""Whether segments come back: the same division made of customers drawn again, against the one that was made.

Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics and Data Analysis 52.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

REPLICATES: Final = 20
ENOUGH: Final = 6


@dataclass(frozen=True)
class Stability:
    """Mean adjusted Rand index over the replicates, its standard error, and of each segment the mean Jaccard index with
    its likest one.
    """

    rand: float
    error: float
    jaccards: dict[str, float]

    @property
    def weakest(self) -> float:
        """The Jaccard index of the segment that comes back least."""
        return min(self.jaccards.values(), default=0.0)


def stability(
    customers: pl.DataFrame,
    segments: pl.Series,
    divide: Callable[[pl.DataFrame, pl.DataFrame], pl.Series],
    *,
    seed: int,
    replicates: int = REPLICATES,
    least: float = -1.0,
) -> Stability:
    """How alike `segments` of the customers are to those that `divide(drawn, customers)` finds from customers drawn
    with replacement. Nobody, or one segment each time, is perfectly stable. Once it is clear that the Rand index is
    below `least`, no more are drawn.
    """
    random = np.random.default_rng(seed)
    names = sorted(segments.unique())
    truth = _numbered(segments)
    rands, jaccards = [], []
    for _ in range(replicates if customers.height else 0):
        drawn = customers[random.integers(0, customers.height, customers.height)]
        found = _numbered(divide(drawn, customers))
        rands.append(adjusted_rand_score(truth, found))
        jaccards.append(_jaccards(truth, found))
        if len(rands) >= ENOUGH and np.mean(rands) + 2 * _error(rands) < least:
            break
    if not rands:
        return Stability(1.0, 0.0, dict.fromkeys(names, 1.0))
    return Stability(
        float(np.mean(rands)), _error(rands), dict(zip(names, np.mean(jaccards, axis=0).tolist(), strict=True))
    )


def _error(rands: list[float]) -> float:
    return float(np.std(rands, ddof=1) / np.sqrt(len(rands))) if len(rands) > 1 else 0.0


def _numbered(segments: pl.Series) -> np.ndarray:
    """Numbers in the order of names, which are compared many times faster than texts."""
    numbers: np.ndarray = segments.rank("dense").to_numpy()
    return numbers


def _jaccards(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Of each true segment, by name, the Jaccard index with the found one that is likest."""
    shared = contingency_matrix(truth, found)
    either = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    best: np.ndarray = (shared / either).max(axis=1)
    return best
