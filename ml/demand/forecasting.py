"""The forecasts of every group with who serves and why, and their grades: weeks in, an outlook and two tables out.

DEMAND_FORECASTS say what is expected, DEMAND_EVALUATIONS how every forecaster did at the rolling origins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from ml.action_schemas import DEMAND_EVALUATIONS, DEMAND_FORECASTS
from ml.demand.backtest import Trials, choose, half_widths, roll
from ml.demand.forecasters import RULES, usable
from ml.demand.weeks import Array, Weeks
from ml.schemas import empty

EVERY_GROUP: Final = "all groups"
SERVED: Final = "served"
"""Each group by the forecaster that the origins before the latest would have chosen."""
EVERY_ORIGIN: Final = "every origin"
LATEST_ORIGIN: Final = "latest origin"


@dataclass(frozen=True)
class Plan:
    """What is asked: weeks ahead, how many origins to test at, the weeks that a history needs, and demand of what."""

    horizon_weeks: int
    origins: int
    minimum_weeks: int
    unit: str = "quantity"


@dataclass(frozen=True)
class Outlook:
    """What the weeks ahead look like: who serves each group, what they expect, and the trials if history allows any.

    `expected` is groups x weeks ahead, `half_width` that of the interval, shaped alike.
    """

    weeks: Weeks
    plan: Plan
    trials: Trials | None
    serving: list[str]
    expected: Array
    half_width: Array | None


def look_ahead(weeks: Weeks, plan: Plan) -> Outlook:
    """Try everybody on past weeks and ask who serves; without enough history last week's demand, without interval."""
    trials = roll(weeks, horizon=plan.horizon_weeks, origins=plan.origins, minimum_weeks=plan.minimum_weeks)
    is_tried = trials is not None and bool(weeks.groups)
    serving = choose(trials) if trials and is_tried else ["last_week"] * len(weeks.groups)
    told = usable(weeks.demand.shape[1], weeks.planned)
    answers = {name: told[name](weeks.demand, plan.horizon_weeks) for name in set(serving)}
    expected = np.array([answers[name][group] for group, name in enumerate(serving)])
    half_width = half_widths(trials, serving) if trials and is_tried else None
    return Outlook(weeks, plan, trials if is_tried else None, serving, expected, half_width)


def forecasts(outlook: Outlook) -> pl.DataFrame:
    """DEMAND_FORECASTS."""
    weeks, plan, half_width = outlook.weeks, outlook.plan, outlook.half_width
    too_short = f"History is shorter than {plan.minimum_weeks} weeks and two horizons: last week's demand is repeated."
    rows = []
    for group, name in enumerate(outlook.serving):
        reason = _reason(outlook.trials, group, name) if outlook.trials else too_short
        for week in range(plan.horizon_weeks):
            first, last = weeks.span(week + 1)
            expected = float(outlook.expected[group, week])
            half = None if half_width is None else float(half_width[group, week])
            rows.append(
                {
                    "as_of_date": weeks.as_of,
                    "product_group": weeks.groups[group],
                    "unit": plan.unit,
                    "horizon_weeks": week + 1,
                    "week_start_date": first,
                    "week_end_date": last,
                    "expected_demand": round(expected, 4),
                    "expected_demand_p10": None if half is None else round(max(0.0, expected - half), 4),
                    "expected_demand_p90": None if half is None else round(expected + half, 4),
                    "served_by": "rule" if name in RULES else "champion",
                    "candidate": name,
                    "reason": reason,
                }
            )
    return pl.DataFrame(rows, schema=DEMAND_FORECASTS)


def evaluations(outlook: Outlook) -> pl.DataFrame:
    """DEMAND_EVALUATIONS; no rows without trials."""
    weeks, trials = outlook.weeks, outlook.trials
    if trials is None:
        return empty(DEMAND_EVALUATIONS)
    rows = [*_grades(weeks, trials, outlook.serving), *_served(weeks, trials)]
    return pl.DataFrame(rows, schema=DEMAND_EVALUATIONS)


def _reason(trials: Trials, group: int, name: str) -> str:
    share = {other: _wape(error[:, group], trials.actual[:, group]) for other, error in trials.errors.items()}
    against = min((other for other in share if (other in RULES) != (name in RULES)), key=lambda other: share[other])
    said = f"{name} is off by {share[name]:.1%} of demand on past weeks, {against} by {share[against]:.1%}"
    return f"The rule serves: {said}." if name in RULES else f"Beats the rule: {said}."


def _wape(error: Array, actual: Array) -> float:
    return float(error.sum() / actual.sum()) if actual.sum() > 0 else float("nan")


def _grades(weeks: Weeks, trials: Trials, serving: list[str]) -> Iterator[dict[str, Any]]:
    """Every forecaster over all origins, for each group and for all."""
    for name, error in trials.errors.items():
        for group, called in enumerate(weeks.groups):
            graded = _grade(trials, error[:, [group]], [group])
            yield _named(weeks, called, name, EVERY_ORIGIN) | graded | {"is_serving": serving[group] == name}
        yield _named(weeks, EVERY_GROUP, name, EVERY_ORIGIN) | _grade(trials, error, [*range(len(weeks.groups))])


def _served(weeks: Weeks, trials: Trials) -> Iterator[dict[str, Any]]:
    """The choice made without the latest origin, beside every forecaster, graded on that origin alone."""
    everyone, errors = [*range(len(weeks.groups))], trials.errors
    chosen = choose(trials, from_origin=1)
    served = np.stack([errors[name][:1, group] for group, name in enumerate(chosen)], axis=1)
    for name, error in (errors | {SERVED: served}).items():
        forecasters = chosen if name == SERVED else [name] * len(everyone)
        held = error[0] <= half_widths(trials, forecasters, from_origin=1)
        graded = _grade(trials, error[:1], everyone) | {"interval_coverage": round(float(held.mean()), 9)}
        yield _named(weeks, EVERY_GROUP, name, LATEST_ORIGIN) | graded


def _named(weeks: Weeks, group: str, name: str, test: str) -> dict[str, Any]:
    return {
        "as_of_date": weeks.as_of,
        "product_group": group,
        "candidate": name,
        "test": test,
        "interval_coverage": None,
        "is_serving": None,
    }


def _grade(trials: Trials, error: Array, places: list[int]) -> dict[str, Any]:
    wape = _wape(error, trials.actual[: len(error), places])
    return {
        "origin_count": len(error),
        "wape": None if np.isnan(wape) else round(wape, 9),
        "mase": round(float((error / trials.scale[None, places, None]).mean()), 9),
    }
