"""How far scores have moved since a model began to serve. Whether that was right is graded in `ml.outcomes`."""

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

BINS: Final = 10


def population_stability_index(first: Array, now: Array) -> float:
    """The population stability index of two samples of one score, over tenths of the first (Siddiqi 2006, ch. 8).

    0: the same distribution; customarily, above 0.1 worth a look and above 0.25 another population. Half a score is
    added to every bin, so that an empty one does not make it infinite; NaN where a sample has none.
    """
    if not len(first) or not len(now):
        return float("nan")
    edges: Array = np.unique(np.quantile(first, np.linspace(0, 1, BINS + 1)[1:-1])).astype(np.float64)
    then_share, now_share = (_shares(sample, edges) for sample in (first, now))
    return float(((now_share - then_share) * np.log(now_share / then_share)).sum())


def _shares(sample: Array, edges: Array) -> Array:
    counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(edges) + 1)
    return np.asarray((counts + 0.5) / (len(sample) + 0.5 * (len(edges) + 1)), dtype=np.float64)
