"""Which past days models are fitted, calibrated and tested on, and the labelled snapshots of those days.

Everything fitted for a test uses only labels that had matured by the test cut-off. An earlier test is the
same plan with an earlier `as_of`. What is fitted belongs to the model families, its grades to `evaluation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ml.features import build_features
from ml.labels import label_outcomes
from ml.schemas import CUSTOMER_FEATURES, LABELS, conform, empty

SNAPSHOTS = CUSTOMER_FEATURES | LABELS
"""Grain: customer x as_of_date."""


@dataclass(frozen=True)
class Cutoffs:
    """Past days one horizon apart: a test, the calibration before it, training before that, latest first."""

    test: date
    calibration: date
    training: tuple[date, ...]

    @property
    def serving_calibration(self) -> date:
        """Where the serving model is calibrated: the latest day whose labels have matured."""
        return self.test

    @property
    def serving_training(self) -> tuple[date, ...]:
        """Where the serving model is trained: the same ladder one step later, latest first."""
        return (self.calibration, *self.training)

    @property
    def all(self) -> tuple[date, ...]:
        """Every cut-off, earliest first: the snapshots that both the test and the serving model need."""
        return tuple(sorted((self.test, self.calibration, *self.training)))


def plan_cutoffs(
    *,
    first_date: date,
    as_of: date,
    horizon_days: int,
    minimum_history_days: int,
    maximum_training: int,
    minimum_training: int = 1,
) -> Cutoffs | None:
    """The cut-offs `as_of` - k x `horizon_days`: k = 1 tests, 2 calibrates, 3 and up train.

    Each lies `minimum_history_days` or more after `first_date`, the first transaction; None when that leaves
    fewer than `minimum_training` days to train on. At most `maximum_training` days train the tested model.
    """
    reach = ((as_of - first_date).days - minimum_history_days) // horizon_days
    steps = range(1, min(reach, maximum_training + 2) + 1)
    if len(steps) < 2 + minimum_training:
        return None
    test, calibration, *training = (as_of - timedelta(days=step * horizon_days) for step in steps)
    return Cutoffs(test=test, calibration=calibration, training=tuple(training))


def build_snapshots(
    transactions: pl.DataFrame,
    *,
    cutoffs: Sequence[date],
    horizon_days: int,
    active_window_days: int | None = None,
) -> pl.DataFrame:
    """SNAPSHOTS of one bucket of customers at each cut-off, sorted by as_of_date and customer_id.

    With `active_window_days` only eligible customers stay: those who bought in that many days up to and
    including the cut-off. A snapshot is worth learning from once its horizon has passed; see `plan_cutoffs`.

    Raises:
        polars.exceptions.ColumnNotFoundError: a column of TRANSACTIONS is missing.
    """
    snapshots = [empty(SNAPSHOTS)]
    for cutoff in sorted(set(cutoffs)):
        features = build_features(transactions, as_of=cutoff)
        if active_window_days is not None:
            features = features.filter(pl.col("recency_days") < active_window_days)
        labels = label_outcomes(transactions, as_of=cutoff, horizon_days=horizon_days)
        snapshot = features.join(labels, on="customer_id", maintain_order="left")
        snapshots.append(conform(snapshot, SNAPSHOTS))
    return pl.concat(snapshots)
