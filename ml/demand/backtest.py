"""Rolling origins: every forecaster on past weeks that it had not seen, and per group the one that serves.

A group is served by the best model if its absolute error over the origins is less than every rule's, else by the rule.
How good that choice is, is measured apart: made without the latest origin, and graded on it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ml.demand.forecasters import RULES, usable
from ml.demand.weeks import Array, Weeks

COVERAGE: Final = 0.8
"""Of the intervals."""


@dataclass(frozen=True)
class Trials:
    """Forecasts by name and what happened, origins x groups x horizon, the latest origin first; `scale` per group.

    The scale is MASE's: the mean absolute change from week to week before the latest origin (Hyndman and Koehler 2006).
    """

    forecasts: dict[str, Array]
    actual: Array
    scale: Array

    @property
    def errors(self) -> dict[str, Array]:
        """Absolute errors, shaped as the forecasts."""
        return {name: np.abs(told - self.actual) for name, told in self.forecasts.items()}


def roll(weeks: Weeks, *, horizon: int, origins: int, minimum_weeks: int) -> Trials | None:
    """Trials at up to `origins` origins, one horizon apart; none where history is too short for two of them."""
    demand, length = weeks.demand, weeks.demand.shape[1]
    cuts = [length - horizon * (number + 1) for number in range(origins)]
    cuts = [cut for cut in cuts if cut >= minimum_weeks]
    if len(cuts) < 2:
        return None
    told = usable(cuts[-1], weeks.planned)
    forecasts = {name: np.stack([ask(demand[:, :cut], horizon) for cut in cuts]) for name, ask in told.items()}
    actual = np.stack([demand[:, cut : cut + horizon] for cut in cuts])
    scale = np.abs(np.diff(demand[:, : cuts[0]], axis=1)).mean(axis=1)
    return Trials(forecasts, actual, np.where(scale > 0, scale, 1.0))


def choose(trials: Trials, *, from_origin: int = 0) -> list[str]:
    """Who serves each group, by the errors of the origins from `from_origin` on; a tie goes to the rule.

    One model competes: that of the least MASE over all groups. The best of several in each group would win by chance.
    """
    errors = {name: error[from_origin:] for name, error in trials.errors.items()}
    model = min(
        (name for name in errors if name not in RULES),
        key=lambda name: (errors[name] / trials.scale[None, :, None]).mean(),
    )
    rules = [name for name in errors if name in RULES]
    total = {name: errors[name].sum(axis=(0, 2)) for name in (*rules, model)}
    return [min(total, key=lambda name: total[name][group]) for group in range(trials.actual.shape[1])]


def half_widths(trials: Trials, serving: list[str], *, from_origin: int = 0) -> Array:
    """Half the width of the interval, groups x horizon: conformal, from the errors of all groups on their own scale."""
    errors = trials.errors
    scaled = np.stack([errors[name][from_origin:, group] / trials.scale[group] for group, name in enumerate(serving)])
    quantile = np.quantile(scaled, COVERAGE, axis=(0, 1))
    return np.asarray(trials.scale[:, None] * quantile[None, :])
