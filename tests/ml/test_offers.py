"""Offers on three customers, planned by hand; look-alikes of a segment that people drift into."""

from datetime import date, timedelta
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from ml.campaigns.lookalike_training import Question, train
from ml.campaigns.lookalikes import SNAPSHOT, make_candidate
from ml.campaigns.offers import CANDIDATES, Limits, choose, selection, total

FREE = {"voucher": Limits(), "call": Limits()}


def candidates(*rows: tuple[str, str, float, float, float, float]) -> pl.DataFrame:
    """CANDIDATES from offer, customer, effect, value, risk and cost, all of band 1."""
    return pl.DataFrame([(*row[:3], 1, *row[3:]) for row in rows], schema=CANDIDATES, orient="row")


THREE = candidates(
    ("voucher", "ann", 0.10, 100.0, 1.0, 2.0),  # profit 8, 4 per cost
    ("voucher", "bob", 0.05, 100.0, 0.5, 2.0),  # profit .5
    ("voucher", "eve", 0.01, 100.0, 1.0, 2.0),  # a loss of 1
    ("call", "ann", 0.30, 100.0, 1.0, 12.0),  # profit 18, 1.5 per cost
    ("call", "eve", 0.20, 100.0, 1.0, 12.0),  # profit 8
)


def test_without_a_budget_everybody_gets_what_is_worth_most_and_nobody_a_loss() -> None:
    chosen = choose(THREE, FREE, budget_amount=None)
    assert chosen.select("offer", "customer_id", "rank").rows() == [
        ("call", "ann", 1), ("call", "eve", 2), ("voucher", "bob", 1),
    ]  # fmt: skip
    assert chosen["expected_profit_amount"].to_list() == pytest.approx([18, 8, 0.5])
    assert selection(THREE, FREE, budget_amount=None) == "the most profit first: the best plan there is"


def test_a_budget_is_spent_where_it_earns_most_and_never_exceeded() -> None:
    chosen = choose(THREE, FREE, budget_amount=14.0)
    assert chosen.select("offer", "customer_id").rows() == [("voucher", "ann"), ("call", "eve")]
    assert chosen["cost_amount"].sum() == 14.0
    limited = choose(
        THREE, {"voucher": Limits(), "call": Limits(budget_amount=12, maximum_customers=1)}, budget_amount=None
    )
    assert limited.select("offer", "customer_id").rows() == [("voucher", "ann"), ("call", "eve"), ("voucher", "bob")]
    assert "not proven" in selection(THREE, FREE, budget_amount=14.0)


def test_with_one_cost_for_all_no_other_plan_within_the_budget_earns_more() -> None:
    random = np.random.default_rng(1)
    rows = candidates(*[("voucher", f"c{n}", random.random() / 5, 40.0, 1.0, 3.0) for n in range(10)])
    chosen = choose(rows, {"voucher": Limits(budget_amount=12)}, budget_amount=None)
    profits = (rows["effect"] * 40 - 3).to_list()
    best = max(sum(some) for size in range(5) for some in combinations(profits, size))
    assert chosen["expected_profit_amount"].sum() == pytest.approx(best)
    assert "best plan" in selection(rows, {"voucher": Limits(budget_amount=12)}, budget_amount=None)


def test_the_interval_of_a_plan_is_that_of_the_effects_that_it_rests_on() -> None:
    chosen = choose(THREE.filter(offer="voucher"), FREE, budget_amount=None)
    bands = pl.DataFrame({"band": [1], "effect_lower": [0.0], "effect_upper": [0.2]})
    found = total(chosen, bands)
    # what is at stake is 100 + 50, half an interval .1: 8.5 less and more 15
    assert (found.customer_count, found.cost_amount) == (2, 4.0)
    assert (found.lower, found.expected_profit_amount, found.upper) == pytest.approx((-6.5, 8.5, 23.5))
    assert total(chosen, None).lower is None


def test_rows_in_another_order_are_planned_alike() -> None:
    again = choose(THREE.reverse(), FREE, budget_amount=14.0)
    assert again.equals(choose(THREE, FREE, budget_amount=14.0))


DAY = date(2026, 6, 30)


def drifting(seed: int, day: date, *, strength: float = 1.2) -> pl.DataFrame:
    """SNAPSHOT of a day: who buys often and lately is in the segment, and who is near them is likelier to join."""
    random = np.random.default_rng(seed)
    count = 3_000
    frequency, recency = random.geometric(0.1, count), random.integers(0, 200, count)
    is_member = (frequency > 20) & (recency < 60)
    chance = 1 / (1 + np.exp(2.5 - strength * (np.log(frequency) - 1.5) + strength * recency / 60))
    columns = {
        "as_of_date": day,
        "customer_id": [f"c{n:05}" for n in range(count)],
        "frequency_count": frequency,
        "recency_days": recency,
        "monetary_amount": random.gamma(2, 50, count),  # tells nothing
        "is_member": is_member,
        "has_joined": random.random(count) < chance,
    }
    lacking = [pl.lit(None, kind).alias(name) for name, kind in SNAPSHOT.items() if name not in columns]
    return pl.DataFrame(columns).with_columns(lacking).select(pl.col(n).cast(k) for n, k in SNAPSHOT.items())


def test_a_list_of_look_alikes_joins_more_often_than_the_nearest_do() -> None:
    learned, tested = drifting(1, DAY - timedelta(days=90)), drifting(2, DAY - timedelta(days=30))
    found = train(learned, tested, Question("lookalike_best", DAY, 30, 200, seed=0))
    assert (found.decision.served_by, found.decision.candidate) == ("champion", "logistic"), found.decision.reason
    lifts = found.evaluations.filter(metric="list_lift")
    lift = {row["candidate"]: row["value"] for row in lifts.iter_rows(named=True)}
    assert lift["logistic"] > lift["nearest"] > lift["base_rate"] == pytest.approx(1.0)
    assert found.evaluations["customer_count"].unique().to_list() == [tested.filter(~pl.col("is_member")).height]


def test_who_is_near_the_middle_of_a_segment_is_likelier_to_join_by_the_rule() -> None:
    snapshot = drifting(3, DAY)
    rule = make_candidate("nearest").fit(snapshot)
    inside = snapshot.filter("is_member")
    middle = inside.select(pl.col(pl.Int64, pl.Float64).median()).row(0, named=True)
    near = snapshot.head(1).with_columns(
        frequency_count=pl.lit(int(middle["frequency_count"])), recency_days=pl.lit(int(middle["recency_days"]))
    )
    far = near.with_columns(frequency_count=pl.lit(1), recency_days=pl.lit(190))
    assert rule.predict(near)[0] > rule.predict(far)[0]


def test_too_little_history_or_too_few_who_joined_leave_the_base_rate_and_the_reason() -> None:
    asked = Question("lookalike_best", DAY, 30, 200, seed=0)
    tested = drifting(2, DAY - timedelta(days=30))
    short = train(None, tested, asked)
    assert short.decision.reason == "No model was trained: history is shorter than twice the horizon."
    nobody = tested.with_columns(has_joined=pl.lit(False))
    found = train(drifting(1, DAY - timedelta(days=60)), nobody, asked)
    assert (found.decision.candidate, found.serving.predict(tested).max()) == ("base_rate", 0.0)
    assert "of whom 0 joined" in found.decision.reason
