"""What to order, on weeks whose errors can be added up by hand, and on simulated ones that are then sold."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from ml.demand.backtest import Trials, roll
from ml.demand.forecasters import exponential_smoothing
from ml.demand.forecasting import Outlook, Plan, look_ahead
from ml.demand.reorder import STOCK, Policy, excess, suggest
from ml.demand.weeks import Weeks

DAY = date(2026, 6, 30)
PLAN = Plan(horizon_weeks=4, origins=6, minimum_weeks=26)
WEEKLY = Policy(service_level=0.9, review_days=7, lead_time_days=7)


def stock(*rows: tuple[str, float, float | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=STOCK, orient="row")


def by_hand(*, unit: str = "quantity") -> Outlook:
    """One group, two origins: the forecast 10 a week; sold 12 and 9 after the latest origin, 10 and 15 before it."""
    told, sold = np.full((2, 1, 2), 10.0), np.array([[[12.0, 9.0]], [[10.0, 15.0]]])
    trials = Trials({"last_week": told, "moving_average": 3 * told}, sold, scale=np.array([2.0]))
    weeks = Weeks(["jam"], np.full((1, 30), 10.0), DAY)
    return Outlook(weeks, Plan(2, 2, 10, unit), trials, ["last_week"], np.full((1, 2), 10.0), None)


def test_stock_must_last_until_the_order_after_the_next_has_arrived() -> None:
    row = suggest(by_hand(), stock(("jam", 7, 3)), WEEKLY).row(0, named=True)
    # Three days and a week: 10 and three sevenths of 10. Two weeks once sold 1 more than expected and once 5 more.
    assert row["expected_demand"] == pytest.approx(100 / 7, abs=1e-4)
    assert row["safety_stock"] == 5
    assert row["suggested_quantity"] == 13  # 14.29 and 5 less 7, in whole pieces
    assert row["tested_service_level"] == 1  # 5 more were allowed for by the origin before, 1 more was sold
    assert row["lead_time_days"] == 3


def test_what_is_owed_is_ordered_too_and_what_suffices_is_not() -> None:
    owed, plenty = (suggest(by_hand(), stock(("jam", pieces, 7)), WEEKLY) for pieces in (-4, 400))
    assert owed["suggested_quantity"].to_list() == [29]
    assert plenty["suggested_quantity"].to_list() == [0]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy(0.9, 7, None), "No lead time"),
        (Policy(0.9, 14, 7), "21 days must be covered"),
    ],
)
def test_what_cannot_be_said_says_why(policy: Policy, said: str) -> None:
    row = suggest(by_hand(), stock(("jam", 7, None)), policy).row(0, named=True)
    assert row["suggested_quantity"] is None
    assert said in row["reason"]


def test_without_trials_pieces_or_stock_nothing_is_suggested() -> None:
    short = look_ahead(Weeks(["jam"], np.full((1, 20), 5.0), DAY), PLAN)
    assert "No test" in suggest(short, stock(("jam", 7, 7)), WEEKLY)["reason"].item()
    assert suggest(by_hand(unit="net_amount"), stock(("jam", 7, 7)), WEEKLY).is_empty()
    assert suggest(by_hand(), stock(("tea", 7, 7)), WEEKLY).is_empty()


@pytest.mark.parametrize("service_level", [0.8, 0.95])
def test_stock_lasts_as_often_as_was_asked(service_level: float) -> None:
    random = np.random.default_rng(5)
    demand = random.gamma(9, random.uniform(1, 9, (400, 1)), (400, 62))
    known = Weeks([f"g{number}" for number in range(400)], demand[:, :60], DAY)
    trials = roll(known, horizon=4, origins=6, minimum_weeks=26)
    assert trials is not None
    serving = ["exponential_smoothing"] * 400
    allowed = trials.scale * excess(trials, serving, weeks=2, service_level=service_level)
    expected = exponential_smoothing(known.demand, 2).sum(axis=1)
    lasted = (demand[:, 60:].sum(axis=1) <= expected + allowed).mean()
    assert lasted == pytest.approx(service_level, abs=0.05)
