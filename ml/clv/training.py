"""The contest for CLV: model and rules fitted on the past, tested on a later cut-off, winner refitted.

For the test cut-off t = as_of - h candidates are fitted on the histories up to t - h and levelled on the
outcomes that followed, all matured by t. The one that serves is refitted one step later. Saving does not
belong here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from ml import evaluation, gate
from ml.backtest import Cutoffs
from ml.clv.models import LeveledClv, PurchaseValueModel
from ml.clv.rules import OrderTimesRateRule, PopulationMeanRule, SpendPerDayRule
from ml.schemas import MODEL_EVALUATIONS, Schema, conform, empty

MODEL: Final = "bg_nbd_gamma_gamma"
RULES: Final = ("spend_per_day", "order_times_rate")
POPULATION: Final = "population_mean"
FALLBACK: Final = "order_times_rate"

EVALUATIONS: Final[Schema] = {name: kind for name, kind in MODEL_EVALUATIONS.items() if name != "model_version"}


@dataclass(frozen=True)
class Minimums:
    """What a contest needs at each cut-off; a level needs `level_customers` outcomes."""

    customers: int = 500
    repeat_customers: int = 100
    future_buyers: int = 100
    level_customers: int = 20


@dataclass(frozen=True)
class Training:
    """The contest's numbers (EVALUATIONS), who serves and why, and the fitted estimator."""

    evaluations: pl.DataFrame
    decision: gate.Decision
    serving: LeveledClv


def train(
    snapshots: pl.DataFrame,
    *,
    as_of: date,
    horizon_days: int,
    cutoffs: Cutoffs | None,
    seed: int,
    minimums: Minimums | None = None,
) -> Training:
    """The contest on snapshots of all customers, or what serves without one where there is too little data.

    Without a contest average order times repeat rate serves, levelled on the latest matured cut-off, or as
    it is (and without intervals) where hardly an outcome has matured.
    """
    minimums = minimums or Minimums()
    matured = snapshots.filter(pl.col("as_of_date") <= as_of - timedelta(days=horizon_days))
    matured = matured.sort("as_of_date", "customer_id")
    if cutoffs is None:
        return _without_contest(matured, "history is shorter than fit and test need", horizon_days, minimums)
    past, test = _at(matured, [cutoffs.calibration]), _at(matured, [cutoffs.test])
    lack = _lack("calibration", past, minimums) or _lack("test", test, minimums)
    if lack:
        return _without_contest(matured, lack, horizon_days, minimums)
    return _contest(past, test, horizon_days=horizon_days, test_date=cutoffs.test, seed=seed)


def _contest(past: pl.DataFrame, test: pl.DataFrame, *, horizon_days: int, test_date: date, seed: int) -> Training:
    fitted = {name: _fit(candidate, past, horizon_days) for name, candidate in _candidates().items()}
    predicted = {name: model.predict(test, horizon_days=horizon_days) for name, model in fitted.items()}
    expected = {name: frame["expected_amount"].to_numpy() for name, frame in predicted.items()}
    amounts = test["future_amount"].to_numpy()
    contest = gate.Contest(amounts, expected, MODEL, RULES, POPULATION, gate.CLV_CRITERIA)
    decision = gate.decide(contest, seed=seed)
    decision = replace(decision, reason=f"{decision.reason} {fitted[MODEL].candidate_.message_}")
    evaluations = [
        _evaluate(test, frame, seed).with_columns(
            model=pl.lit("clv"),
            candidate=pl.lit(name),
            cutoff_date=pl.lit(test_date),
            horizon_days=pl.lit(horizon_days),
        )
        for name, frame in predicted.items()
    ]
    serving = _fit(_candidates()[decision.candidate], test, horizon_days)
    return Training(conform(pl.concat(evaluations), EVALUATIONS), decision, serving)


def _candidates() -> dict[str, Any]:
    return {
        MODEL: PurchaseValueModel(),
        "spend_per_day": SpendPerDayRule(),
        "order_times_rate": OrderTimesRateRule(),
        POPULATION: PopulationMeanRule(),
    }


def _fit(candidate: Any, snapshots: pl.DataFrame, horizon_days: int) -> LeveledClv:
    return LeveledClv(candidate).fit(snapshots).calibrate(snapshots, horizon_days=horizon_days)


def _without_contest(matured: pl.DataFrame, lack: str, horizon_days: int, minimums: Minimums) -> Training:
    days = matured["as_of_date"].unique().sort().tail(1).to_list()
    latest = _at(matured, days)
    serving = LeveledClv(_candidates()[FALLBACK]).fit(latest)
    level = "with its level as it is: hardly an outcome has matured"
    if latest.height >= minimums.level_customers:
        serving.calibrate(latest, horizon_days=horizon_days)
        level = f"levelled on {latest.height} customers at {days[0]}"
    reason = f"No model was trained: {lack}. {FALLBACK} serves, {level}."
    decision = gate.without_contest("rule", FALLBACK, reason=reason)
    return Training(empty(EVALUATIONS), decision, serving)


def _lack(purpose: str, snapshots: pl.DataFrame, minimums: Minimums) -> str:
    paid = (pl.col("purchase_day_count") > 1) & (pl.col("monetary_amount") > 0)
    found = (
        snapshots.height,
        snapshots.filter(paid).height,
        snapshots.filter(pl.col("future_purchase_count") > 0).height,
    )
    needed = (minimums.customers, minimums.repeat_customers, minimums.future_buyers)
    if all(have >= need for have, need in zip(found, needed, strict=True)):
        return ""
    return (
        f"{purpose} has {found[0]} customers, {found[1]} who came back and {found[2]} who bought later, "
        f"of {needed[0]}, {needed[1]} and {needed[2]} needed"
    )


def _evaluate(test: pl.DataFrame, predicted: pl.DataFrame, seed: int) -> pl.DataFrame:
    amounts, expected = test["future_amount"].to_numpy(), predicted["expected_amount"].to_numpy()
    p10, p90 = (predicted[f"expected_amount_{end}"].to_numpy() for end in ("p10", "p90"))
    held = ((amounts >= p10) & (amounts <= p90)).astype(np.float64)
    return pl.concat(
        [
            evaluation.evaluate(amounts, expected, metrics=evaluation.CLV_METRICS, seed=seed),
            evaluation.evaluate(held, expected, metrics={"interval_coverage": evaluation.hit_rate}, seed=seed),
        ]
    )


def _at(snapshots: pl.DataFrame, days: Sequence[date]) -> pl.DataFrame:
    return snapshots.filter(pl.col("as_of_date").is_in(list(days)))
