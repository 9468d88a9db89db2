"""The contest for churn: models and rules fitted on the past, tested on later cut-offs, the winner fitted on today.

Every fold (see `ml.backtest`) is fitted on its training cut-offs and calibrated on its latest matured one; what serves
is the same with today as its day. Saving does not belong here.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from ml import gate
from ml.backtest import Cutoffs, Fold, at, usable_tests
from ml.btyd.expectations import PurchaseExpectations
from ml.churn.blend import BlendedChurn
from ml.churn.calibration import CalibratedChurn
from ml.churn.early_warning import early_warning, watch_days
from ml.churn.kind import POPULATION, Kind
from ml.churn.purchases import PURCHASES
from ml.churn.reasons import agreement, stability
from ml.evaluation import EVALUATIONS, TESTED, Holdouts, Outcome, as_evaluations, tested_frame
from ml.metrics import CHURN_METRICS
from ml.schemas import Schema, conform, empty

Array = npt.NDArray[np.float64]

CALIBRATION_POINTS: Final[Schema] = {
    "candidate": pl.String,
    "bin": pl.Int64,
    "predicted": pl.Float64,
    "observed": pl.Float64,
    "customer_count": pl.Int64,
}
"""Grain: candidate x tenth of the customers of the latest test by predicted probability."""


@dataclass(frozen=True)
class Minimums:
    """What a contest needs to learn from and in a test; with fewer than `rule_outcomes` the base rate serves."""

    customers: int = 500
    outcomes: int = 100
    rule_outcomes: int = 20


@dataclass(frozen=True)
class Question:
    """What is asked, about purchases: who of those that bought within `active_window_days` will not buy within
    `horizon_days`; about contracts: who of those with a running one will be without.
    """

    as_of: date
    horizon_days: int
    active_window_days: int
    seed: int
    minimums: Minimums = Minimums()
    champion: str | None = None
    alert_from: float = 0.5
    kind: Kind = PURCHASES


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who serves and why, the fitted estimator, CALIBRATION_POINTS.

    `tested` is what the serving candidate had predicted at the latest test: customer_id, predicted, actual.
    """

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: CalibratedChurn
    calibration_points: pl.DataFrame
    tested: pl.DataFrame


def train(snapshots: pl.DataFrame, question: Question, *, cutoffs: Cutoffs | None) -> Training:
    """The contest on snapshots of all customers, or what serves without one on too little data.

    Only eligible customers are learned from and graded; the purchase model learns from everyone's history. Without a
    contest the simplest rule serves, calibrated on the latest matured cut-off; with hardly an outcome there the base
    rate does, which is 0.5 where no outcome has matured at all.
    """
    past = Past.of(snapshots, question)
    tests, lack = usable_tests(cutoffs, past.lack, too_short=question.kind.too_short)
    if cutoffs is None or lack:
        return _without_contest(past, lack)
    with threadpool_limits(1):  # the same digits on any machine, and no threads that wait for each other
        return _contest(past, tests, cutoffs.serving)


@dataclass(frozen=True)
class Past:
    """Everyone's snapshots, those of eligible customers, and what is asked of them."""

    everyone: pl.DataFrame
    eligible: pl.DataFrame
    question: Question
    _kept: dict[tuple[str, Fold], Any] = field(default_factory=dict)
    _purchases: dict[Fold, PurchaseExpectations] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshots: pl.DataFrame, question: Question) -> "Past":
        """Snapshots in an order of their own; those whose outcome has not matured are histories only."""
        ordered = snapshots.sort("as_of_date", "customer_id")
        matured = pl.col("as_of_date") <= question.as_of - timedelta(days=question.horizon_days)
        return cls(ordered, _eligible(ordered.filter(matured), question), question)

    def lack(self, fold: Fold) -> str:
        """What a fold has too little of, in words; nothing where it has enough."""
        minimums = self.question.minimums
        for purpose, days in (("training", fold.training or (fold.calibration,)), ("test", (fold.day,))):
            some = at(self.eligible, *days)
            customers, rarer = some["customer_id"].n_unique(), _rarer(_churned(some))
            if customers < minimums.customers or rarer < minimums.outcomes:
                return (
                    f"{purpose} has {customers} customers and {rarer} outcomes of the rarer kind, "
                    f"of {minimums.customers} and {minimums.outcomes} needed"
                )
        return ""

    def purchases(self, fold: Fold) -> PurchaseExpectations | None:
        """The purchase model of the fold, from everyone's history on its calibration day; none about contracts."""
        if not self.question.kind.has_purchases:
            return None
        if fold not in self._purchases:
            history = at(self.everyone, fold.calibration)
            self._purchases[fold] = PurchaseExpectations(horizon_days=self.question.horizon_days).fit(history)
        return self._purchases[fold]

    def fit(self, name: str, fold: Fold, purchases: PurchaseExpectations | None) -> CalibratedChurn:
        """A candidate fitted and calibrated for a fold; rules look at no purchase model."""
        kind = self.question.kind
        is_model = name in kind.challengers
        model = CalibratedChurn(self.unfitted(name), purchases if is_model else None)
        learned, latest = at(self.eligible, *fold.training), at(self.eligible, fold.calibration)
        if learned.is_empty() and is_model:
            return model.fit_and_calibrate(latest, _churned(latest))
        learned = latest if learned.is_empty() else learned
        parts = [self._kept.get((part, fold)) for part in kind.blended] if name == "blend" else []
        if (name, fold) in self._kept:  # fitted for the contest, asked again for what else it is worth
            model.keep(self._kept[name, fold])
        elif parts and all(part is not None for part in parts):
            model.keep(BlendedChurn.of(parts))
        else:
            model.fit(learned, _churned(learned))
        self._kept[name, fold] = model.candidate_
        return model.calibrate(latest, _churned(latest))

    def unfitted(self, name: str) -> Any:
        """A candidate by name."""
        return self.question.kind.make(name, seed=self.question.seed, horizon_days=self.question.horizon_days)


