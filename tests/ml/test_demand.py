"""Demand forecasts on weeks that can be added up by hand, and on simulated ones whose best forecaster is known."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ml.demand.backtest import choose, half_widths, roll
from ml.demand.forecasters import FORECASTERS, PLANNED, exponential_smoothing, smoothing_with_plan, usable
from ml.demand.forecasting import Plan, evaluations, forecasts, look_ahead
from ml.demand.weeks import DAILY_DEMAND, PLANNED_DAYS, Array, Weeks, sold, weekly

DAY = date(2026, 6, 30)
PLAN = Plan(horizon_weeks=4, origins=6, minimum_weeks=26)


NOTHING: Array = np.zeros((0, 0))


def forecast(weeks: Weeks, plan: Plan) -> tuple[pl.DataFrame, pl.DataFrame]:
    outlook = look_ahead(weeks, plan)
    return forecasts(outlook), evaluations(outlook)


def days(*rows: tuple[str, int, float]) -> pl.DataFrame:
    """DAILY_DEMAND from group, days before DAY and demand."""
    made = [(group, DAY - timedelta(days=age), demand) for group, age, demand in rows]
    return pl.DataFrame(made, schema=DAILY_DEMAND, orient="row")


def test_weeks_end_on_the_day_itself_and_one_without_a_sale_is_zero() -> None:
    found = weekly(
        days(("jam", 0, 1), ("jam", 6, 2), ("jam", 7, 4), ("jam", 21, 8), ("tea", 0, 1), ("jam", 27, 1)),
        as_of=DAY, minimum_weeks=2, maximum_groups=9,
    )  # fmt: skip
    assert found.groups == ["jam"]  # tea has been sold for one week only
    np.testing.assert_array_equal(found.demand, [[9, 0, 4, 3]])
    assert found.span(1) == (DAY + timedelta(days=1), DAY + timedelta(days=7))


def test_a_week_that_is_not_wholly_in_the_data_does_not_count() -> None:
    found = weekly(days(("jam", 0, 1), ("jam", 26, 5)), as_of=DAY, minimum_weeks=1, maximum_groups=9)
    assert found.demand.shape == (1, 3)


def test_every_past_week_of_a_group_is_a_row_and_the_last_ends_on_the_day() -> None:
    rows = sold(Weeks(["jam", "tea"], np.array([[9.0, 0.0], [1.5, 2.0]]), DAY), unit="quantity")
    assert rows.select("product_group", "week_start_date", "week_end_date", "demand").rows() == [
        ("jam", date(2026, 6, 17), date(2026, 6, 23), 9.0),
        ("jam", date(2026, 6, 24), DAY, 0.0),
        ("tea", date(2026, 6, 17), date(2026, 6, 23), 1.5),
        ("tea", date(2026, 6, 24), DAY, 2.0),
    ]
    assert set(rows["unit"]) == {"quantity"}
    assert sold(Weeks([], np.zeros((0, 2)), DAY), unit="quantity").is_empty()


def test_rules_repeat_the_last_week_or_the_same_weeks_of_the_last_year() -> None:
    history = np.arange(60, dtype=float)[None, :]
    np.testing.assert_array_equal(FORECASTERS["last_week"](history, 2), [[59, 59]])
    np.testing.assert_array_equal(FORECASTERS["last_year"](history, 2), [[8, 9]])
    np.testing.assert_array_equal(FORECASTERS["moving_average"](history, 2), [[57.5, 57.5]])
    assert "last_year" not in usable(51, NOTHING)


def test_smoothing_takes_the_step_with_the_least_squared_error() -> None:
    jump = np.array([[10.0] * 10 + [20.0] * 10])
    assert exponential_smoothing(jump, 1)[0, 0] == pytest.approx(20, abs=1e-6)  # a large step
    noise = np.random.default_rng(0).normal(100, 10, (1, 100))
    assert abs(exponential_smoothing(noise, 1)[0, 0] - 100) < 4  # a small one


def test_a_trend_is_followed_for_a_while() -> None:
    rising = 100 + 10 * np.arange(30, dtype=float)[None, :]
    ahead = FORECASTERS["damped_trend"](rising, 3)[0]
    assert 390 < ahead[0] < ahead[1] < ahead[2] < 425


def noisy(groups: int = 40, weeks: int = 60, seed: int = 0) -> np.ndarray:
    """Groups around a level of their own: the mean is best, the last week worst."""
    random = np.random.default_rng(seed)
    return random.gamma(25, random.uniform(1, 9, (groups, 1)), (groups, weeks))


def wandering(groups: int = 40, weeks: int = 60) -> np.ndarray:
    """Random walks: nothing beats the last week."""
    return 1000 + np.random.default_rng(1).normal(0, 30, (groups, weeks)).cumsum(axis=1)


def as_weeks(demand: np.ndarray) -> Weeks:
    return Weeks([f"g{number:02}" for number in range(len(demand))], demand, DAY)


def test_no_origin_sees_its_own_weeks() -> None:
    demand = noisy()
    told = roll(as_weeks(demand), horizon=4, origins=6, minimum_weeks=26)
    assert told is not None
    changed = demand.copy()
    changed[:, -4:] *= 7
    after = roll(as_weeks(changed), horizon=4, origins=6, minimum_weeks=26)
    assert after is not None
    for name, expected in told.forecasts.items():
        np.testing.assert_array_equal(expected, after.forecasts[name])
    np.testing.assert_array_equal(told.actual[0], demand[:, -4:])
    np.testing.assert_array_equal(told.actual[1], demand[:, -8:-4])


def test_models_serve_noisy_groups_and_the_rule_those_that_wander() -> None:
    forecasts, evaluations = forecast(as_weeks(noisy()), PLAN)
    by_model = forecasts.filter(horizon_weeks=1)["served_by"] == "champion"
    assert by_model.mean() > 0.9
    latest = dict(
        evaluations.filter(product_group="all groups", test="latest origin").select("candidate", "wape").iter_rows()
    )
    assert latest["served"] < latest["last_week"]
    walk, _ = forecast(as_weeks(wandering()), PLAN)
    assert (walk["served_by"] == "rule").mean() > 0.25
    assert walk.filter(served_by="rule")["reason"].str.starts_with("The rule serves").all()


def test_where_a_model_is_exactly_as_good_the_rule_serves() -> None:
    flat = roll(as_weeks(np.full((2, 40), 5.0)), horizon=4, origins=3, minimum_weeks=20)
    assert flat is not None
    assert choose(flat) == ["last_week", "last_week"]


def test_four_in_five_intervals_hold() -> None:
    demand = noisy(weeks=64)
    trials = roll(as_weeks(demand[:, :60]), horizon=4, origins=6, minimum_weeks=26)
    assert trials is not None
    serving = ["exponential_smoothing"] * len(demand)
    half = half_widths(trials, serving)
    told = exponential_smoothing(demand[:, :60], 4)
    assert 0.7 < (np.abs(told - demand[:, 60:]) <= half).mean() < 0.9


def test_wape_and_mase_are_what_their_definitions_say() -> None:
    demand = np.array([[10.0, 14.0] * 10])
    _, evaluations = forecast(as_weeks(demand), Plan(horizon_weeks=1, origins=2, minimum_weeks=10))
    row = evaluations.filter(product_group="g00", candidate="last_week").row(0, named=True)
    assert row["wape"] == pytest.approx(8 / 24, abs=1e-9)  # 4 off at each of two origins, of 14 and 10
    assert row["mase"] == pytest.approx(1)
    assert row["origin_count"] == 2


def test_with_too_little_history_last_week_is_repeated_without_a_grade() -> None:
    forecasts, evaluations = forecast(as_weeks(noisy(groups=2, weeks=20)), PLAN)
    assert evaluations.is_empty()
    assert set(forecasts["candidate"]) == {"last_week"}
    assert forecasts["expected_demand_p10"].null_count() == forecasts.height == 8
    nothing, _ = forecast(weekly(days(), as_of=DAY, minimum_weeks=1, maximum_groups=9), PLAN)
    assert nothing.is_empty()


def promoted(weeks: int = 64, horizon: int = 4) -> Weeks:
    """Noisy groups that sell half as much again in weeks of a promotion, every fifth; the last one is a week ahead."""
    on = (np.arange(weeks + horizon) % 5 == 0).astype(float)[:, None]
    return Weeks([f"g{number:02}" for number in range(40)], noisy(weeks=weeks) * (1 + on[:weeks, 0] / 2), DAY, on)


def test_what_is_planned_counts_by_days_of_its_week_and_goes_on_beyond_the_day_itself() -> None:
    planned = [("holiday", -3, 1.0), ("price", 0, 2.0), ("price", -1, 2.0), ("holiday", 14, 1.0), ("holiday", -8, 1.0)]
    rows = [(DAY - timedelta(days=age), name, value) for name, age, value in planned]
    found = weekly(
        days(("jam", 0, 1), ("jam", 27, 1)), as_of=DAY, minimum_weeks=1, maximum_groups=9,
        planned_days=pl.DataFrame(rows, schema=PLANNED_DAYS, orient="row"), horizon=1,
    )  # fmt: skip
    np.testing.assert_allclose(found.planned * 7, [[0, 0], [1, 0], [0, 0], [0, 2], [1, 2]])


def test_a_promotion_that_is_planned_is_learned_and_expected() -> None:
    weeks = promoted()
    told = smoothing_with_plan(weeks.demand, 4, planned=weeks.planned)
    lift = told[:, 1] / told[:, 0]  # week 65 has a promotion, as every fifth; week 64 has none
    assert 1.35 < np.median(lift) < 1.65
    rows, grades = forecast(weeks, PLAN)
    assert rows.filter(candidate=PLANNED).height > 0.7 * rows.height
    latest = dict(grades.filter(test="latest origin").select("candidate", "wape").iter_rows())
    assert latest[PLANNED] < 0.9 * latest["exponential_smoothing"]


def test_a_plan_that_never_changed_teaches_nothing() -> None:
    assert PLANNED not in usable(60, np.ones((64, 1)))
    assert PLANNED not in usable(60, NOTHING)


def test_no_origin_sees_a_plan_beyond_its_horizon() -> None:
    weeks = promoted()
    told, later = (weeks.planned.copy() for _ in range(2))
    later[-4:] = 9
    np.testing.assert_array_equal(
        smoothing_with_plan(weeks.demand[:, :60], 4, planned=told),
        smoothing_with_plan(weeks.demand[:, :60], 4, planned=later),
    )
