"""The contest for CLV: models and rules fitted on the past, tested on later cut-offs, the winner fitted on today.

Every fold (see `ml.backtest`) takes its level from its latest matured cut-off. Models of histories need no outcomes:
fitted on that cut-off they are levelled, then fitted again on the histories up to the fold's own day. Learned models
are trained on the cut-offs before. What serves is the same with today as its day. Saving does not belong here.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from ml import gate
from ml.backtest import Cutoffs, Fold, at, usable_tests
from ml.btyd.expectations import PurchaseExpectations
from ml.clv.learned import DirectClv, LogLinearClv, TwoStageClv
from ml.clv.leveling import LeveledClv
from ml.clv.models import UNSOUND, PurchasesAndLastPeriod, PurchaseValueModel
from ml.clv.rules import LastPeriodRule, OrderTimesRateRule, PopulationMeanRule, SpendPerDayRule, SpendSoFarRule
from ml.evaluation import EVALUATIONS, TESTED, Holdouts, Outcome, as_evaluations, tested_frame
from ml.metrics import CLV_METRICS, Array, hit_rate
from ml.schemas import empty

FAMILIES: Final = ("bg_nbd", "mbg_nbd", "pareto_nbd", "mbg_cnbd_k")
REPEATERS: Final = "bg_nbd_of_repeaters"
RECENT: Final = "purchases_and_last_period"
OF_HISTORIES: Final = (REPEATERS, *FAMILIES, RECENT)
LEARNED: Final = ("log_linear", "direct_boosting", "two_stage_boosting")
CHALLENGERS: Final = (*OF_HISTORIES, *LEARNED)
"""Simplest first."""
RULES: Final = ("spend_so_far", "spend_per_day", "order_times_rate", "last_period")
POPULATION: Final = "population_mean"
FALLBACK: Final = "order_times_rate"


@dataclass(frozen=True)
class Minimums:
    """What a contest needs at each cut-off; a level needs `level_customers` outcomes."""

    customers: int = 500
    repeat_customers: int = 100
    future_buyers: int = 100
    level_customers: int = 20


@dataclass(frozen=True)
class Question:
    """What is asked: the value of every customer's transactions in the `horizon_days` after `as_of`."""

    as_of: date
    horizon_days: int
    seed: int
    minimums: Minimums = Minimums()
    champion: str | None = None


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who serves and why, and the fitted estimator.

    `tested` is what the serving candidate had predicted at the latest test: customer_id, predicted, actual.
    """

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: LeveledClv
    tested: pl.DataFrame


def train(snapshots: pl.DataFrame, question: Question, *, cutoffs: Cutoffs | None) -> Training:
    """The contest on snapshots of all customers, or what serves without one where there is too little data.

    Snapshots of `as_of` itself are histories for the model that serves. Without a contest average order times repeat
    rate serves, levelled on the latest matured cut-off, or as it is (and without intervals) where hardly an outcome
    has matured, or only those of histories shorter than the horizon.
    """
    past = Past(snapshots.sort("as_of_date", "customer_id"), question)
    tests, lack = usable_tests(cutoffs, past.lack, too_short="history is shorter than twice the horizon")
    if cutoffs is None or lack:
        return _without_contest(past, lack)
    with threadpool_limits(1):  # the same digits on any machine, and no threads that wait for each other
        return _contest(past, tests, cutoffs.serving)


@dataclass(frozen=True)
class Past:
    """Everyone's snapshots and what is asked of them; a fit of histories that two folds need is made once."""

    snapshots: pl.DataFrame
    question: Question
    _kept: dict[tuple[str, date], Any] = field(default_factory=dict)

    def lack(self, fold: Fold) -> str:
        """What a fold has too little of, in words; nothing where it has enough."""
        minimums = self.question.minimums
        for purpose, day in (("calibration", fold.calibration), ("test", fold.day)):
            some = at(self.snapshots, day)
            came_back = some.filter((pl.col("purchase_day_count") > 1) & (pl.col("value_amount") > 0)).height
            found = (some.height, came_back, some.filter(pl.col("future_purchase_count") > 0).height)
            needed = (minimums.customers, minimums.repeat_customers, minimums.future_buyers)
            if any(have < need for have, need in zip(found, needed, strict=True)):
                return (
                    f"{purpose} has {found[0]} customers, {found[1]} who came back and {found[2]} who bought later, "
                    f"of {needed[0]}, {needed[1]} and {needed[2]} needed"
                )
        return ""

    def obstacle(self, name: str, fold: Fold) -> str:
        """Why a candidate cannot take part in a fold, in words; nothing where it can."""
        if name in LEARNED and not fold.training:
            return f"{name} has no matured cut-off to learn from before the one that calibrates."
        if name in OF_HISTORIES:
            fits = [self._history_model(name, day) for day in (fold.calibration, fold.day)]
            return next((f"{name} {UNSOUND}: {fit.message_}" for fit in fits if not fit.is_sound_), "")
        return ""

    def fit(self, name: str, fold: Fold) -> LeveledClv:
        """A candidate fitted for a fold and brought to the level of its calibration cut-off."""
        horizon, latest = self.question.horizon_days, at(self.snapshots, fold.calibration)
        if name in LEARNED:
            purchases = PurchaseExpectations(horizon_days=horizon).fit(latest)
            model = LeveledClv(self._unfitted(name), purchases)
            return model.fit(at(self.snapshots, *fold.training)).calibrate(latest, horizon_days=horizon)
        if name in OF_HISTORIES:
            fits = [self._history_model(name, day) for day in (fold.calibration, fold.day)]
            return LeveledClv(fits[0]).keep(fits[0]).calibrate(latest, horizon_days=horizon).keep(fits[1])
        return LeveledClv(self._unfitted(name)).fit(latest).calibrate(latest, horizon_days=horizon)

    def _unfitted(self, name: str) -> Any:
        return make_candidate(name, horizon_days=self.question.horizon_days, seed=self.question.seed)

    def _history_model(self, name: str, day: date) -> Any:
        if (name, day) not in self._kept:
            self._kept[name, day] = self._unfitted(name).fit(at(self.snapshots, day))
        return self._kept[name, day]


