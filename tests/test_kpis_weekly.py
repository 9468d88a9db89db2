"""Weeks of the shop beside the limits within which they move by chance, recomputed by hand."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from tests.sql import select

AS_OF = date(2026, 6, 30)
WEEKS = 14


def weekly(amounts: list[float], *, days: int) -> pl.DataFrame:
    """`rpt_kpis_weekly` for one purchase of each amount a week, oldest first, the last on the as-of date."""
    moments = [AS_OF - timedelta(days=7 * (len(amounts) - 1 - place)) for place in range(len(amounts))]
    bought = {
        "transaction_date": moments,
        "customer_id": [f"c{place % 3}" for place in range(len(amounts))],
        "net_amount": [Decimal(str(amount)) for amount in amounts],
        "is_purchase": True,
        "is_return": False,
    }
    known = [AS_OF - timedelta(days=number) for number in range(days)]
    ends = [AS_OF - timedelta(days=number // 7 * 7) for number in range(days)]
    return select(
        "rpt_kpis_weekly",
        {
            "dim_dates": pl.DataFrame({"date_day": known, "week_end": ends}),
            "fct_transactions": pl.DataFrame(bought, schema_overrides={"net_amount": pl.Decimal(18, 4)}),
            "dim_customers": pl.DataFrame({"customer_id": ["c0"], "first_purchase_date": [AS_OF]}),
        },
    )


def test_limits_come_from_the_weeks_before_and_a_week_beyond_them_is_marked() -> None:
    amounts = [10.0, 12.0] * 6 + [10.0, 100.0]
    weeks = weekly(amounts, days=7 * WEEKS).filter(pl.col("metric") == "net_amount")
    assert weeks["value"].to_list() == amounts
    assert weeks["centre"].null_count() == 12  # of the first twelve weeks nothing usual is known
    last = weeks.row(-1, named=True)
    centre = (7 * 10 + 6 * 12) / 13
    assert last["centre"] == pytest.approx(centre)
    assert last["upper_limit"] == pytest.approx(centre + 2.66 * 2)  # every week differs by 2 from the one before
    assert last["lower_limit"] == pytest.approx(centre - 2.66 * 2)
    assert weeks["is_beyond_limits"].to_list() == [False] * 13 + [True]
    assert last["week_end"] == AS_OF


def test_a_week_that_is_not_whole_is_left_out() -> None:
    weeks = weekly([5.0, 5.0, 5.0], days=20).filter(pl.col("metric") == "transaction_count")
    assert weeks["week_end"].to_list() == [AS_OF - timedelta(days=7), AS_OF]  # six days are no week
    assert weeks["previous_value"].to_list() == [None, 1.0]


def test_a_week_without_trade_counts_nothing_and_has_no_average() -> None:
    weeks = weekly([5.0], days=14)
    earlier = {row["metric"]: row["value"] for row in weeks.iter_rows(named=True) if row["week_end"] < AS_OF}
    assert earlier == {
        "net_amount": 0.0,
        "transaction_count": 0.0,
        "active_customer_count": 0.0,
        "new_customer_count": 0.0,
        "average_transaction_amount": None,
        "return_rate": None,
    }


def test_a_count_is_never_expected_below_zero() -> None:
    weeks = weekly([1.0, 50.0] * 7, days=7 * WEEKS)
    low = weeks.filter(pl.col("lower_limit").is_not_null()).group_by("metric").agg(pl.col("lower_limit").min())
    limits = dict(low.iter_rows())
    assert limits.pop("net_amount") < 0
    assert min(limits.values()) >= 0
