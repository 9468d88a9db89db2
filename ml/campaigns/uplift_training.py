"""The contest for uplift: whom a contact changes, learned and judged on customers of a randomised experiment.

Every customer is judged by models that have not seen them. Whether chance decided who was contacted is the caller's to
say; what the data holds against it is looked at here, and refuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from ml import gate
from ml.campaigns.bands import bands
from ml.campaigns.crossing import Rows, crossed, folds
from ml.campaigns.linear import Linear
from ml.campaigns.qini import METRICS, QINI, Graded, grade, held_slope
from ml.campaigns.uplift import AVERAGE, LEARNERS, RESPONSE, RULES, Levelled, make_learner
from ml.evaluation import EVALUATIONS, TESTED
from ml.metrics import Array
from ml.randomisation import MISMATCH, sample_ratio
from ml.schemas import conform, empty
from ml.small_groups import in_words


@dataclass(frozen=True)
class Question:
    """What is asked of one arm against the control: the outcome's kind, its window, and how many customers it needs."""

    model: str
    as_of: date
    window_days: int
    is_truth: bool
    seed: int
    minimum_customers: int = 500
    minimum_outcomes: int = 50
    champion: str | None = None


@dataclass(frozen=True)
class Design:
    """Customers of both sides, and what the data says of the draw; `refusal` is why no uplift is learned, if any."""

    contacted_count: int
    control_count: int
    sample_ratio_p_value: float | None
    balance_p_value: float | None
    refusal: str | None


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who serves and why, the fitted estimator, and BANDS of its predictions."""

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: Levelled
    bands: pl.DataFrame

    @property
    def tested(self) -> pl.DataFrame:
        """Nobody: what a contact changed of one customer is never seen."""
        return empty(TESTED)


def check_design(units: pl.DataFrame, question: Question, *, shares: tuple[float, float] | None) -> Design:
    """Whether uplift may be learned from UNITS: KNOWN with `is_treated` and `outcome`, one row a customer.

    Refused where a side or its outcomes are too few, where sides do not hold their declared `shares` (contacted,
    control), or where what was known before tells who was contacted: a classifier two-sample test (Lopez-Paz and Oquab
    2017, Revisiting classifier two-sample tests, ICLR) by the rank-sum of cross-fitted predictions, one-sided.
    """
    treated, outcome = _columns(units)
    sides = [treated == 1, treated == 0]
    contacted, controls = (int(side.sum()) for side in sides)
    ratio = sample_ratio((contacted, controls), shares) if shares and min(contacted, controls) else None
    if min(contacted, controls) < question.minimum_customers:
        few = (
            f"{in_words(contacted)} customers contacted and {in_words(controls)} controls; "
            f"{question.minimum_customers} each are needed"
        )
        return Design(contacted, controls, ratio, None, few)
    with threadpool_limits(1):
        balance = _balance(units, treated, seed=question.seed)
    refusal = None
    done = [int((outcome[side] != 0).sum()) for side in sides]
    if ratio is not None and ratio < MISMATCH:
        refusal = f"the arms do not hold their declared shares (p = {ratio:.2g}): the draw was not what was declared"
    elif balance < MISMATCH:
        refusal = f"what was known before tells who was contacted (p = {balance:.2g}): chance alone did not choose"
    elif min(done) < question.minimum_outcomes:
        needed = f"{question.minimum_outcomes} each are needed"
        refusal = f"{in_words(done[0])} outcomes of those contacted and {in_words(done[1])} of controls; {needed}"
    return Design(contacted, controls, ratio, balance, refusal)


def train(units: pl.DataFrame, question: Question) -> Training:
    """The contest on UNITS of a design that was not refused, sorted by customer.

    A learner serves if its Qini is above a random order's and not below that of targeting by response, both by 95 %
    intervals that allow for the learners looked at; else everybody has the average effect, and the reason says so.
    """
    units = units.sort("customer_id")
    known, (treated, outcome) = _before(units), _columns(units)
    names = (*LEARNERS, *RULES)
    with threadpool_limits(1):  # the same digits on any machine, and no threads that wait for each other
        told = {name: _told(name, units, treated, outcome, question) for name in names}
        graded = grade(treated, outcome, told, seed=question.seed)
        decision = _decide(graded, champion=question.champion)
        learner = make_learner(decision.candidate, is_truth=question.is_truth).fit(known, treated, outcome)
        response = make_learner(RESPONSE, is_truth=question.is_truth).fit(known, treated, outcome)
    held = held_slope(treated, outcome, told[decision.candidate])
    effect = float(outcome[treated == 1].mean() - outcome[treated == 0].mean())
    serving = Levelled(learner, response=response, effect=effect, slope=held, mean=float(learner.predict(known).mean()))
    levelled = effect + held * (told[decision.candidate] - told[decision.candidate].mean())
    found = bands(treated, outcome, levelled, is_truth=question.is_truth)
    return Training(_evaluations(graded, units, question), decision, serving, found)


def _columns(units: pl.DataFrame) -> tuple[Array, Array]:
    return units["is_treated"].cast(pl.Float64).to_numpy(), units["outcome"].cast(pl.Float64).to_numpy()


def _before(units: pl.DataFrame) -> pl.DataFrame:
    return units.drop("is_treated", "outcome")


def _told(name: str, units: pl.DataFrame, treated: Array, outcome: Array, question: Question) -> Array:
    """What one candidate says of each customer, fitted on others."""
    known, everyone = _before(units), np.ones(units.height, dtype=np.bool_)

    def answer(learn: Rows, ask: Rows) -> Array:
        learner = make_learner(name, is_truth=question.is_truth)
        learner.fit(known.filter(pl.Series(learn)), treated[learn], outcome[learn])
        found: Array = learner.predict(known.filter(pl.Series(ask)))
        return found

    if name == AVERAGE:  # one number: its folds would differ, and be an order that means nothing
        return np.full(units.height, outcome[treated == 1].mean() - outcome[treated == 0].mean())
    return crossed(folds(units["customer_id"], seed=question.seed), learn=everyone, ask=everyone, answer=answer)


def _balance(units: pl.DataFrame, treated: Array, *, seed: int) -> float:
    """P-value of what was known before telling who was contacted no better than chance."""
    known, everyone = _before(units), np.ones(units.height, dtype=np.bool_)

    def answer(learn: Rows, ask: Rows) -> Array:
        fitted = Linear(is_truth=True).fit(known.filter(pl.Series(learn)), treated[learn])
        told: Array = fitted.predict(known.filter(pl.Series(ask)))
        return np.asarray(told - treated[learn].mean())  # folds differ in their rates

    told = crossed(folds(units["customer_id"], seed=seed), learn=everyone, ask=everyone, answer=answer)
    from scipy import stats  # most of a second that only training needs

    found = stats.mannwhitneyu(told[treated == 1], told[treated == 0], alternative="greater", method="asymptotic")
    return float(found.pvalue)


def _decide(graded: Graded, *, champion: str | None) -> gate.Decision:
    comparisons, passed, reasons = [], [], {}
    for name in LEARNERS:
        value = graded.interval(name, QINI)
        against = {rule: graded.difference(name, rule, QINI, looked_at=len(LEARNERS)) for rule in RULES}
        comparisons += [gate.Comparison(name, rule, QINI, value.value, found) for rule, found in against.items()]
        is_passed = against[AVERAGE].lower > 0 and not against[RESPONSE].upper < 0
        passed += [name] if is_passed else []
        said = "; ".join(
            f"{found.value:+.4g} against {'a random order' if rule == AVERAGE else 'targeting by response'} "
            f"(95 % interval {found.lower:+.4g} to {found.upper:+.4g})"
            for rule, found in against.items()
        )
        verdict = "Finds whom the contact changes" if is_passed else "Does not find whom the contact changes"
        reasons[name] = f"{verdict}: Qini {value.value:.4g}, {said}."
    status = dict.fromkeys(LEARNERS, "rejected") | dict.fromkeys(passed, "challenger") | dict.fromkeys(RULES, "rule")
    if not passed:
        reasons[AVERAGE] = "No learner finds whom the contact changes: everybody has the average effect."
        return gate.Decision("rule", AVERAGE, status, reasons, comparisons)
    chosen = passed[0]
    for name in passed[1:]:
        if graded.difference(name, chosen, QINI).lower > 0:
            chosen = name
    if champion in passed and champion != chosen and not graded.difference(chosen, champion, QINI).lower > 0:
        chosen = champion
    return gate.Decision("champion", chosen, status | {chosen: "champion"}, reasons, comparisons)


def _evaluations(graded: Graded, units: pl.DataFrame, question: Question) -> pl.DataFrame:
    """EVALUATIONS: METRICS of every candidate; the day is that of the last contact."""
    columns: Mapping[str, Any] = {
        "model": question.model,
        "cutoff_date": units["contact_date"].max(),
        "horizon_days": question.window_days,
        "customer_count": units.height,
    }
    rows = [
        {**columns, "candidate": name, "metric": metric, **graded.interval(name, metric)._asdict()}
        for name in graded.values
        for metric in METRICS
    ]
    return conform(pl.DataFrame(rows).with_columns(pl.col("value", "lower", "upper").fill_nan(None)), EVALUATIONS)
