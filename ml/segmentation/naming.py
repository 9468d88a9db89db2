"""Names of clusters: the ones they had, where they are the same people as before, else what sets them apart."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import linear_sum_assignment

from ml.segmentation.behaviour_measures import WORDS

VERY: Final = 1.5
"""Standard deviations from the average from which a word is strengthened."""

SAME: Final = 0.5
"""Jaccard index of old and new members from which a segment goes on under its name."""


def continued(
    labels: pl.Series, centres: npt.NDArray[np.float64], measures: Sequence[str], before: pl.Series | None
) -> list[str]:
    """A name for each cluster, in their order, no two the same.

    `labels` and `before` are the clusters and the former segments of the same customers; clusters and segments are
    matched so that as many customers as possible keep their name (optimal assignment). A match that shares less than
    half of its people is none: the cluster is named anew, and not by a name that was in use.
    """
    names: dict[int, str] = {}
    if before is not None and len(labels):
        old = sorted(before.unique())
        shared = np.array([[((labels == new) & (before == name)).sum() for name in old] for new in range(len(centres))])
        sizes = np.array([(labels == new).sum() for new in range(len(centres))])
        former = np.array([(before == name).sum() for name in old])
        for new, place in zip(*linear_sum_assignment(-shared), strict=True):
            if shared[new, place] / (sizes[new] + former[place] - shared[new, place]) >= SAME:
                names[int(new)] = old[place]
    taken = set() if before is None else set(before.unique())
    for new, centre in enumerate(centres):
        if new not in names:
            names[new] = _free(centre, measures, taken)
            taken.add(names[new])
    return [names[new] for new in range(len(centres))]


def _free(centre: npt.NDArray[np.float64], measures: Sequence[str], taken: set[str]) -> str:
    """The words of the two strongest measures of a centre, in the measures' order; more of them where that is taken."""
    strongest = sorted(range(len(measures)), key=lambda place: (-abs(centre[place]), measures[place]))
    name = "everyone"
    for length in range(min(2, len(measures)), len(measures) + 1):
        name = "_".join(_word(measures[place], centre[place]) for place in sorted(strongest[:length]))
        if name not in taken:
            return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _word(measure: str, distance: float) -> str:
    return ("very_" if abs(distance) >= VERY else "") + WORDS[measure][0 if distance > 0 else 1]
