"""Which past days models are fitted, calibrated and tested on, and the labelled snapshots of those days.

Everything fitted for a test uses only labels that had matured by the test cut-off; serving is the same with today in
the place of the test. What is fitted belongs to the model families, its grades to `evaluation`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from ml.features import build_features
from ml.labels import label_outcomes
from ml.schemas import CUSTOMER_FEATURES, LABELS, conform, empty

SNAPSHOTS = CUSTOMER_FEATURES | LABELS
"""Grain: customer x as_of_date."""

TESTS: Final = 3
_WEEK: Final = 7


@dataclass(frozen=True)
class Fold:
    """One model's days: trained on `training` (latest first, may be empty), calibrated, and used on `day`.

    The labels of `calibration` matured on `day`, those of `training` before that.
    """

    day: date
    calibration: date
    training: tuple[date, ...] = ()

    @property
    def learning(self) -> tuple[date, ...]:
        """Every cut-off whose labels this model sees."""
        return (self.calibration, *self.training)


@dataclass(frozen=True)
class Cutoffs:
    """The folds of the tests, latest first, and of the model that serves, whose day is `as_of`."""

    tests: tuple[Fold, ...]
    serving: Fold

    @property
    def all(self) -> tuple[date, ...]:
        """Every past cut-off, earliest first: the snapshots that the tests and the serving model need."""
        days = {day for fold in (*self.tests, self.serving) for day in fold.learning}
        return tuple(sorted(days | {fold.day for fold in self.tests}))


def plan_cutoffs(
    *,
    first_date: date,
    as_of: date,
    horizon_days: int,
    minimum_history_days: int,
    maximum_training: int,
    maximum_tests: int = TESTS,
) -> Cutoffs | None:
    """The tests that history allows, and what serves; None where it is shorter than twice the horizon.

    The latest test lies one horizon before `as_of`, the others each up to one horizon before that: in whole weeks
    closer together where history is short, as long as every test has a cut-off to train on, or failing that one to
    calibrate on. All lie `minimum_history_days` or more after `first_date`, the first transaction. At most
    `maximum_training` cut-offs, one horizon apart, train a model.
    """
    reach = (as_of - first_date).days - minimum_history_days
    if reach < 2 * horizon_days:
        return None
    spare = reach - 3 * horizon_days if reach >= 3 * horizon_days else reach - 2 * horizon_days
    count = min(maximum_tests, 1 + spare // min(_WEEK, horizon_days))
    step = min(horizon_days, spare // (count - 1)) if count > 1 else horizon_days
    if step < horizon_days:
        step -= step % _WEEK

    def fold(back: int) -> Fold:
        days = range(back + horizon_days, reach + 1, horizon_days)[: maximum_training + 1]
        calibration, *training = (as_of - timedelta(days=day) for day in days)
        return Fold(as_of - timedelta(days=back), calibration, tuple(training))

    tests = tuple(fold(horizon_days + number * step) for number in range(count))
    return Cutoffs(tests, fold(0))


def usable_tests(cutoffs: Cutoffs | None, lack: Callable[[Fold], str], *, too_short: str) -> tuple[list[Fold], str]:
    """The tests that lack nothing; and why no contest can be held, which is nothing where the latest is one of them."""
    if cutoffs is None:
        return [], too_short
    lacks = {fold: lack(fold) for fold in cutoffs.tests}
    return [fold for fold, found in lacks.items() if not found], lacks[cutoffs.tests[0]]


def build_snapshots(transactions: pl.DataFrame, *, cutoffs: Sequence[date], horizon_days: int) -> pl.DataFrame:
    """SNAPSHOTS of one bucket of customers at each cut-off, sorted by as_of_date and customer_id.

    A snapshot is worth learning from once its horizon has passed; see `plan_cutoffs`.

    Raises:
        polars.exceptions.ColumnNotFoundError: a column of TRANSACTIONS is missing.
    """
    snapshots = [empty(SNAPSHOTS)]
    for cutoff in sorted(set(cutoffs)):
        features = build_features(transactions, as_of=cutoff)
        labels = label_outcomes(transactions, as_of=cutoff, horizon_days=horizon_days)
        snapshot = features.join(labels, on="customer_id", maintain_order="left")
        snapshots.append(conform(snapshot, SNAPSHOTS))
    return pl.concat(snapshots)


def at(snapshots: pl.DataFrame, *days: date) -> pl.DataFrame:
    """The snapshots of some cut-offs."""
    return snapshots.filter(pl.col("as_of_date").is_in(list(days)))
