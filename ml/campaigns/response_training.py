"""The contest for response: who of those contacted responds, on later campaigns and of customers never seen.

A test is a window of days and the contacts made in it; whoever is fitted for it knows answers that were in by its first
day, and none of the customer asked about. Saving does not belong here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from ml import gate
from ml.campaigns.contacts import responded
from ml.campaigns.crossing import Rows, crossed, folds
from ml.campaigns.response import BASE_RATE, MODELS, RULES, make_candidate
from ml.evaluation import EVALUATIONS, TESTED, Holdouts, Outcome, as_evaluations, tested_frame
from ml.metrics import (
    Array,
    Metric,
    auc,
    average_precision,
    brier,
    brier_skill,
    calibration_in_the_large,
    calibration_slope,
    lift_at_10_percent,
)
from ml.schemas import empty
from ml.small_groups import in_words

MODEL: Final = "response"
TESTS: Final = 3
METRICS: Final[dict[str, Metric]] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
    "brier_skill": brier_skill,
    "calibration_slope": calibration_slope,
    "calibration_in_the_large": calibration_in_the_large,
    "lift_at_10_percent": lift_at_10_percent,
}
# wider than churn's: what is asked in each campaign is another thing, and so is its rate
CRITERIA: Final = gate.Criteria("AUC", auc, "Brier score", brier, "calibration slope", calibration_slope, (0.5, 2.0))
CROSSED: Final = "_by_customer"
"""Ends the names of metrics over all contacts at once, each customer by models of the others: not out of time."""


@dataclass(frozen=True)
class Question:
    """What is asked: who responds within `window_days` of a contact, as of a day."""

    as_of: date
    window_days: int
    seed: int
    minimum_contacts: int = 500
    minimum_outcomes: int = 100
    champion: str | None = None


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who serves and why, the fitted estimator, and TESTED of the latest test."""

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: Any
    tested: pl.DataFrame


@dataclass(frozen=True)
class _Test:
    """Rows to learn from and rows asked about; the day is that of the scores."""

    day: date
    learn: Rows
    ask: Rows


def train(known: pl.DataFrame, question: Question) -> Training:
    """The contest on KNOWN contacts, those alone whose window is over; nobody's answers may be missing.

    Where no earlier campaign is large enough to learn from, customers are judged by models of other customers of the
    same campaigns; where all are too few, the base rate serves.

    Raises:
        ValueError: no contact's window is over.
    """
    matured = pl.col("contact_date") <= question.as_of - timedelta(days=question.window_days - 1)
    known = known.filter(matured).sort("contact_date", "customer_id", "campaign_id")
    if known.is_empty():
        raise ValueError("no contact whose window is over")
    actual = responded(known, window_days=question.window_days).to_numpy()
    everyone = np.ones(known.height, dtype=np.bool_)
    with threadpool_limits(1):  # the same digits on any machine, and no threads that wait for each other
        lack = _lack(question, actual, everyone)
        if lack:
            decision = gate.without_contest("population", BASE_RATE, reason=f"No model was trained: {lack}.")
            return Training(empty(EVALUATIONS), decision, make_candidate(BASE_RATE).fit(known, actual), empty(TESTED))
        return _contest(known, actual, question)


def _contest(known: pl.DataFrame, actual: Array, question: Question) -> Training:
    names = (*MODELS, *RULES)
    tests = [test for test in _tests(known, question) if not _lacking(question, actual, test)]
    judge = _Judge(known, actual, question)
    everyone = np.ones(known.height, dtype=np.bool_)
    day: date = tests[0].day if tests else known["contact_date"].max()  # type: ignore[assignment] # a column of dates
    whole = judge.hear([_Test(day, everyone, everyone)], names)
    later = judge.hear(tests, names) if tests else whole
    contest = gate.Contest(later.holdouts, later.told, MODELS, RULES, BASE_RATE, CRITERIA, question.champion)
    decision = gate.decide(contest)
    if not tests:
        decision = _said_so(decision)
    tables = [whole.table(name, question, suffix=CROSSED) for name in names]
    if tests:
        tables += [later.table(name, question) for name in names]
    chosen = decision.candidate
    tested = tested_frame(later.holdouts.outcomes[0], later.told[chosen][0])
    return Training(pl.concat(tables), decision, make_candidate(chosen).fit(known, actual), tested)


@dataclass(frozen=True)
class _Heard:
    """What every candidate told of some tests, beside what happened."""

    holdouts: Holdouts
    told: dict[str, list[Array]]

    def table(self, name: str, question: Question, *, suffix: str = "") -> pl.DataFrame:
        found = self.holdouts.table(METRICS, self.told[name]).with_columns(pl.col("metric") + suffix)
        return as_evaluations(found, model=MODEL, candidate=name, horizon_days=question.window_days)


class _Judge:
    """Candidates asked about contacts of customers whom they have not seen."""

    def __init__(self, known: pl.DataFrame, actual: Array, question: Question) -> None:
        self.known, self.actual, self.seed = known, actual, question.seed
        self.fold = folds(known["customer_id"], seed=question.seed)

    def hear(self, tests: Sequence[_Test], names: Sequence[str]) -> _Heard:
        ids = self.known["customer_id"]
        outcomes = [Outcome(test.day, ids.filter(pl.Series(test.ask)), self.actual[test.ask]) for test in tests]
        told = {name: [self._told(name, test)[test.ask] for test in tests] for name in names}
        return _Heard(Holdouts(outcomes, seed=self.seed), told)

    def _told(self, name: str, test: _Test) -> Array:
        def answer(learn: Rows, ask: Rows) -> Array:
            fitted = make_candidate(name).fit(self.known.filter(pl.Series(learn)), self.actual[learn])
            found: Array = fitted.predict(self.known.filter(pl.Series(ask)))
            return found

        return crossed(self.fold, learn=test.learn, ask=test.ask, answer=answer)


def _tests(known: pl.DataFrame, question: Question) -> list[_Test]:
    """The latest windows of contacts, latest first, and the contacts whose answers were in by the first day of each."""
    days = known["contact_date"]
    found = []
    for number in range(TESTS):
        end = question.as_of - timedelta(days=question.window_days * (number + 1) - 1)
        start = end - timedelta(days=question.window_days)
        learn = days <= start - timedelta(days=question.window_days - 1)
        ask = (days > start) & (days <= end)
        found.append(_Test(start, learn.to_numpy(), ask.to_numpy()))
    return found


def _lacking(question: Question, actual: Array, test: _Test) -> str:
    return _lack(question, actual, test.learn) or _lack(question, actual, test.ask)


def _lack(question: Question, actual: Array, rows: Rows) -> str:
    """What some contacts are too few of, in words; nothing where they suffice."""
    contacts, answers = int(rows.sum()), int(actual[rows].sum())
    if contacts >= question.minimum_contacts and question.minimum_outcomes <= min(answers, contacts - answers):
        return ""
    return (
        f"{in_words(contacts)} contacts whose {question.window_days} days are over, "
        f"of whom {in_words(answers)} responded; "
        f"{question.minimum_contacts} contacts, and {question.minimum_outcomes} with and without a response, are needed"
    )


def _said_so(decision: gate.Decision) -> gate.Decision:
    note = " No earlier campaign is large enough to learn from: judged on other customers, not on later campaigns."
    return replace(decision, reasons=decision.reasons | {decision.candidate: decision.reason + note})
