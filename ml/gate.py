"""The gate: nothing is served that does not beat the simple rule, judged on cut-offs that no fit has seen.

Pure: outcomes and predictions in, a decision, its numbers and the sentences that explain it out. Training, refitting
and keeping the decision do not belong here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Final, Literal

from ml.evaluation import Holdouts, Interval, Measured
from ml.metrics import (
    Array,
    Metric,
    auc,
    bias,
    brier,
    calibration_slope,
    normalised_gini,
    root_mean_squared_error,
)

ServedBy = Literal["champion", "rule", "population"]


@dataclass(frozen=True)
class Criteria:
    """What a contest is judged by: rank (higher wins), loss (lower wins) and limits that level must keep.

    With `must_win_rank` a loss that is better does not make up for a rank that is not.
    """

    rank_name: str
    rank: Metric
    loss_name: str
    loss: Metric
    level_name: str
    level: Metric
    level_limits: tuple[float, float]
    must_win_rank: bool = False


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
    """What happened on the test cut-offs, and what each candidate had predicted there, an array a cut-off.

    `challengers` come simplest first; `champion` is the one of them that serves today, fitted for each cut-off like
    the others: the file that serves has seen the outcomes by which a challenger is judged.
    """

    holdouts: Holdouts
    predictions: Mapping[str, Sequence[Array]]
    challengers: Sequence[str]
    rules: Sequence[str]
    population: str
    criteria: Criteria
    champion: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One number of a decision: a candidate's metric over all cut-offs, and by how much it differs from another's."""

    candidate: str
    opponent: str
    metric: str
    value: float
    difference: Interval


