"""Reports about feedback on small tables: complaints over time, satisfaction by group, its link with later churn."""

from datetime import date, timedelta
from math import sqrt
from typing import Any

import polars as pl
import pytest

from tests.sql import select

AS_OF = date(2026, 6, 30)
MAY = date(2026, 5, 1)


def feedback(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Messages: id, customer, day, rating."""
    frame = pl.DataFrame(rows, schema=["feedback_id", "customer_id", "feedback_date", "rating"], orient="row")
    return frame.with_columns(
        pl.col("rating").cast(pl.Float64),
        is_satisfied=pl.col("rating") >= 4,
        created_at=pl.col("feedback_date").cast(pl.Datetime("us")),
        transaction_id=pl.lit(None, pl.String),
        product_id=pl.lit(None, pl.String),
    )


def scores(**sentiments: str) -> pl.DataFrame:
    rows = list(sentiments.items())
    return pl.DataFrame(rows, schema={"feedback_id": pl.String, "sentiment": pl.String}, orient="row")


def topics(messages: pl.DataFrame, aspects: dict[str, list[str]], **sentiments: str) -> dict[str, dict[str, Any]]:
    about = [(message, aspect) for aspect, of in aspects.items() for message in of]
    report = select(
        "rpt_feedback_topics",
        {
            "fct_feedback": messages,
            "feedback_scores": scores(**sentiments),
            "feedback_messages": messages.select("feedback_id"),
            "feedback_aspects": pl.DataFrame(about, schema=["feedback_id", "aspect"], orient="row"),
            "dim_as_of": pl.DataFrame({"as_of_date": [AS_OF]}),
        },
    )
    return {row["aspect"]: row for row in report.iter_rows(named=True)}


def test_complaints_are_low_ratings_and_negative_words_of_those_who_gave_none() -> None:
    rated = [(f"f{n}", f"c{n}", MAY, 1 if n < 12 else 5) for n in range(30)]
    silent = [("w1", "c40", MAY, None), ("w2", "c41", MAY, None), ("w3", "c42", MAY, None)]
    told = topics(feedback(*rated, *silent), {"price": [f"f{n}" for n in range(20)]}, w1="negative", w2="positive")
    everything, price = told["any"], told["price"]
    assert (everything["message_count"], everything["complaint_count"]) == (33, 13)
    assert everything["complaint_share"] == pytest.approx(13 / 32)  # of w3 nobody knows
    assert (price["message_count"], price["complaint_count"], price["is_complete_month"]) == (20, 12, True)
    assert price["message_share"] == pytest.approx(20 / 33)
    assert price["complaint_share_lower"] < 0.6 < price["complaint_share_upper"]


def test_a_topic_of_few_customers_is_left_out_and_complaints_of_few_are_not_counted() -> None:
    rated = [(f"f{n}", f"c{n}", MAY, 1 if n < 3 else 5) for n in range(30)]
    many_by_one = [(f"m{n}", "c1", MAY, 1) for n in range(20)]
    aspects = {"price": [f"f{n}" for n in range(10)], "service": [f"m{n}" for n in range(20)]}
    told = topics(feedback(*rated, *many_by_one), aspects)
    assert set(told) == {"any"}
    assert told["any"]["customer_count"] == 30
    assert (told["any"]["complaint_count"], told["any"]["complaint_share"]) == (None, None)


def satisfaction(messages: pl.DataFrame, members: dict[str, list[str]], **tables: pl.DataFrame) -> dict[Any, Any]:
    segments = [("rfm", segment, customer) for segment, customers in members.items() for customer in customers]
    lines = pl.DataFrame(schema={"transaction_id": pl.String, "product_id": pl.String})
    products = pl.DataFrame(schema={"product_id": pl.String, "category": pl.String, "is_product": pl.Boolean})
    known = {
        "fct_feedback": messages,
        "feedback_scores": scores(),
        "customer_segments": pl.DataFrame(segments, schema=["strategy", "segment", "customer_id"], orient="row"),
        "fct_transaction_lines": lines,
        "dim_products": products,
    }
    report = select("rpt_satisfaction", known | tables)
    return {(row["group_kind"], row["group_name"]): row for row in report.iter_rows(named=True)}


def test_every_customer_counts_once_however_much_they_write() -> None:
    loud = [(f"l{n}", "c0", MAY, 1) for n in range(50)]
    calm = [(f"f{n}", f"c{n}", MAY, 5) for n in range(1, 20)]
    (row,) = satisfaction(feedback(*loud, *calm), {}).values()
    assert (row["customer_count"], row["message_count"]) == (20, 69)
    assert row["satisfied_share"] == pytest.approx(0.95)
    assert row["average_rating"] == pytest.approx((50 + 95) / 69, abs=1e-4)
    assert 0.7 < row["satisfied_share_lower"] < 0.95 < row["satisfied_share_upper"] < 1


def test_small_segments_are_one_group_and_who_is_in_none_counts_with_everybody() -> None:
    rated = [(f"f{n}", f"c{n}", MAY, 5) for n in range(40)]
    members = {"big": [f"c{n}" for n in range(20)], "small": ["c20"], "next": [f"c{n}" for n in range(21, 36)]}
    told = satisfaction(feedback(*rated), members)
    assert {key: row["customer_count"] for key, row in told.items()} == {
        ("everybody", "everybody"): 40, ("rfm", "big"): 20, ("rfm", "other segments"): 16
    }  # fmt: skip


def test_a_message_about_a_transaction_is_about_its_products() -> None:
    rated = feedback(*[(f"f{n}", f"c{n}", MAY, 5) for n in range(12)]).with_columns(transaction_id=pl.lit("t"))
    lines = pl.DataFrame({"transaction_id": ["t", "t", "t"], "product_id": ["a", "b", "postage"]})
    products = pl.DataFrame(
        {"product_id": ["a", "b", "postage"], "category": ["tea"] * 3, "is_product": [True, True, False]}
    )
    told = satisfaction(rated, {}, fct_transaction_lines=lines, dim_products=products)
    assert {key for key in told if key[0] != "everybody"} == {("category", "tea"), ("product", "a"), ("product", "b")}
    assert told["category", "tea"]["message_count"] == 12


def churn(rows: list[tuple[str, int, bool]], *, said: date = date(2026, 5, 20)) -> pl.DataFrame:
    """Customers by name, rating, and whether they buy after the cut-off of 31 May."""
    cutoff = date(2026, 5, 31)
    bought = [(name, cutoff - timedelta(days=5)) for name, _, _ in rows]
    bought += [(name, cutoff + timedelta(days=9)) for name, _, comes_back in rows if comes_back]
    return select(
        "rpt_satisfaction_churn",
        {
            "fct_feedback": feedback(*[(f"f-{name}", name, said, rating) for name, rating, _ in rows]),
            "feedback_scores": scores(),
            "model_cutoffs": pl.DataFrame(
                {
                    "model": ["churn"],
                    "horizon_days": [30],
                    "cutoff_date": [cutoff],
                    "active_window_days": [90],
                    "is_about_contracts": [False],
                }
            ),
            "fct_transactions": pl.DataFrame(
                bought, schema=["customer_id", "transaction_date"], orient="row"
            ).with_columns(is_purchase=pl.lit(True)),
        },
    )


def group(name: str, rating: int, *, stay: int, leave: int) -> list[tuple[str, int, bool]]:
    return [(f"{name}{n}", rating, n < stay) for n in range(stay + leave)]


def test_the_difference_of_churn_rates_has_newcombes_interval() -> None:
    (row,) = churn([*group("good", 5, stay=56, leave=14), *group("bad", 1, stay=32, leave=48)]).to_dicts()
    assert (row["satisfied_customer_count"], row["dissatisfied_customer_count"]) == (70, 80)
    assert (row["satisfied_churn_rate"], row["dissatisfied_churn_rate"]) == (0.2, 0.6)
    assert row["difference"] == pytest.approx(0.4)
    z, ends = 1.959964, {}
    for who, count, rate in (("good", 70, 0.2), ("bad", 80, 0.6)):
        half = z * sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
        ends[who] = [(rate + z**2 / (2 * count) + sign * half) / (1 + z**2 / count) for sign in (-1, 1)]
    lower = 0.4 - sqrt((0.6 - ends["bad"][0]) ** 2 + (ends["good"][1] - 0.2) ** 2)
    upper = 0.4 + sqrt((ends["bad"][1] - 0.6) ** 2 + (0.2 - ends["good"][0]) ** 2)
    assert (row["difference_lower"], row["difference_upper"]) == (
        pytest.approx(lower, 1e-6),
        pytest.approx(upper, 1e-6),
    )
    assert row["verdict"] == "leave more often"


def test_no_difference_is_claimed_that_chance_explains() -> None:
    (row,) = churn([*group("good", 5, stay=20, leave=10), *group("bad", 1, stay=18, leave=12)]).to_dicts()
    assert row["verdict"] == "no difference shown"
    assert row["difference_lower"] < 0 < row["difference_upper"]


def test_what_is_said_after_the_day_is_not_held_against_it_and_few_are_not_told_of() -> None:
    both = [*group("good", 5, stay=20, leave=10), *group("bad", 1, stay=18, leave=12)]
    assert churn(both, said=date(2026, 6, 2)).is_empty()
    assert churn([*group("good", 5, stay=20, leave=10), *group("bad", 1, stay=5, leave=5)]).is_empty()
