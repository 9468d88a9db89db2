"""How well a ranking finds whom a contact changes, on customers that no fit has seen: Qini, and uplift of the first.

Every ranking is measured on the same resamples of customers, so that two of them are compared on one and the same draw.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ml.evaluation import Interval

Array = npt.NDArray[np.float64]

REPLICATES: Final = 400
TAIL: Final = 0.025  # below and above a 95 % interval
SHARES: Final = (0.1, 0.2, 0.3, 0.5)
QINI: Final = "qini"
METRICS: Final = (QINI, *(f"uplift_at_{round(share * 100)}" for share in SHARES))


class Ranking:
    """Customers of both sides by a score, best first; those of equal score enter together."""

    def __init__(self, treated: Array, outcome: Array, score: Array) -> None:
        order = np.argsort(-score, kind="stable")
        self._order, self._treated, self._outcome = order, treated[order], outcome[order]
        self._ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))

    def curve(self, weights: Array | None = None) -> tuple[Array, Array]:
        """Share of all customers and gain up to each score, from 0 to 1 and from 0 to the average effect.

        The Qini curve of Radcliffe (2007), Using control groups to target on predicted lift, DMA Analytics Journal: the
        outcome of those contacted less that of as many controls, here for each customer contacted at all.
        """
        share, many, few, theirs, others = self._sums(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where(few > 0, theirs - others * many / few, 0.0) / many[-1]
        return share, gain

    def measure(self, weights: Array | None = None) -> Array:
        """METRICS in order: the area between curve and straight line, which a random order has, and the uplift of the
        first 10, 20, 30 and 50 % of customers; in units of the outcome per customer contacted.
        """
        share, many, few, theirs, others = self._sums(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.where(few > 0, theirs - others * many / few, 0.0) / many[-1]
            heads = [
                np.interp(part, share, theirs) / np.interp(part, share, many)
                - np.interp(part, share, others) / np.interp(part, share, few)
                for part in SHARES
            ]
        area = float(((gain[1:] + gain[:-1]) / 2 * np.diff(share)).sum()) - gain[-1] / 2
        return np.array([area, *heads])

    def _sums(self, weights: Array | None) -> tuple[Array, ...]:
        """Up to each score: share of everybody, customers and outcome of those contacted and of controls."""
        weight = np.ones(len(self._order)) if weights is None else weights[self._order]
        ours, value = weight * self._treated, weight * self._outcome
        value_ours = value * self._treated
        many, few, theirs, others = (
            np.append(0.0, np.cumsum(part)[self._ends])
            for part in (ours, weight - ours, value_ours, value - value_ours)
        )
        return (many + few) / (many[-1] + few[-1]), many, few, theirs, others


@dataclass(frozen=True)
class Graded:
    """METRICS of every ranking, and on resampled customers, shape (replicates, metrics)."""

    values: Mapping[str, Array]
    replicates: Mapping[str, Array]

    def interval(self, name: str, metric: str) -> Interval:
        """A metric of a ranking with its 95 % interval."""
        place = METRICS.index(metric)
        return _interval(self.values[name][place], self.replicates[name][:, place])

    def difference(self, name: str, other: str, metric: str, *, looked_at: int = 1) -> Interval:
        """By how much a metric of a ranking is above that of another, with its 95 % interval.

        Wider where so many rankings are looked at, so that all intervals at once hold 95 times of 100 (Bonferroni).
        """
        place = METRICS.index(metric)
        drawn = self.replicates[name][:, place] - self.replicates[other][:, place]
        return _interval(self.values[name][place] - self.values[other][place], drawn, tail=TAIL / looked_at)


def grade(treated: Array, outcome: Array, scores: Mapping[str, Array], *, seed: int) -> Graded:
    """METRICS of rankings of the same customers, a number a customer each, and of REPLICATES resamples of them."""
    random, count = np.random.default_rng(seed), len(treated)
    rankings = {name: Ranking(treated, outcome, score) for name, score in scores.items()}
    drawn: dict[str, list[Array]] = {name: [] for name in scores}
    for _ in range(REPLICATES):
        weights = np.bincount(random.integers(0, count, count), minlength=count).astype(np.float64)
        for name, ranking in rankings.items():
            drawn[name].append(ranking.measure(weights))
    values = {name: ranking.measure() for name, ranking in rankings.items()}
    return Graded(values, {name: np.array(found) for name, found in drawn.items()})


def _interval(value: float, drawn: Array, *, tail: float = TAIL) -> Interval:
    known = drawn[np.isfinite(drawn)]
    lower, upper = np.quantile(known, (tail, 1 - tail)) if len(known) else (np.nan, np.nan)
    return Interval(float(value), float(lower), float(upper))


def held_slope(treated: Array, outcome: Array, score: Array) -> float:
    """How much of the differences between scores held, 0 to 1: the slope of the effect on the score.

    The best linear predictor of Chernozhukov, Demirer, Duflo and Fernández-Val (2018), Generic machine learning
    inference on heterogeneous treatment effects, NBER 24678. Below 0 it is 0, for what came out the other way round is
    no effect; so it is where the score does not vary.
    """
    share, around = treated.mean(), score - score.mean()
    spread = float((around**2).sum())
    if spread <= 1e-18 * float((score**2).sum()):  # rounding, not a difference
        return 0.0
    means = np.where(treated == 1, outcome[treated == 1].mean(), outcome[treated == 0].mean())
    effects = (outcome - means) * (treated - share) / (share * (1 - share))
    return float(np.clip((effects * around).sum() / spread, 0.0, 1.0))
