"""The contest for a look-alike list: who joined a segment from outside, fitted on a day and judged on a later one."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl
from threadpoolctl import threadpool_limits

from ml import gate
from ml.campaigns.lookalikes import BASE_RATE, MODELS, RULES, make_candidate, outside
from ml.evaluation import EVALUATIONS, TESTED, Holdouts, Outcome, as_evaluations, tested_frame
from ml.metrics import Metric, auc, average_precision, brier, calibration_slope, hit_rate, lift_at, lift_at_10_percent
from ml.schemas import empty
from ml.small_groups import in_words

METRICS: Final[dict[str, Metric]] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
    "calibration_slope": calibration_slope,
    "lift_at_10_percent": lift_at_10_percent,
    "joining_rate": hit_rate,
}
CRITERIA: Final = gate.Criteria("AUC", auc, "Brier score", brier, "calibration slope", calibration_slope, (0.5, 2.0))


@dataclass(frozen=True)
class Question:
    """What is asked: who joins a segment within the horizon, for a list of `size` customers."""

    model: str
    as_of: date
    horizon_days: int
    size: int
    seed: int
    minimum_customers: int = 200
    minimum_outcomes: int = 30
    champion: str | None = None


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who serves and why, the fitted estimator, and TESTED of who serves.

    Beside the usual metrics `list_lift` is how many times likelier the customers of a list of that size were to join
    than all who were outside.
    """

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: Any
    tested: pl.DataFrame


def train(learned: pl.DataFrame | None, tested: pl.DataFrame, question: Question) -> Training:
    """The contest on SNAPSHOTs of two days one horizon apart, the later of them one horizon before today.

    Without the earlier one, or where too few joined, the base rate serves and the reason says so.
    """
    with threadpool_limits(1):  # the same digits on any machine, and no threads that wait for each other
        lack = "history is shorter than twice the horizon" if learned is None else ""
        for snapshot in [] if learned is None else [learned, tested]:
            lack = lack or _lack(snapshot, question)
        if learned is None or lack:
            decision = gate.without_contest("population", BASE_RATE, reason=f"No model was trained: {lack}.")
            return Training(empty(EVALUATIONS), decision, make_candidate(BASE_RATE).fit(tested), empty(TESTED))
        return _contest(learned, tested, question)


def _contest(learned: pl.DataFrame, tested: pl.DataFrame, question: Question) -> Training:
    others = outside(tested)
    day: date = others["as_of_date"][0]
    outcome = Outcome(day, others["customer_id"], others["has_joined"].cast(pl.Float64).to_numpy())
    holdouts = Holdouts([outcome], seed=question.seed)
    names = (*MODELS, *RULES)
    told = {name: [make_candidate(name).fit(learned).predict(others)] for name in names}
    decision = gate.decide(gate.Contest(holdouts, told, MODELS, RULES, BASE_RATE, CRITERIA, question.champion))
    metrics = METRICS | {"list_lift": lift_at(min(1.0, question.size / others.height))}
    tables = [
        as_evaluations(
            holdouts.table(metrics, told[name]),
            model=question.model,
            candidate=name,
            horizon_days=question.horizon_days,
        )
        for name in names
    ]
    chosen = decision.candidate
    # fitted anew on the later day, whose outcomes are the newest that are known
    return Training(
        pl.concat(tables), decision, make_candidate(chosen).fit(tested), tested_frame(outcome, told[chosen][0])
    )


def _lack(snapshot: pl.DataFrame, question: Question) -> str:
    others, day = outside(snapshot), snapshot["as_of_date"].to_list()[:1]
    joined = int(others["has_joined"].sum())
    if others.height >= question.minimum_customers and question.minimum_outcomes <= min(joined, others.height - joined):
        return ""
    return (
        f"on {' '.join(map(str, day))} {in_words(others.height)} customers were outside, "
        f"of whom {in_words(joined)} joined; "
        f"{question.minimum_customers}, and {question.minimum_outcomes} who joined, are needed"
    )
