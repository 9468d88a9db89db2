"""Predictions graded on the test cut-offs: every metric with a bootstrap interval over customers, and differences
paired over the same customers and cut-offs.

The metrics are in `ml.metrics`; who serves is decided in `ml.gate`; fitting belongs to the model families.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.metrics import Array, Metric
from ml.schemas import MODEL_EVALUATIONS, Schema, conform

REPLICATES: Final = 200
MAXIMUM_DRAW: Final = 10_000
_BLOCK: Final = 1_000_000  # weights at a time, so that memory stays bounded

EVALUATIONS: Final[Schema] = {name: kind for name, kind in MODEL_EVALUATIONS.items() if name != "model_version"}


class Interval(NamedTuple):
    """A value with its 95 % bootstrap interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Outcome:
    """What happened at one test cut-off: ids and outcomes, one a customer, in the order of the predictions."""

    cutoff: date
    customers: pl.Series
    actual: Array


class _Ordered(NamedTuple):
    """One test cut-off by prediction: outcomes and predictions of everyone, of those drawn, and these' weights."""

    everyone: tuple[Array, Array]
    drawn: tuple[Array, Array]
    weights: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """A metric at each cut-off, shape (cut-offs,), and on resampled customers, shape (cut-offs, replicates)."""

    values: Array
    replicates: Array
    scale: float

    def __sub__(self, other: Self) -> "Measured":
        return Measured(self.values - other.values, self.replicates - other.replicates, self.scale)

    @property
    def intervals(self) -> list[Interval]:
        """The metric at each cut-off."""
        return [self._interval(value, found) for value, found in zip(self.values, self.replicates, strict=True)]

    @property
    def mean(self) -> Interval:
        """The metric over all cut-offs, each counting alike; those where it is undefined do not count."""
        known = ~np.isnan(self.values)
        if not known.any():
            return Interval(np.nan, np.nan, np.nan)
        replicates = np.ma.masked_invalid(self.replicates[known]).mean(axis=0)
        return self._interval(float(self.values[known].mean()), replicates.filled(np.nan))

    def _interval(self, value: float, replicates: Array) -> Interval:
        if np.isnan(value) or np.isnan(replicates).all():
            return Interval(value, np.nan, np.nan)
        lower, upper = np.nanquantile(replicates, (0.025, 0.975))
        return Interval(
            float(value), float(value + (lower - value) * self.scale), float(value + (upper - value) * self.scale)
        )


class Holdouts:
    """Outcomes at one or more test cut-offs, and the resamples of customers by which everything there is measured.

    A resampled customer enters with all cut-offs, so that neighbouring ones do not count as independent. Above
    MAXIMUM_DRAW customers the spread is found on that many of them and scaled by the root of the ratio, so that a
    million customers cost no more than ten thousand.
    """

    def __init__(self, outcomes: Sequence[Outcome], *, seed: int, replicates: int = REPLICATES) -> None:
        self.outcomes = tuple(outcomes)
        ids = pl.concat([outcome.customers for outcome in outcomes]) if outcomes else pl.Series(dtype=pl.String)
        found, places = np.unique(ids.to_numpy(), return_inverse=True)
        random = np.random.default_rng(seed)
        drawn = min(len(found), MAXIMUM_DRAW)
        chosen = np.sort(random.permutation(len(found))[:drawn])
        position = np.full(len(found), -1)
        position[chosen] = np.arange(drawn)
        counts = np.zeros((replicates, drawn), dtype=np.float32)
        for replicate in counts:
            replicate[:] = np.bincount(random.integers(0, drawn, drawn), minlength=drawn)
        self._scale = float(np.sqrt(drawn / max(1, len(found))))
        self._rows: list[npt.NDArray[np.int64]] = []
        self._weights: list[npt.NDArray[np.float32]] = []
        ends = np.cumsum([0, *(len(outcome.actual) for outcome in self.outcomes)])
        for first, last in pairwise(ends):
            place = position[places[first:last]]
            self._rows.append(np.flatnonzero(place >= 0))
            self._weights.append(counts[:, place[place >= 0]])

    def measure(
        self, metric: Metric, predictions: Sequence[Array], *, actuals: Sequence[Array] | None = None
    ) -> Measured:
        """The metric of predictions given for each cut-off in turn.

        `actuals` are other outcomes of the same customers, such as "the interval held what happened".
        """
        return self._measured(metric, self._ordered(predictions, actuals))

    def _ordered(self, predictions: Sequence[Array], actuals: Sequence[Array] | None) -> list[_Ordered]:
        """Everything in order of prediction, once for all metrics."""
        found = []
        for number, (rows, weights) in enumerate(zip(self._rows, self._weights, strict=True)):
            actual, predicted = (actuals or [outcome.actual for outcome in self.outcomes])[number], predictions[number]
            everyone = np.argsort(predicted, kind="stable")
            drawn = np.argsort(predicted[rows], kind="stable")
            found.append(
                _Ordered(
                    (actual[everyone], predicted[everyone]),
                    (actual[rows[drawn]], predicted[rows[drawn]]),
                    weights.take(drawn, axis=1),
                )
            )
        return found

    def _measured(self, metric: Metric, ordered: Sequence[_Ordered]) -> Measured:
        values, spreads = [], []
        for everyone, drawn, weights in ordered:
            values.append(metric(*everyone))
            size = max(1, _BLOCK // max(1, weights.shape[1]))
            blocks = (weights[first : first + size] for first in range(0, len(weights), size))
            spreads.append(np.concatenate([metric(*drawn, block) for block in blocks]))
        return Measured(np.array(values, dtype=np.float64), np.array(spreads, dtype=np.float64), self._scale)

    def table(
        self, metrics: Mapping[str, Metric], predictions: Sequence[Array], *, actuals: Sequence[Array] | None = None
    ) -> pl.DataFrame:
        """One row per cut-off x metric, with its interval and count of customers; null where undefined."""
        ordered = self._ordered(predictions, actuals)
        rows = [
            (outcome.cutoff, name, *interval, len(outcome.actual))
            for name, metric in metrics.items()
            for outcome, interval in zip(self.outcomes, self._measured(metric, ordered).intervals, strict=True)
        ]
        frame = pl.DataFrame(rows, schema={name: MODEL_EVALUATIONS[name] for name in _COLUMNS}, orient="row")
        return frame.with_columns(pl.col("value", "lower", "upper").fill_nan(None))


_COLUMNS: Final = ("cutoff_date", "metric", "value", "lower", "upper", "customer_count")


def as_evaluations(frame: pl.DataFrame, *, model: str, candidate: str, horizon_days: int) -> pl.DataFrame:
    """EVALUATIONS of one candidate from rows of `Holdouts.table`."""
    named = frame.with_columns(
        model=pl.lit(model), candidate=pl.lit(candidate), horizon_days=pl.lit(horizon_days, pl.Int64)
    )
    return conform(named, EVALUATIONS)


TESTED: Final[Schema] = {"customer_id": pl.String, "predicted": pl.Float64, "actual": pl.Float64}
"""Grain: customer at one test cut-off."""


def tested_frame(outcome: Outcome, predicted: Array) -> pl.DataFrame:
    """TESTED: what one candidate had predicted at a cut-off beside what happened."""
    return pl.DataFrame(
        {"customer_id": outcome.customers, "predicted": predicted, "actual": outcome.actual}, schema=TESTED
    )
