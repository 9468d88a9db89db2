"""The contest of one language: models and rules fitted on messages up to a day, tested on those written after it.

The winner serves where it is better than chance by a stated margin, fitted on every rated message; else the language
is unsupported and its messages get no score. Saving, and which texts, do not belong here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from ml import gate
from ml.evaluation import EVALUATIONS, Holdouts, Interval, Outcome, as_evaluations
from ml.feedback.lexicon import BaseRateRule, LexiconRule
from ml.feedback.sentiment import CalibratedSentiment, SentimentModel
from ml.metrics import Array, auc, brier, calibration_slope, macro_f1
from ml.schemas import empty

CHALLENGERS: Final = ("words", "words_and_characters")
"""Simplest first."""
LEXICON: Final = "lexicon"
POPULATION: Final = "base_rate"
RULES: Final = (LEXICON, POPULATION)
TEST_SHARE: Final = 0.1  # of the messages in each test, the last of them up to today
TESTS: Final = 3
CRITERIA: Final = gate.Criteria(
    "AUC", auc, "Brier score", brier, "calibration slope", calibration_slope, (0.6, 1.6)
)  # wider than churn's: tests hold hundreds of messages, not thousands of customers


@dataclass(frozen=True)
class Question:
    """What is asked of one language, and what a contest needs: rated messages, and of the rarer kind of them.

    `margin` is by how much the lower end of the AUC's 95 % interval has to be above 0.5, which is chance.
    """

    language: str
    as_of: date
    seed: int
    minimum_messages: int = 200
    minimum_outcomes: int = 30
    margin: float = 0.1
    champion: str | None = None

    @property
    def model(self) -> str:
        """The name of the language's model."""
        return f"feedback_{self.language}"


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who won and why, the fitted estimator, and whether it may serve.

    `quality` is what is told of the language: counts, tested days, and figures over all tests with the AUC's interval.
    """

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: CalibratedSentiment
    quality: dict[str, Any] = field(default_factory=dict)


def lack(rated: pl.DataFrame, question: Question) -> str:
    """What a language has too little of, in words; nothing where a contest can be held."""
    rarer = _rarer(rated)
    if rated.height < question.minimum_messages:
        return f"{rated.height} rated messages with a date, of {question.minimum_messages} needed"
    if rarer < question.minimum_outcomes:
        return f"{rarer} messages of the rarer kind, of {question.minimum_outcomes} needed"
    if not _tests(rated):
        return "all messages are of so few days that none can be tested after others"
    return ""


def train(rated: pl.DataFrame, question: Question) -> Training:
    """The contest on MESSAGES of one language that are rated and dated, for which `lack` finds nothing."""
    rated = rated.sort("feedback_date", "feedback_id")
    with threadpool_limits(1):
        return _contest(rated, _tests(rated), question)


def make_candidate(name: str, *, language: str) -> Any:
    """An unfitted candidate by name."""
    return {
        "words": SentimentModel(),
        "words_and_characters": SentimentModel(characters=True),
        LEXICON: LexiconRule(language),
        POPULATION: BaseRateRule(),
    }[name]


def _contest(rated: pl.DataFrame, tests: Sequence[tuple[date, date]], question: Question) -> Training:
    names = (*CHALLENGERS, *RULES)
    told: dict[str, list[Array]] = {name: [] for name in names}
    labels: dict[str, list[Array]] = {name: [] for name in names}
    outcomes = []
    for first, last in tests:
        past = rated.filter(pl.col("feedback_date") <= first)
        test = rated.filter(pl.col("feedback_date").is_between(first, last, closed="right"))
        outcomes.append(Outcome(first, test["customer_id"], _satisfied(test)))
        for name in names:
            fitted = _fitted(name, past, question)
            told[name].append(fitted.satisfied_probability(test))
            labels[name].append((told[name][-1] >= fitted.threshold_).astype(np.float64))
    holdouts = Holdouts(outcomes, seed=question.seed)
    contest = gate.Contest(holdouts, told, CHALLENGERS, RULES, POPULATION, CRITERIA, question.champion)
    decision = gate.decide(contest)
    rank = holdouts.measure(auc, told[decision.candidate]).mean
    verdict = _verdict(rank, question)
    quality = {
        "trained_message_count": rated.height,
        "tested_message_count": sum(len(outcome.actual) for outcome in outcomes),
        "tested_from_date": tests[-1][0].isoformat(),
        "tested_to_date": tests[0][1].isoformat(),
        "satisfied_share": float(_satisfied(rated).mean()),
        **{f"auc{end}": number for end, number in zip(("", "_lower", "_upper"), rank, strict=True)},
        "lexicon_auc": holdouts.measure(auc, told[LEXICON]).mean.value,
        "macro_f1": holdouts.measure(macro_f1, labels[decision.candidate]).mean.value,
        "is_supported": not verdict,
        "reason": verdict or decision.reason,
    }
    evaluations = [_evaluations(name, holdouts, told[name], labels[name], question) for name in names]
    serving = _fitted(decision.candidate, rated, question)
    return Training(pl.concat([empty(EVALUATIONS), *evaluations]), decision, serving, quality)


def _verdict(rank: Interval, question: Question) -> str:
    """Why a language is unsupported; nothing where it is supported."""
    least = 0.5 + question.margin
    if rank.lower >= least:
        return ""
    return (
        f"No better than chance by the margin: the AUC's 95 % interval begins at {rank.lower:.3f}, and has to at "
        f"{least:g}."
    )


def _fitted(name: str, messages: pl.DataFrame, question: Question) -> CalibratedSentiment:
    candidate = make_candidate(name, language=question.language)
    return CalibratedSentiment(candidate).fit(messages, _satisfied(messages))


def _evaluations(
    name: str, holdouts: Holdouts, told: list[Array], labels: list[Array], question: Question
) -> pl.DataFrame:
    ranked = holdouts.table({"auc": auc, "brier": brier, "calibration_slope": calibration_slope}, told)
    classed = holdouts.table({"macro_f1": macro_f1}, labels)
    return as_evaluations(pl.concat([ranked, classed]), model=question.model, candidate=name, horizon_days=0)


def _tests(rated: pl.DataFrame) -> list[tuple[date, date]]:
    """The last tenths of the messages as (day before the first, last day), latest first; whole days, both kinds.

    What comes before each holds both kinds as well. A day as large as several tenths is one test.
    """
    days = rated["feedback_date"].sort()
    places = [int(len(days) * (1 - TEST_SHARE * number)) for number in range(TESTS + 1)]
    edges = sorted({days[max(0, place - 1)] for place in places}, reverse=True)
    spans = [(edges[number + 1], edges[number]) for number in range(len(edges) - 1)]
    return [(first, last) for first, last in spans if _are_both(rated, first, last)]


def _are_both(rated: pl.DataFrame, first: date, last: date) -> bool:
    past = rated.filter(pl.col("feedback_date") <= first)
    test = rated.filter(pl.col("feedback_date").is_between(first, last, closed="right"))
    return _rarer(past) >= 2 and _rarer(test) >= 1


def _rarer(messages: pl.DataFrame) -> int:
    satisfied = int(messages["is_satisfied"].sum())
    return min(satisfied, messages.height - satisfied)


def _satisfied(messages: pl.DataFrame) -> Array:
    return messages["is_satisfied"].cast(pl.Float64).to_numpy()
