"""Recommendations on days of purchase small enough to rank by hand, and on a shop in which habits are known."""

from datetime import date, timedelta
from math import log2

import numpy as np
import polars as pl
import pytest

from ml.backtest import plan_cutoffs
from ml.recommendations.assortment import PENALTY, Assortment
from ml.recommendations.candidates import pairs
from ml.recommendations.hits import as_hits, ndcg_at_10, recall_at_10, success_at_10
from ml.recommendations.purchase_days import PURCHASE_DAYS, after, own_items
from ml.recommendations.rankings import make_ranking
from ml.recommendations.scoring import Recommender, ranked, recommend
from ml.recommendations.training import Minimums, Question, Training, train
from ml.recommendations.words import NAMES, in_words

DAY = date(2026, 6, 30)
HORIZON = 28


def days(*rows: tuple[str, str, int]) -> pl.DataFrame:
    """PURCHASE_DAYS from customer, item and days before DAY."""
    return pl.DataFrame(
        [(customer, item, DAY - timedelta(days=age)) for customer, item, age in rows],
        schema=PURCHASE_DAYS,
        orient="row",
    )


THREE = days(
    *[("ann", "milk", age) for age in (0, 30, 60)],
    *[("ann", "bread", age) for age in (30, 400)],
    *[("bob", "milk", 90), ("bob", "jam", 10)],
    *[("eve", "bread", 5), ("eve", "jam", 5)],
)
ALL_ITEMS = pl.DataFrame({"item": ["bread", "jam", "milk"]})


def test_a_habit_is_counted_in_days_that_fade_and_only_those_of_the_last_year() -> None:
    own = own_items(THREE, as_of=DAY)
    assert own.row(0, named=True) == {
        "customer_id": "ann", "item": "bread", "day_count": 1, "recency_days": 30, "weight_30": 0.5,
        "weight_90": pytest.approx(0.5 ** (1 / 3), abs=1e-6),
    }  # fmt: skip
    assert own.row(1)[2:5] == (3, 0, 1.75)
    assert own_items(THREE.reverse(), as_of=DAY).equals(own)


def test_what_is_bought_on_the_day_itself_is_past_and_not_future() -> None:
    assert after(THREE, as_of=DAY - timedelta(days=10), horizon_days=5).rows() == [("eve", "bread"), ("eve", "jam")]
    assert after(THREE, as_of=DAY, horizon_days=28).is_empty()


def test_co_purchase_is_the_ridge_solution_of_each_item_by_the_others() -> None:
    assortment = Assortment().fit(THREE, as_of=DAY)
    assert assortment.pool.tolist() == ["bread", "jam", "milk"]  # two buyers each: by name
    bought = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 0]], dtype=float)  # ann, bob, eve
    for item in range(3):
        others = [other for other in range(3) if other != item]
        gram = bought[:, others].T @ bought[:, others] + PENALTY * np.eye(2)
        expected = np.linalg.solve(gram, bought[:, others].T @ bought[:, item])
        np.testing.assert_allclose(assortment.co_purchase.toarray()[others, item], expected, rtol=1e-9)
        assert assortment.co_purchase[item, item] == 0


def test_rules_and_models_rank_by_what_they_say() -> None:
    assortment = Assortment().fit(THREE, as_of=DAY)
    known = pairs(THREE, assortment, as_of=DAY)
    assert known.select("customer_id", "item").rows() == [
        (customer, item) for customer in ("ann", "bob", "eve") for item in ("bread", "jam", "milk")
    ]

    def order(name: str) -> dict[str, list[str]]:
        lists = ranked(known, make_ranking(name).score(known), length=3)
        return {key[0]: part["item"].to_list() for key, part in lists.group_by("customer_id", maintain_order=True)}

    # bought in the last 30 days: jam by two, bread and milk by one
    assert set(map(tuple, order("popularity").values())) == {("jam", "bread", "milk")}
    # by days of purchase, the latest first among equals, then by popularity
    again = {"ann": ["milk", "bread", "jam"], "bob": ["jam", "milk", "bread"], "eve": ["bread", "jam", "milk"]}
    assert order("buy_again") == again
    assert order("co_purchase")["bob"] == ["jam", "milk", "bread"]


def test_a_list_is_graded_by_its_hits() -> None:
    hits = as_hits(np.array([[True, False, True] + [False] * 7, [False] * 10, [True] * 10]))
    actual = np.array([4.0, 2.0, 12.0])
    assert recall_at_10(actual, hits) == pytest.approx((2 / 4 + 0 + 10 / 12) / 3)
    assert success_at_10(actual, hits) == pytest.approx(2 / 3)
    best = 1 + 1 / log2(3) + 1 / log2(4) + 1 / log2(5)
    assert ndcg_at_10(actual, hits) == pytest.approx(((1 + 1 / log2(4)) / best + 0 + 1) / 3)
    twice_the_last = np.array([[0.0, 0.0, 2.0]])
    assert recall_at_10(actual, hits, twice_the_last) == pytest.approx([10 / 12])