@dataclass(frozen=True)
class Decision:
    """Who serves, as what; each candidate's status and reason for `ml.model_versions`; the numbers compared."""

    served_by: ServedBy
    candidate: str
    status: dict[str, str]
    reasons: dict[str, str]
    comparisons: list[Comparison] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why the one that serves does."""
        return self.reasons[self.candidate]

    def refuse(self, obstacles: Mapping[str, str]) -> "Decision":
        """The same decision with candidates on record that could not take part, and why."""
        refused = dict.fromkeys(obstacles, "rejected")
        return replace(self, status=refused | self.status, reasons=dict(obstacles) | self.reasons)


def decide(contest: Contest) -> Decision:
    """The simplest challenger that beats the best rule and is not significantly worse than any other that does.

    To beat it is to be better in rank or loss, not worse in the other, with a level within limits; better and worse
    mean that the interval of the difference, paired over customers and cut-offs, excludes zero. The best rule may be
    one in rank and another in loss: a challenger meets the stronger each time. A champion that still beats the rules
    stays unless the chosen one is not significantly worse. Where nobody beats them, the rule of lowest loss among
    those that keep their level serves, and failing those the population rate.
    """
    court = _Court(contest)
    verdicts = {name: court.judge(name) for name in contest.challengers}
    passed = [name for name in contest.challengers if verdicts[name].is_passed]
    reasons = {name: verdict.reason for name, verdict in verdicts.items()}
    statuses = {name: "challenger" if verdict.is_passed else "rejected" for name, verdict in verdicts.items()}
    rules = dict.fromkeys([*contest.rules, contest.population], "rule")
    if not passed:
        served_by, candidate, because = court.fall_back()
        return Decision(served_by, candidate, statuses | rules, reasons | {candidate: because}, court.comparisons)
    best = min(passed, key=court.loss)
    unbeaten = (name for name in passed if not any(court.is_worse(name, other) for other in passed if other != name))
    chosen = next(unbeaten, best)
    if contest.champion in passed and chosen != contest.champion and court.is_worse(chosen, contest.champion):
        reasons[chosen] += f" It is worse than the champion {contest.champion}, which stays."
        chosen = contest.champion
    elif chosen != best:
        reasons[chosen] += (
            f" {best} has the least {contest.criteria.loss_name}, but not significantly, and is not simpler."
        )
    return Decision("champion", chosen, statuses | rules | {chosen: "champion"}, reasons, court.comparisons)


def without_contest(served_by: ServedBy, candidate: str, *, reason: str) -> Decision:
    """The decision where no model could be trained: a rule or the population rate serves."""
    return Decision(served_by, candidate, {candidate: "rule"}, {candidate: reason})


@dataclass(frozen=True)
class _Verdict:
    is_passed: bool
    reason: str


class _Court:
    """Every candidate measured once; what is compared is written down."""

    def __init__(self, contest: Contest) -> None:
        self.contest, self.criteria = contest, contest.criteria
        measure = contest.holdouts.measure
        self._ranks = {name: measure(self.criteria.rank, told) for name, told in contest.predictions.items()}
        self._losses = {name: measure(self.criteria.loss, told) for name, told in contest.predictions.items()}
        self.comparisons: list[Comparison] = []
        self.ranker = max(contest.rules, key=lambda name: _or_worst(self._ranks[name].mean.value))
        self.closest = min(contest.rules, key=self.loss)

    def loss(self, name: str) -> float:
        return self._losses[name].mean.value

    def level(self, name: str) -> Interval:
        return self.contest.holdouts.measure(self.criteria.level, self.contest.predictions[name]).mean

    def judge(self, name: str) -> _Verdict:
        rank, loss = self._against(name, ranker=self.ranker, closest=self.closest)
        level = self.level(name)
        self.comparisons.append(Comparison(name, "", self.criteria.level_name, level.value, level))
        better = rank.lower > 0 or (loss.upper < 0 and not self.criteria.must_win_rank)
        is_passed = better and not _is_worse(rank, loss) and self.keeps_level(level.value)
        numbers = "; ".join([*self._said(name, rank, loss), self._level_said(level.value)])
        return _Verdict(is_passed, f"{'Beats the rules' if is_passed else 'Does not beat the rules'}: {numbers}.")

    def is_worse(self, name: str, other: str) -> bool:
        """Whether the interval of the difference excludes zero the wrong way, in rank or in loss."""
        return _is_worse(*self._against(name, ranker=other, closest=other))

    def fall_back(self) -> tuple[ServedBy, str, str]:
        levels = {name: self.level(name).value for name in self.contest.rules}
        sound = [name for name, level in levels.items() if self.keeps_level(level)]
        if not sound:
            said = ", ".join(f"{name} {level:.3f}" for name, level in levels.items())
            because = (
                f"No model beats the rules, and no rule keeps its {self.criteria.level_name} within limits ({said})."
            )
            return "population", self.contest.population, f"{because} {self.contest.population} serves."
        best = min(sound, key=self.loss)
        return "rule", best, f"No model beats the rules: {best} serves. Its {self._level_said(levels[best])}."

    def keeps_level(self, level: float) -> bool:
        lowest, highest = self.criteria.level_limits
        return lowest <= level <= highest

    def _against(self, name: str, *, ranker: str, closest: str) -> tuple[Interval, Interval]:
        found = []
        for metric, measured, opponent in (
            (self.criteria.rank_name, self._ranks, ranker),
            (self.criteria.loss_name, self._losses, closest),
        ):
            difference = _difference(measured[name], measured[opponent])
            found.append(difference)
            self.comparisons.append(Comparison(name, opponent, metric, measured[name].mean.value, difference))
        return found[0], found[1]

    def _said(self, name: str, rank: Interval, loss: Interval) -> Iterator[str]:
        for metric, value, difference, opponent in (
            (self.criteria.rank_name, self._ranks[name].mean.value, rank, self.ranker),
            (self.criteria.loss_name, self.loss(name), loss, self.closest),
        ):
            yield (
                f"{metric} {value:.4g}, {difference.value:+.4g} against {opponent} "
                f"(95 % interval {difference.lower:+.4g} to {difference.upper:+.4g})"
            )

    def _level_said(self, level: float) -> str:
        lowest, highest = self.criteria.level_limits
        verdict = "within" if self.keeps_level(level) else "outside"
        return f"{self.criteria.level_name} {level:.3f} is {verdict} {lowest:g} to {highest:g}"


def _difference(first: Measured, second: Measured) -> Interval:
    """The paired difference; what is smaller than rounding makes it is none."""
    found, rounding = (first - second).mean, 1e-9 * abs(first.mean.value)
    return Interval(*(0.0 if abs(number) < rounding else number for number in found))


def _is_worse(rank: Interval, loss: Interval) -> bool:
    return rank.upper < 0 or loss.lower > 0


def _or_worst(rank: float) -> float:
    return float("-inf") if isnan(rank) else rank
