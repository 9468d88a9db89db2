"""Whom to make which offer: expected profit of each customer, the best first, within budgets and limits.

Where effects come from, and what a customer is worth, belongs to the caller.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from ml.schemas import Schema

CANDIDATES: Final[Schema] = {
    "offer": pl.String,
    "customer_id": pl.String,
    "effect": pl.Float64,
    "band": pl.Int64,
    "value_amount": pl.Float64,
    "risk_weight": pl.Float64,
    "cost_amount": pl.Float64,
}
"""Grain: offer x customer who may have it. `effect` is what the offer adds to the outcome, `value_amount` what a unit
of the outcome is worth, `risk_weight` the share of it at stake, `cost_amount` what the offer is expected to cost."""

CHOSEN: Final[Schema] = CANDIDATES | {"expected_profit_amount": pl.Float64, "rank": pl.Int64}
"""Grain: customer. `rank` 1 of an offer has the most profit per cost."""

Z: Final = 1.959963984540054
"""Of a 95 % interval."""
EXACT: Final = "the best plan there is"
GREEDY: Final = "close to the best plan, not proven to be it"


@dataclass(frozen=True)
class Limits:
    """What an offer may cost in all, and how many customers may have it; none: no limit."""

    budget_amount: float | None = None
    maximum_customers: int | None = None


@dataclass(frozen=True)
class Total:
    """Expected profit of all customers who get an offer, with its 95 % interval where effects have one."""

    customer_count: int
    cost_amount: float
    expected_profit_amount: float
    lower: float | None
    upper: float | None


def choose(candidates: pl.DataFrame, limits: Mapping[str, Limits], *, budget_amount: float | None) -> pl.DataFrame:
    """CHOSEN of CANDIDATES: at most one offer a customer, none at an expected loss, within all budgets and limits.

    Expected profit is effect x value x risk - cost. Offers are taken by profit per cost where there is a budget
    (Dantzig 1957, Discrete-variable extremum problems, Operations Research 5(2)), else by profit; what does not fit is
    passed over.
    """
    profit = pl.col("effect") * pl.col("value_amount") * pl.col("risk_weight") - pl.col("cost_amount")
    order = pl.when(pl.col("cost_amount") > 0).then(profit / pl.col("cost_amount")).otherwise(math.inf)
    if not _has_budget(limits, budget_amount):
        order = profit
    ranked = (
        candidates.with_columns(expected_profit_amount=profit)
        .filter(pl.col("expected_profit_amount") > 0)
        .with_columns(order=order)
        .sort("order", "expected_profit_amount", "offer", "customer_id", descending=[True, True, False, False])
    )
    taken = _taken(ranked, limits, budget_amount=budget_amount)
    chosen = ranked.filter(pl.Series(taken, dtype=pl.Boolean))
    return chosen.with_columns(rank=pl.int_range(1, pl.len() + 1).over("offer")).select(
        pl.col(name).cast(kind) for name, kind in CHOSEN.items()
    )


def _taken(ranked: pl.DataFrame, limits: Mapping[str, Limits], *, budget_amount: float | None) -> list[bool]:
    left = math.inf if budget_amount is None else budget_amount
    budgets = {name: math.inf if one.budget_amount is None else one.budget_amount for name, one in limits.items()}
    places = {
        name: math.inf if one.maximum_customers is None else one.maximum_customers for name, one in limits.items()
    }
    served: set[str] = set()
    taken = []
    for offer, customer, cost in ranked.select("offer", "customer_id", "cost_amount").iter_rows():
        fits = cost <= min(left, budgets[offer]) + 1e-9 and places[offer] > 0 and customer not in served
        taken.append(fits)
        if fits:
            served.add(customer)
            left, budgets[offer], places[offer] = left - cost, budgets[offer] - cost, places[offer] - 1
    return taken


def selection(candidates: pl.DataFrame, limits: Mapping[str, Limits], *, budget_amount: float | None) -> str:
    """How offers were taken and how good the plan is, in words: it is the best where nothing is scarce, and of a single
    offer that costs the same for everybody or has no budget.
    """
    has_budget = _has_budget(limits, budget_amount)
    is_scarce = has_budget or any(one.maximum_customers is not None for one in limits.values())
    is_plain = candidates["offer"].n_unique() <= 1 and (not has_budget or candidates["cost_amount"].n_unique() <= 1)
    rule = "the most profit per cost first" if has_budget else "the most profit first"
    return f"{rule}: {EXACT if is_plain or not is_scarce else GREEDY}"


def _has_budget(limits: Mapping[str, Limits], budget_amount: float | None) -> bool:
    return budget_amount is not None or any(one.budget_amount is not None for one in limits.values())


def total(chosen: pl.DataFrame, bands: pl.DataFrame | None) -> Total:
    """The sum over one offer's CHOSEN; the interval is that of the effects of their BANDS, independent of each other.

    It is about the mean effect of so many customers like those of the experiment, not about each of them; none without
    bands, where the effect is a declared number and no estimate.
    """
    chosen = chosen.sort("customer_id")
    profit, cost = float(chosen["expected_profit_amount"].sum()), float(chosen["cost_amount"].sum())
    if bands is None:
        return Total(chosen.height, cost, profit, None, None)
    error = (pl.col("effect_upper") - pl.col("effect_lower")) / (2 * Z)
    stakes = chosen.with_columns(stake=pl.col("value_amount") * pl.col("risk_weight")).group_by("band")
    known = stakes.agg(pl.col("stake").sum()).join(bands.select("band", error=error), on="band").sort("band")
    variance = float(known.select(((pl.col("stake") * pl.col("error")) ** 2).sum()).item())
    half = Z * math.sqrt(variance)
    return Total(chosen.height, cost, profit, profit - half, profit + half)
