"""Forecasters of weekly demand: history (groups x weeks) and a horizon in, forecasts (groups x horizon) out.

The rules are seasonal-naive. Every day of the week as it was seven days before adds up to the last week again; with a
year and more of history there is the same week of the last year as well. No forecast is below 0. One model is told what
is planned: `smoothing_with_plan`.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np

from ml.demand.weeks import Array

Forecaster = Callable[[Array, int], Array]
YEAR: Final = 52
_STEPS: Final = np.linspace(0.05, 0.95, 19)
_DAMPING: Final = (0.8, 0.9, 0.98)


def last_week(history: Array, horizon: int) -> Array:
    """Seasonal-naive with a season of seven days, in weeks."""
    return np.repeat(history[:, -1:], horizon, axis=1)


def last_year(history: Array, horizon: int) -> Array:
    """Seasonal-naive with a season of 52 weeks."""
    return history[:, history.shape[1] - YEAR : history.shape[1] - YEAR + horizon]


def moving_average(history: Array, horizon: int) -> Array:
    """The mean of the last four weeks."""
    return np.repeat(history[:, -4:].mean(axis=1, keepdims=True), horizon, axis=1)


def exponential_smoothing(history: Array, horizon: int) -> Array:
    """Simple exponential smoothing (Brown 1959); each group's step is the one of 19 with the least squared error."""
    best, least = history[:, -1].copy(), np.full(len(history), np.inf)
    for step in _STEPS:
        level, squares = history[:, 0].copy(), np.zeros(len(history))
        for week in range(1, history.shape[1]):
            error = history[:, week] - level
            squares += error**2
            level += step * error
        is_better = squares < least
        best[is_better], least[is_better] = level[is_better], squares[is_better]
    return np.repeat(best[:, None], horizon, axis=1)


def damped_trend(history: Array, horizon: int) -> Array:
    """Exponential smoothing with a trend that fades (Gardner and McKenzie 1985), its parameters by least squares."""
    found, least = last_week(history, horizon), np.full(len(history), np.inf)
    for step, share, damping in _parameters():
        level, trend = history[:, 0].copy(), np.zeros(len(history))
        squares = np.zeros(len(history))
        for week in range(1, history.shape[1]):
            expected = level + damping * trend
            error = history[:, week] - expected
            squares += error**2
            level, trend = expected + step * error, damping * trend + step * share * error
        ahead = level[:, None] + trend[:, None] * np.cumsum(damping ** np.arange(1, horizon + 1))
        is_better = squares < least
        found[is_better], least[is_better] = ahead[is_better], squares[is_better]
    return np.maximum(found, 0)


def smoothing_with_plan(history: Array, horizon: int, *, planned: Array) -> Array:
    """Exponential smoothing of what remains without holidays, promotions and the like, which are put back ahead.

    What they do in a group is the regression of the changes of its log demand on theirs, drawn to the mean of all
    groups by as much as it is uncertain (empirical Bayes: Efron and Morris 1975). `planned` is weeks x regressors from
    the first week of `history` to the horizon.
    """
    weeks = history.shape[1]
    varies = planned[:weeks].std(axis=0) > 0
    plan = planned[: weeks + horizon, varies]
    plan = (plan - plan[:weeks].mean(axis=0)) / plan[:weeks].std(axis=0)
    changes, of_plan = np.diff(np.log1p(history), axis=1), np.diff(plan[:weeks], axis=0)
    inverse = np.linalg.pinv(of_plan.T @ of_plan)
    own = changes @ of_plan @ inverse  # groups x regressors
    left = max(1, len(of_plan) - of_plan.shape[1])
    noise = ((changes - own @ of_plan.T) ** 2).sum(axis=1, keepdims=True) / left * inverse.diagonal()
    common = own.mean(axis=0)
    between = np.maximum(((own - common) ** 2 - noise).mean(axis=0), 1e-9)
    effects = (common + between / (between + noise) * (own - common)) @ plan.T
    plain = np.maximum(np.expm1(np.log1p(history) - effects[:, :weeks]), 0)
    level = np.log1p(exponential_smoothing(plain, horizon))
    return np.asarray(np.maximum(np.expm1(level + effects[:, weeks:]), 0))


def _parameters() -> Iterator[tuple[float, float, float]]:
    for step in _STEPS[::3]:
        for share in (0.05, 0.2, 0.5):
            for damping in _DAMPING:
                yield float(step), share, damping


RULES: Final[dict[str, Forecaster]] = {"last_week": last_week, "last_year": last_year}
MODELS: Final[dict[str, Forecaster]] = {
    "moving_average": moving_average,
    "exponential_smoothing": exponential_smoothing,
    "damped_trend": damped_trend,
}
FORECASTERS: Final = RULES | MODELS
PLANNED: Final = "smoothing_with_plan"


def usable(weeks: int, planned: Array) -> dict[str, Forecaster]:
    """The forecasters that a history of so many weeks can feed, rules first, each history beginning with `planned`."""
    found = {name: told for name, told in FORECASTERS.items() if name != "last_year" or weeks >= YEAR}
    is_told = bool(len(planned)) and bool((planned[:weeks].std(axis=0) > 0).any())
    return found | ({PLANNED: partial(smoothing_with_plan, planned=planned)} if is_told else {})
