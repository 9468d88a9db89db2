"""The contest for churn: model and rules fitted on the past, tested on a later cut-off, winner refitted.

For the test cut-off t = as_of - h candidates are fitted on cut-offs up to t - 2h and calibrated on t - h,
so that every label they saw had matured by t. The one that serves is refitted one step later. Saving does
not belong here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml import evaluation, gate
from ml.backtest import Cutoffs
from ml.churn.models import CalibratedChurn, LogisticChurn
from ml.churn.rules import BaseRateRule, OwnRhythmRule, RecencyRule
from ml.schemas import MODEL_EVALUATIONS, Schema, conform, empty

Array = npt.NDArray[np.float64]

MODEL: Final = "logistic_regression"
RULES: Final = ("recency", "own_rhythm")
POPULATION: Final = "base_rate"

EVALUATIONS: Final[Schema] = {name: kind for name, kind in MODEL_EVALUATIONS.items() if name != "model_version"}
CALIBRATION_POINTS: Final[Schema] = {
    "candidate": pl.String,
    "bin": pl.Int64,
    "predicted": pl.Float64,
    "observed": pl.Float64,
    "customer_count": pl.Int64,
}
"""Grain: candidate x tenth of the test customers by predicted probability."""


@dataclass(frozen=True)
class Minimums:
    """What a contest needs in training and in test; with fewer than `rule_outcomes` the base rate serves."""

    customers: int = 500
    outcomes: int = 100
    rule_outcomes: int = 20


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who serves and why, the fitted estimator, CALIBRATION_POINTS."""

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: CalibratedChurn
    calibration_points: pl.DataFrame


def train(
    snapshots: pl.DataFrame,
    *,
    as_of: date,
    horizon_days: int,
    cutoffs: Cutoffs | None,
    seed: int,
    minimums: Minimums | None = None,
) -> Training:
    """The contest on snapshots of eligible customers, or what serves without one on too little data.

    Without a contest the recency rule serves, calibrated on the latest matured cut-off; with hardly an
    outcome there the base rate does, which is 0.5 where no outcome has matured at all.
    """
    minimums = minimums or Minimums()
    matured = snapshots.filter(pl.col("as_of_date") <= as_of - timedelta(days=horizon_days))
    matured = matured.sort("as_of_date", "customer_id")
    if cutoffs is None:
        return _without_contest(matured, "history is shorter than training, calibration and test need", minimums)
    lack = _lack("training", _at(matured, cutoffs.training), minimums) or _lack(
        "test", _at(matured, [cutoffs.test]), minimums
    )
    if lack:
        return _without_contest(matured, lack, minimums)
    return _contest(matured, horizon_days=horizon_days, cutoffs=cutoffs, seed=seed)


def _contest(matured: pl.DataFrame, *, horizon_days: int, cutoffs: Cutoffs, seed: int) -> Training:
    test = _at(matured, [cutoffs.test])
    churned = _churned(test)
    predictions = {
        name: _fit(candidate, matured, cutoffs.training, cutoffs.calibration).churn_probability(test)
        for name, candidate in _candidates(seed).items()
    }
    contest = gate.Contest(churned, predictions, MODEL, RULES, POPULATION, gate.CHURN_CRITERIA)
    decision = gate.decide(contest, seed=seed)
    winner = _candidates(seed)[decision.candidate]
    serving = _fit(winner, matured, cutoffs.serving_training, cutoffs.serving_calibration)
    evaluations = [
        evaluation.evaluate(churned, predicted, metrics=evaluation.CHURN_METRICS, seed=seed).with_columns(
            model=pl.lit("churn"),
            candidate=pl.lit(name),
            cutoff_date=pl.lit(cutoffs.test),
            horizon_days=pl.lit(horizon_days),
        )
        for name, predicted in predictions.items()
    ]
    points = [_calibration_points(name, churned, predicted) for name, predicted in predictions.items()]
    return Training(conform(pl.concat(evaluations), EVALUATIONS), decision, serving, pl.concat(points))


def _candidates(seed: int) -> dict[str, Any]:
    return {
        MODEL: LogisticChurn(seed=seed),
        "recency": RecencyRule(),
        "own_rhythm": OwnRhythmRule(),
        POPULATION: BaseRateRule(),
    }


def _fit(candidate: Any, matured: pl.DataFrame, training: Sequence[date], calibration: date) -> CalibratedChurn:
    past, latest = _at(matured, training), _at(matured, [calibration])
    return CalibratedChurn(candidate).fit(past, _churned(past)).calibrate(latest, _churned(latest))


def _without_contest(matured: pl.DataFrame, lack: str, minimums: Minimums) -> Training:
    days = matured["as_of_date"].unique().sort().tail(1).to_list()
    latest = _at(matured, days)
    churned = _churned(latest)
    enough = _rarer(churned) >= minimums.rule_outcomes
    name, rule = ("recency", RecencyRule()) if enough else (POPULATION, BaseRateRule())
    seen = f"on {len(churned)} customers at {days[0]}" if days else "on nothing: no outcome has matured"
    reason = f"No model was trained: {lack}. {name} serves, calibrated {seen}."
    decision = gate.without_contest("rule" if enough else "population", name, reason=reason)
    serving = CalibratedChurn(rule).fit(latest, churned).calibrate(latest, churned)
    return Training(empty(EVALUATIONS), decision, serving, empty(CALIBRATION_POINTS))


def _lack(purpose: str, snapshots: pl.DataFrame, minimums: Minimums) -> str:
    customers, rarer = snapshots["customer_id"].n_unique(), _rarer(_churned(snapshots))
    if customers >= minimums.customers and rarer >= minimums.outcomes:
        return ""
    return (
        f"{purpose} has {customers} customers and {rarer} outcomes of the rarer kind, "
        f"of {minimums.customers} and {minimums.outcomes} needed"
    )


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


def _at(snapshots: pl.DataFrame, days: Sequence[date]) -> pl.DataFrame:
    return snapshots.filter(pl.col("as_of_date").is_in(list(days)))


def _churned(snapshots: pl.DataFrame) -> Array:
    return snapshots["is_churned"].cast(pl.Float64).to_numpy()


def _rarer(churned: Array) -> int:
    return int(min(churned.sum(), len(churned) - churned.sum()))