def test_recommendations_keep_to_what_is_offered_and_say_why() -> None:
    model = Recommender(Assortment().fit(THREE, as_of=DAY), make_ranking("buy_again"), repeats=True)
    names = pl.DataFrame([("milk", "milk", "dairy", "Milk"), ("jam", "jam", "sweet", None)], schema=NAMES, orient="row")
    offered = ALL_ITEMS.filter(pl.col("item") != "bread")
    found = recommend(THREE, model, as_of=DAY, length=2, offered=offered)
    said = in_words(
        found, names, as_of=DAY, horizon_days=28, candidate="buy_again", served_by="rule", model_version="v",
        is_stale=False,
    )  # fmt: skip
    assert said.select("customer_id", "rank", "name", "is_repeat", "reason").rows() == [
        ("ann", 1, "Milk", True, "bought on 3 days of the last year, the last time today"),
        ("ann", 2, "jam", False, "popular: 66.7 % of customers bought it in the last 30 days"),
        ("bob", 1, "jam", True, "bought once in the last year, 10 days ago"),
        ("bob", 2, "Milk", True, "bought once in the last year, 90 days ago"),
        ("eve", 1, "jam", True, "bought once in the last year, 5 days ago"),
        ("eve", 2, "Milk", False, "popular: 33.3 % of customers bought it in the last 30 days"),
    ]


def shop(*, habits: bool, customers: int = 300, seed: int = 0) -> pl.DataFrame:
    """Half a year of weekly visits: with habits, of two tastes of twelve items each that change every eight weeks."""
    random = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        taste = customer % 2 * 12
        for week in range(26):
            if week % 8 == 0:
                favourites = taste + random.choice(12, 3, replace=False)
            chosen = random.choice(favourites, 2, replace=False) if habits else random.choice(24, 2, replace=False)
            rows += [(f"c{customer:03}", f"i{item:02}", week * 7 + int(random.integers(7))) for item in chosen]
    return days(*rows).unique().sort("customer_id", "item", "purchase_date")


def trained(purchases: pl.DataFrame, **words: object) -> Training:
    cutoffs = plan_cutoffs(
        first_date=DAY - timedelta(days=181),
        as_of=DAY,
        horizon_days=HORIZON,
        minimum_history_days=56,
        maximum_training=0,
    )
    asked = Question(DAY, HORIZON, 0, minimums=Minimums(customers=100), **words)  # type: ignore[arg-type]
    return train(purchases, asked, cutoffs=cutoffs)


@pytest.fixture(scope="module")
def of_habits() -> Training:
    return trained(shop(habits=True))


def test_where_tastes_change_a_model_beats_the_habits_of_the_year(of_habits: Training) -> None:
    decision = of_habits.decision
    assert decision.served_by == "champion", decision.reasons
    latest = of_habits.evaluations.filter(
        pl.col("metric") == "recall_at_10", pl.col("cutoff_date") == DAY - timedelta(days=28)
    )
    value = dict(latest.select("candidate", "value").iter_rows())
    assert value[decision.candidate] > value["buy_again"] > value["popularity"]
    assert set(of_habits.evaluations["metric"]) >= {"recall_at_10", "ndcg_at_10", "success_at_10", "item_coverage"}


def test_where_everything_is_chance_a_rule_serves_and_says_so() -> None:
    decision = trained(shop(habits=False)).decision
    assert decision.served_by == "rule"
    assert "No model beats the rules" in decision.reason


def test_without_enough_customers_a_rule_serves_without_a_contest() -> None:
    few = trained(shop(habits=True, customers=50))
    assert (few.decision.served_by, few.decision.candidate) == ("rule", "buy_again")
    assert "calibration has 50 customers who bought again" in few.decision.reason
    assert few.evaluations.is_empty()


def test_without_repeats_nothing_is_recommended_that_was_bought_and_nothing_such_counts() -> None:
    purchases = shop(habits=True)
    new_only = trained(purchases, repeats=False)
    assert "buy_again" not in set(new_only.evaluations["candidate"])
    offered = purchases.select("item").unique()
    found = recommend(purchases, new_only.serving, as_of=DAY, length=10, offered=offered)
    assert found.height > 0
    assert found["day_count"].max() == 0


def test_neither_the_order_of_rows_nor_the_division_into_buckets_changes_a_recommendation(of_habits: Training) -> None:
    purchases = shop(habits=True)
    shuffled = trained(purchases.sample(fraction=1, shuffle=True, seed=1))
    assert shuffled.evaluations.equals(of_habits.evaluations)

    def recommended(rows: pl.DataFrame) -> pl.DataFrame:
        return recommend(rows, of_habits.serving, as_of=DAY, length=5, offered=purchases.select("item").unique())

    is_first = pl.col("customer_id") < "c137"
    parts = pl.concat([recommended(purchases.filter(is_first)), recommended(purchases.filter(~is_first))])
    assert recommended(purchases).equals(parts)


def test_what_was_never_bought_is_recommended_for_an_own_item_that_speaks_for_it() -> None:
    with_it = [(f"c{number}", item, 5) for number in range(900) for item in ("pasta", "sauce")]
    without = [(f"d{number}", "soap", 5) for number in range(900)]
    purchases = days(*with_it, *without, ("new", "pasta", 3))
    model = Recommender(Assortment().fit(purchases, as_of=DAY), make_ranking("co_purchase"), repeats=False)
    found = recommend(purchases, model, as_of=DAY, length=1, offered=purchases.select("item").unique())
    assert found.filter(customer_id="new").select("item", "because_item").rows() == [("sauce", "pasta")]


def test_without_a_purchase_nothing_is_recommended() -> None:
    nothing = trained(days())
    assert nothing.decision.served_by == "rule"
    assert recommend(days(), nothing.serving, as_of=DAY, length=5, offered=ALL_ITEMS).is_empty()