def _contest(past: Past, tests: list[Fold], serving: Fold) -> Training:
    question, kind = past.question, past.question.kind
    names = (*kind.challengers, *kind.rules, POPULATION)
    outcomes, predictions = [], {name: list[Array]() for name in names}
    for fold in tests:
        test = at(past.eligible, fold.day)
        outcomes.append(Outcome(fold.day, test["customer_id"], _churned(test)))
        purchases = past.purchases(fold)
        for name in names:
            predictions[name].append(past.fit(name, fold, purchases).churn_probability(test))
    holdouts = Holdouts(outcomes, seed=question.seed)
    decision = gate.decide(
        gate.Contest(
            holdouts, predictions, kind.challengers, kind.rules, POPULATION, gate.CHURN_CRITERIA, question.champion
        )
    )
    evaluations = [
        as_evaluations(
            holdouts.table(CHURN_METRICS, told), model="churn", candidate=name, horizon_days=question.horizon_days
        )
        for name, told in predictions.items()
    ]
    points = [_calibration_points(name, outcomes[0].actual, told[0]) for name, told in predictions.items()]
    evaluations += [_trust(past, decision.candidate, tests)]
    served = past.fit(decision.candidate, serving, past.purchases(serving))
    tested = tested_frame(outcomes[0], predictions[decision.candidate][0])
    return Training(pl.concat(evaluations), decision, served, pl.concat(points), tested)


def _trust(past: Past, name: str, tests: list[Fold]) -> pl.DataFrame:
    """EVALUATIONS of what else the serving candidate is worth: how far its reasons hold, and how early it warns."""
    question, latest, earliest = past.question, tests[0], tests[-1]
    today, eve = (at(past.eligible, latest.day - timedelta(days=days)) for days in (0, 1))
    model = past.fit(name, latest, past.purchases(latest))
    found = [
        (latest.day, "reason_agreement", agreement(today, model), today.height),
        (latest.day, "reason_stability", stability(today, eve, model), eve.height),
    ]
    if question.kind.has_purchases:
        watcher = past.fit(name, earliest, past.purchases(earliest))
        days = watch_days(earliest, as_of=question.as_of, horizon_days=question.horizon_days)
        watched = _eligible(at(past.everyone, *days), question)
        warned = early_warning(watched, watcher, alert_from=question.alert_from, horizon_days=question.horizon_days)
        found += [(earliest.day, metric, value, watched["customer_id"].n_unique()) for metric, value in warned.items()]
    kinds = {"cutoff_date": pl.Date, "metric": pl.String, "value": pl.Float64, "customer_count": pl.Int64}
    frame = pl.DataFrame(found, schema=kinds, orient="row").with_columns(
        pl.col("value").fill_nan(None), lower=pl.lit(None, pl.Float64), upper=pl.lit(None, pl.Float64)
    )
    return as_evaluations(frame, model="churn", candidate=name, horizon_days=question.horizon_days)


def _without_contest(past: Past, lack: str) -> Training:
    days = past.eligible["as_of_date"].unique().sort().tail(1).to_list()
    latest = at(past.eligible, *days)
    churned = _churned(latest)
    enough = _rarer(churned) >= past.question.minimums.rule_outcomes
    name = past.question.kind.simplest if enough else POPULATION
    seen = f"on {len(churned)} customers at {days[0]}" if days else "on nothing: no outcome has matured"
    reason = f"No model was trained: {lack}. {name} serves, calibrated {seen}."
    decision = gate.without_contest("rule" if enough else "population", name, reason=reason)
    serving = CalibratedChurn(past.unfitted(name)).fit(latest, churned).calibrate(latest, churned)
    return Training(empty(EVALUATIONS), decision, serving, empty(CALIBRATION_POINTS), empty(TESTED))


def _calibration_points(candidate: str, churned: Array, predicted: Array) -> pl.DataFrame:
    rank = pl.col("predicted").rank("min") - 1
    points = (
        pl.DataFrame({"predicted": predicted, "observed": churned})
        .with_columns(candidate=pl.lit(candidate), bin=(rank * 10 // pl.len()).cast(pl.Int64) + 1)
        .sort("bin", "predicted", "observed")
        .group_by("candidate", "bin", maintain_order=True)
        .agg(pl.col("predicted", "observed").implode().list.mean(), customer_count=pl.len())
    )
    return conform(points, CALIBRATION_POINTS)


def _eligible(snapshots: pl.DataFrame, question: Question) -> pl.DataFrame:
    if not question.kind.has_purchases:  # a snapshot is of running contracts
        return snapshots
    return snapshots.filter(pl.col("recency_days") < question.active_window_days)


def _churned(snapshots: pl.DataFrame) -> Array:
    return snapshots["is_churned"].cast(pl.Float64).to_numpy()


def _rarer(churned: Array) -> int:
    return int(min(churned.sum(), len(churned) - churned.sum()))
