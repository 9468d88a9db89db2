"""The gate: nothing is served that does not beat the simple rule, judged on a cut-off that no fit has seen.

Pure: outcomes and predictions in, a decision and the sentence that explains it out. Training, refitting and
keeping the decision do not belong here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final, Literal

from ml.evaluation import (
    Array,
    Interval,
    Metric,
    auc,
    bias,
    brier,
    calibration_slope,
    normalised_gini,
    paired_difference,
    root_mean_squared_error,
)

ServedBy = Literal["champion", "rule", "population"]


@dataclass(frozen=True)
class Criteria:
    """What a contest is judged by: rank (higher wins), loss (lower wins) and limits that level must keep."""

    rank_name: str
    rank: Metric
    loss_name: str
    loss: Metric
    level_name: str
    level: Metric
    level_limits: tuple[float, float]


CHURN_CRITERIA: Final = Criteria("AUC", auc, "Brier score", brier, "calibration slope", calibration_slope, (0.8, 1.2))
CLV_CRITERIA: Final = Criteria(
    "normalised Gini",
    normalised_gini,
    # squared error is least at the mean; absolute error at the median, which is 0 where most buy nothing
    "RMSE",
    root_mean_squared_error,
    "bias",
    bias,
    (-0.15, 0.15),
)


@dataclass(frozen=True)
class Contest:
    """What happened on the test cut-off and what each candidate had predicted, a number a customer."""

    actual: Array
    predictions: Mapping[str, Array]
    model: str
    rules: Sequence[str]
    population: str
    criteria: Criteria


@dataclass(frozen=True)
class Decision:
    """Who serves, as what, the status of every candidate for `ml.model_versions`, and why in a sentence."""

    served_by: ServedBy
    candidate: str
    status: dict[str, str]
    reason: str


def decide(contest: Contest, *, seed: int) -> Decision:
    """The model serves if it beats the best rule in rank or loss, not worse in the other, level in limits.

    Better and worse mean that the paired bootstrap interval over customers excludes zero. The best rule may
    be one in rank and another in loss: the model meets the stronger each time. Otherwise the rule of lowest
    loss among those that keep their level serves, and failing those the population rate.
    """
    criteria, actual, predictions = contest.criteria, contest.actual, contest.predictions
    ranker = max(contest.rules, key=lambda name: _or_worst(criteria.rank(actual, predictions[name])))
    closest = min(contest.rules, key=lambda name: criteria.loss(actual, predictions[name]))
    mine = predictions[contest.model]
    rank = paired_difference(criteria.rank, actual, mine, predictions[ranker], seed=seed)
    loss = paired_difference(criteria.loss, actual, mine, predictions[closest], seed=seed)
    level = criteria.level(actual, mine)
    better, worse = rank.lower > 0 or loss.upper < 0, rank.upper < 0 or loss.lower > 0
    numbers = "; ".join(
        [
            _compared(criteria.rank_name, criteria.rank(actual, mine), rank, ranker),
            _compared(criteria.loss_name, criteria.loss(actual, mine), loss, closest),
            _level(criteria, level),
        ]
    )
    if better and not worse and _keeps_level(criteria, level):
        return _settle(contest, "champion", contest.model, f"{contest.model} beats the rules: {numbers}.")
    return _fall_back(contest, f"{contest.model} is rejected: {numbers}.")


def without_contest(served_by: ServedBy, candidate: str, *, reason: str) -> Decision:
    """The decision where no model could be trained: a rule or the population rate serves."""
    return Decision(served_by, candidate, {candidate: "rule"}, reason)


def _settle(contest: Contest, served_by: ServedBy, candidate: str, reason: str) -> Decision:
    rules = dict.fromkeys([*contest.rules, contest.population], "rule")
    status = {contest.model: "champion" if served_by == "champion" else "rejected"} | rules
    return Decision(served_by, candidate, status, reason)


def _fall_back(contest: Contest, reason: str) -> Decision:
    criteria, actual, predictions = contest.criteria, contest.actual, contest.predictions
    levels = {name: criteria.level(actual, predictions[name]) for name in contest.rules}
    sound = [name for name in contest.rules if _keeps_level(criteria, levels[name])]
    if not sound:
        said = ", ".join(f"{name} {level:.3f}" for name, level in levels.items())
        because = f"No rule keeps its {criteria.level_name} within limits ({said}): {contest.population} serves."
        return _settle(contest, "population", contest.population, f"{reason} {because}")
    best = min(sound, key=lambda name: criteria.loss(actual, predictions[name]))
    return _settle(contest, "rule", best, f"{reason} {best} serves: {_level(criteria, levels[best])}.")


def _keeps_level(criteria: Criteria, level: float) -> bool:
    lowest, highest = criteria.level_limits
    return lowest <= level <= highest


def _or_worst(rank: float) -> float:
    return float("-inf") if isnan(rank) else rank


def _compared(name: str, value: float, difference: Interval, opponent: str) -> str:
    return (
        f"{name} {value:.4g}, {difference.value:+.4g} against {opponent} "
        f"(95 % interval {difference.lower:+.4g} to {difference.upper:+.4g})"
    )


def _level(criteria: Criteria, level: float) -> str:
    lowest, highest = criteria.level_limits
    verdict = "within" if _keeps_level(criteria, level) else "outside"
    return f"{criteria.level_name} {level:.3f} is {verdict} {lowest:g} to {highest:g}"