def make_candidate(name: str, *, horizon_days: int, seed: int = 0) -> Any:
    """An unfitted candidate by name."""
    if name in FAMILIES:
        return PurchaseValueModel(name)
    return {
        REPEATERS: PurchaseValueModel("bg_nbd", spenders="repeaters"),
        RECENT: PurchasesAndLastPeriod(horizon_days=horizon_days),
        "log_linear": LogLinearClv(),
        "direct_boosting": DirectClv(seed=seed),
        "two_stage_boosting": TwoStageClv(seed=seed),
        "spend_so_far": SpendSoFarRule(),
        "spend_per_day": SpendPerDayRule(),
        "order_times_rate": OrderTimesRateRule(),
        "last_period": LastPeriodRule(),
        POPULATION: PopulationMeanRule(),
    }[name]


def _contest(past: Past, tests: list[Fold], serving: Fold) -> Training:
    horizon = past.question.horizon_days
    obstacles = {name: _first(past.obstacle(name, fold) for fold in (*tests, serving)) for name in CHALLENGERS}
    challengers = [name for name, obstacle in obstacles.items() if not obstacle]
    names = (*challengers, *RULES, POPULATION)
    told: dict[str, list[pl.DataFrame]] = {name: [] for name in names}
    outcomes = []
    for fold in tests:
        test = at(past.snapshots, fold.day)
        outcomes.append(Outcome(fold.day, test["customer_id"], test["future_amount"].to_numpy()))
        for name in names:
            told[name].append(past.fit(name, fold).predict(test, horizon_days=horizon))
    holdouts = Holdouts(outcomes, seed=past.question.seed)
    amounts = {name: [frame["expected_amount"].to_numpy() for frame in frames] for name, frames in told.items()}
    contest = gate.Contest(holdouts, amounts, challengers, RULES, POPULATION, gate.CLV_CRITERIA, past.question.champion)
    decision = gate.decide(contest).refuse({name: why for name, why in obstacles.items() if why})
    evaluations = [_evaluations(name, holdouts, amounts[name], told[name], horizon) for name in names]
    tested = tested_frame(outcomes[0], amounts[decision.candidate][0])
    return Training(pl.concat(evaluations), decision, past.fit(decision.candidate, serving), tested)


def _first(texts: Any) -> str:
    return next((text for text in texts if text), "")


def _without_contest(past: Past, lack: str) -> Training:
    question = past.question
    matured = past.snapshots.filter(pl.col("as_of_date") <= question.as_of - timedelta(days=question.horizon_days))
    days = matured["as_of_date"].unique().sort().tail(1).to_list()
    latest = at(matured, *days)
    serving = LeveledClv(make_candidate(FALLBACK, horizon_days=question.horizon_days)).fit(latest)
    history_days = int(latest["tenure_days"].max() or 0)  # type: ignore[arg-type] # numbers
    if latest.height < question.minimums.level_customers:
        level = "with its level as it is: hardly an outcome has matured"
    elif history_days < question.horizon_days:  # there it expects too little, by a factor that is wrong for longer ones
        level = f"with its level as it is: what has matured followed on {history_days} days of history at most"
    else:
        serving.calibrate(latest, horizon_days=question.horizon_days)
        level = f"levelled on {latest.height} customers at {days[0]}"
    reason = f"No model was trained: {lack}. {FALLBACK} serves, {level}."
    decision = gate.without_contest("rule", FALLBACK, reason=reason)
    return Training(empty(EVALUATIONS), decision, serving, empty(TESTED))


def _evaluations(
    name: str, holdouts: Holdouts, amounts: list[Array], told: list[pl.DataFrame], horizon_days: int
) -> pl.DataFrame:
    """EVALUATIONS of one candidate: its metrics, and how often its intervals held what happened."""
    ends = [[frame[f"expected_amount_{end}"].to_numpy() for end in ("p10", "p90")] for frame in told]
    actuals = [outcome.actual for outcome in holdouts.outcomes]
    below = [actual <= p90 for actual, (_, p90) in zip(actuals, ends, strict=True)]
    inside = [under & (actual >= p10) for under, actual, (p10, _) in zip(below, actuals, ends, strict=True)]
    tables = [
        holdouts.table(CLV_METRICS, amounts),
        *(
            holdouts.table({metric: hit_rate}, amounts, actuals=[hit.astype(np.float64) for hit in hits])
            for metric, hits in (("interval_coverage", inside), ("p90_coverage", below))
        ),
    ]
    return as_evaluations(pl.concat(tables), model="clv", candidate=name, horizon_days=horizon_days)
