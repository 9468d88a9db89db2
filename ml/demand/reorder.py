"""What to order now, so that stock lasts until the next order has arrived as often as the service level asks.

An order placed today must cover demand until the one after it arrives: lead time and review period together (Silver,
Pyke and Thomas 2017, periodic review with an order-up-to level). How far demand may exceed its forecast by then comes
from the rolling origins, not from a normal distribution: the errors of all groups on their own scale, summed over the
protected weeks.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from ml.action_schemas import REORDER_SUGGESTIONS
from ml.demand.backtest import Trials, choose
from ml.demand.forecasting import Outlook
from ml.demand.weeks import Array
from ml.schemas import Schema, empty

STOCK: Final[Schema] = {"product_group": pl.String, "on_hand_quantity": pl.Float64, "lead_time_days": pl.Float64}
"""Grain: product group; pieces by the last level of each of its products, the longest known lead time or null."""
SAID: Final = ("expected_demand", "safety_stock", "order_up_to", "suggested_quantity", "tested_service_level")


@dataclass(frozen=True)
class Policy:
    """The share of cycles that stock shall last, days between orders, and the lead time where stock levels say none."""

    service_level: float
    review_days: int
    lead_time_days: int | None


def suggest(outlook: Outlook, stock: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """REORDER_SUGGESTIONS of every group that is forecast in pieces and has a stock level (STOCK)."""
    if outlook.plan.unit != "quantity":
        return empty(REORDER_SUGGESTIONS)
    groups = {name: group for group, name in enumerate(outlook.weeks.groups)}
    rows = []
    for name, on_hand, said in stock.select(*STOCK).sort("product_group").iter_rows():
        if name in groups:
            lead_time = policy.lead_time_days if said is None else said
            row = {
                "as_of_date": outlook.weeks.as_of,
                "product_group": name,
                "service_level": policy.service_level,
                "lead_time_days": lead_time,
                "review_days": policy.review_days,
                "on_hand_quantity": on_hand,
            }
            rows.append(row | _order(outlook, groups[name], on_hand, lead_time, policy))
    return pl.DataFrame(rows, schema=REORDER_SUGGESTIONS)


def _order(
    outlook: Outlook, group: int, on_hand: float, lead_time: float | None, policy: Policy
) -> dict[str, float | str | None]:
    """The level to order up to and what is missing from it, or why none is said."""
    days = math.nan if lead_time is None else lead_time + policy.review_days
    trials, horizon = outlook.trials, outlook.plan.horizon_weeks
    unsaid = dict.fromkeys(SAID)
    if lead_time is None:
        return unsaid | {"reason": "No lead time in stock_levels.lead_time_days or models.demand.reorder."}
    if days > 7 * horizon:
        return unsaid | {"reason": f"{days:g} days must be covered, more than models.demand.horizon_weeks forecasts."}
    if trials is None:
        return unsaid | {"reason": "No test on past weeks, so nothing is known of how far forecasts err."}
    weeks = math.ceil(days / 7)
    over = excess(trials, outlook.serving, weeks=weeks, service_level=policy.service_level)
    expected = float((outlook.expected[group] * _shares(days, horizon)).sum())
    safety = max(0.0, over * float(trials.scale[group]))
    return {
        "expected_demand": round(expected, 4),
        "safety_stock": round(safety, 4),
        "order_up_to": round(expected + safety, 4),
        "suggested_quantity": max(0, math.ceil(round(expected + safety - on_hand, 6))),
        "tested_service_level": tested(trials, weeks=weeks, service_level=policy.service_level),
        "reason": f"{days:g} days to cover: {expected:,.0f} expected, {safety:,.0f} more for what forecasts missed.",
    }


def _shares(days: float, horizon: int) -> Array:
    """How much of each week ahead lies in the days that must be covered."""
    return np.clip(days / 7 - np.arange(horizon), 0, 1)


def excess(trials: Trials, serving: list[str], *, weeks: int, service_level: float, from_origin: int = 0) -> float:
    """What demand of so many weeks exceeds its forecast by in at most 1 - service level of cases, on MASE's scale."""
    return float(np.quantile(_over(trials, serving, weeks)[from_origin:], service_level, method="higher"))


def tested(trials: Trials, *, weeks: int, service_level: float) -> float:
    """The share of groups whose stock would have lasted at the latest origin, by what was known before it."""
    serving = choose(trials, from_origin=1)
    allowed = excess(trials, serving, weeks=weeks, service_level=service_level, from_origin=1)
    return round(float((_over(trials, serving, weeks)[0] <= max(0.0, allowed)).mean()), 9)


def _over(trials: Trials, serving: list[str], weeks: int) -> Array:
    """Origins x groups: demand less forecast, summed over the weeks, on the group's own scale."""
    told = np.stack([trials.forecasts[name][:, group, :weeks] for group, name in enumerate(serving)], axis=1)
    return np.asarray((trials.actual[:, :, :weeks] - told).sum(axis=2) / trials.scale[None, :])
