"""Divisions by value, attributes and own rules; why customers move; what sets segments apart; how they compare."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from ml.backtest import build_snapshots
from ml.segment_schemas import CUSTOMER_SEGMENTS, PROFILE, SEGMENT_EVALUATIONS, SEGMENT_INPUTS, SEGMENT_TRAITS
from ml.segmentation import demographic, geographic, own_rules, value
from ml.segmentation.changes import with_changes
from ml.segmentation.comparison import Holdout, compare
from ml.segmentation.definitions import Background, Withheld
from ml.segmentation.resampling import stability
from ml.segmentation.separation import separation
from ml.segmentation.strategies import NAMES, Configuration, strategies
from ml.segmentation.traits import traits
from orchestration.intake.configuration import SegmentsConfig
from tests.ml.behaviours import AS_OF, shop

DAY = date(2026, 6, 30)


def customers(**columns: list[Any]) -> pl.DataFrame:
    """SEGMENT_INPUTS rows a, b, c, ... with the given columns; the others are null."""
    count = len(next(iter(columns.values())))
    given = {"as_of_date": [DAY] * count, "customer_id": [f"c{number:03}" for number in range(count)]} | columns
    lacking = {name: [None] * count for name in SEGMENT_INPUTS if name not in given}
    return pl.DataFrame(given | lacking, strict=False).select(list(SEGMENT_INPUTS)).cast(SEGMENT_INPUTS)  # type: ignore[arg-type]


def segments(assigned: pl.DataFrame) -> list[str]:
    return assigned["segment"].to_list()


def test_value_is_the_band_of_clv_and_the_outlook_of_churn() -> None:
    people = customers(
        expected_amount=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
        churn_probability=[0.1, 0.5, None, 0.4, 0.6, 0.1, 0.2, 0.9, 0.1, 0.8],
    )
    definition = value.fit(people)
    assert definition["value"].to_list() == [5.0, 8.0, 0.5]  # half of ten are at most 5, four fifths at most 8
    assert segments(value.assign(people, definition)) == [
        "low_value_secure", "low_value_at_risk", "low_value_lapsed", "low_value_secure", "low_value_at_risk",
        "medium_value_secure", "medium_value_secure", "medium_value_at_risk", "high_value_secure", "high_value_at_risk",
    ]  # fmt: skip
    assert value.refit(people, definition).equals(definition)
    assert value.words(definition)["high_value_secure"].startswith("more than 8.00")


@pytest.mark.parametrize("lacking", ["expected_amount", "churn_probability"])
def test_without_scores_there_are_no_segments_by_value(lacking: str) -> None:
    scores: dict[str, list[Any]] = {"expected_amount": [1.0, 2.0], "churn_probability": [0.1, 0.2]} | {
        lacking: [None, None]
    }
    with pytest.raises(Withheld, match="nobody has"):
        value.fit(customers(**scores))


def test_demography_takes_the_attribute_that_tells_most_about_what_comes_next() -> None:
    people = customers(
        gender=["f", "m"] * 100, age_band=["young"] * 100 + ["old"] * 100, monetary_amount=[1.0] * 100 + [500.0] * 100
    )
    found = demographic.assign(people, definition := demographic.fit(people))
    assert set(segments(found)) == {"young", "old"}
    assert demographic.words(definition)["old"] == "age band: old"


def test_small_groups_are_one_and_new_categories_join_them() -> None:
    people = customers(city=["a"] * 120 + ["b"] * 69 + ["c"] * 2 + ["d"] * 9)
    definition = geographic.fit(people)
    assert segments(geographic.assign(people, definition))[-12:] == ["b"] + ["other"] * 11
    assert segments(geographic.assign(customers(city=["elsewhere", None]), definition)) == ["other", "other"]


def test_small_groups_that_are_few_together_take_the_next_smallest_along() -> None:
    people = customers(city=["a"] * 120 + ["b"] * 69 + ["c"] * 2 + ["d"] * 8)
    found = geographic.assign(people, geographic.fit(people))["segment"].value_counts(sort=True)
    assert found.rows() == [("a", 120), ("other", 79)]


def test_geography_is_the_finest_level_whose_places_are_large_enough() -> None:
    people = customers(city=[f"town {number}" for number in range(200)], region=["north"] * 150 + ["south"] * 50)
    definition = geographic.fit(people)
    assert definition["measure"].unique().to_list() == ["region"]
    assert geographic.refit(people.head(180), definition)["segment"].to_list() == ["north", "south"]


@pytest.mark.parametrize("module", [demographic, geographic])
def test_an_attribute_that_hardly_anybody_has_divides_nobody(module: Any) -> None:
    with pytest.raises(Withheld, match="fewer than a fifth"):
        module.fit(customers(gender=["f", "m"] + [None] * 98, city=["x", "y"] + [None] * 98))


def test_of_own_rules_the_first_that_holds_wins_and_the_rest_are_other() -> None:
    people = customers(monetary_amount=[900.0, 900.0, 50.0, None], recency_days=[5, 300, 5, 5])
    rules = {"gold": "monetary_amount >= 500 and recency_days < 90", "big": "monetary_amount >= 500"}
    definition = own_rules.fit(people, strategy="tiers", rules=rules)
    found = own_rules.assign(people, definition, strategy="tiers")
    assert segments(found) == ["gold", "big", "other", "other"]
    assert own_rules.words(definition, strategy="tiers")["big"] == "monetary_amount >= 500"


def test_why_customers_moved_is_told_apart() -> None:
    ids = ["stays", "changed", "moved", "new"]
    now = pl.DataFrame(
        {
            "as_of_date": [DAY] * 5,
            "customer_id": [*ids, "found"],
            "strategy": ["rfm"] * 4 + ["behavioural"],
            "segment": ["a", "b", "b", "a", "y"],
        }
    )
    before = pl.DataFrame(
        {
            "customer_id": ["stays", "changed", "moved", "found"],
            "strategy": ["rfm"] * 3 + ["behavioural"],
            "segment": ["a", "a", "a", "x"],
            "segment_since": [date(2026, 1, 1)] * 4,
        }
    )
    as_before = now.with_columns(segment=pl.Series(["a", "b", "a", "a", "x"]))
    found = with_changes(now, before, as_before)
    assert found["change"].to_list() == ["none", "behaviour", "thresholds", "new", "model"]
    assert found["previous_segment"].to_list() == ["a", "a", "a", None, "x"]
    assert found["segment_since"].to_list() == [date(2026, 1, 1), DAY, DAY, DAY, DAY]
    assert set(CUSTOMER_SEGMENTS) - set(found.columns) == {"model_version"}


def test_the_effect_of_a_trait_is_the_chance_of_more_less_the_chance_of_less() -> None:
    people = customers(
        monetary_amount=[10.0, 20.0, 30.0, 40.0], recency_days=[7, 7, 7, 7], gender=["f", "f", "m", None]
    )
    named = pl.DataFrame(
        {"customer_id": people["customer_id"], "strategy": ["s"] * 4, "segment": ["low", "high", "high", "high"]}
    )
    found = traits(people, named, smallest=1)
    assert found.schema == pl.Schema(SEGMENT_TRAITS)
    # low has less than all three others; of high's nine pairs with those outside (one) all three have more
    assert found.select("segment", "feature", "value", "everyone_value", "effect").rows() == [
        ("high", "monetary_amount", 30.0, 25.0, 1.0),
        ("low", "monetary_amount", 10.0, 25.0, -1.0),
    ]
    assert traits(people, named).is_empty()  # of so few people nothing is told


def test_a_category_is_a_trait_only_of_groups_that_hide_the_person() -> None:
    genders = ["f"] * 12 + ["m"] * 12 + ["x"] * 2
    people = customers(gender=genders)
    named = pl.DataFrame(
        {
            "customer_id": people["customer_id"],
            "strategy": ["s"] * 26,
            "segment": ["women"] * 12 + ["others"] * 14,
        }
    )
    found = traits(people, named).select("segment", "category", "value", "effect").rows()
    assert found == [("others", "m", 12 / 14, 12 / 14), ("women", "f", 1.0, 1.0)]


def test_separation_is_the_share_of_variance_between_segments() -> None:
    amounts = pl.Series([0.0, 0.0, 100.0, 100.0])
    assert separation(pl.Series(["a", "a", "b", "b"]), amounts) == pytest.approx(1.0)
    assert separation(pl.Series(["a", "b", "a", "b"]), amounts) < 0
    assert separation(pl.Series(["a"] * 4), amounts) == 0.0
    assert separation(pl.Series([], dtype=pl.String), pl.Series([], dtype=pl.Float64)) == 0.0


def test_a_division_that_comes_back_is_stable_and_one_by_chance_is_not() -> None:
    people = customers(recency_days=list(range(100)))
    halves = people["recency_days"].map_elements(lambda days: str(days < 50), return_dtype=pl.String)
    held = stability(
        people,
        halves,
        lambda _, everyone: everyone.select(pl.col("recency_days") < 50).to_series().cast(pl.String),
        seed=0,
    )
    assert (held.rand, held.error, held.weakest) == (1.0, 0.0, 1.0)
    count = iter(range(100))
    loose = stability(
        people,
        halves,
        lambda _, everyone: (
            everyone["customer_id"].hash(next(count)).map_elements(lambda n: str(n % 2), return_dtype=pl.String)
        ),
        seed=0,
        least=0.8,
    )
    assert abs(loose.rand) < 0.1


@pytest.fixture(scope="module")
def holdout() -> Holdout:
    transactions, truth = shop(60, seed=8)
    days = [AS_OF - timedelta(days=days) for days in (120, 60)]
    attributes = truth.select("customer_id", city="behaviour").with_columns(
        pl.lit(None, pl.String).alias(name) for name in PROFILE if name != "city"
    )
    snapshots = build_snapshots(transactions, cutoffs=days, horizon_days=60).join(
        attributes, on="customer_id", how="left"
    )
    first, second = (snapshots.filter(pl.col("as_of_date") == day) for day in days)
    half = second["customer_id"].gather_every(2)
    responded = half.filter(half.str.starts_with("bargains"))
    return Holdout(first, second, 60, 180, responded=responded, contacted=half)


@pytest.fixture(scope="module")
def compared(holdout: Holdout) -> pl.DataFrame:
    named = {name: f"{name}-today" for name in NAMES}
    return compare(strategies(Configuration(own_rules={"all": {}})), named, holdout, seed=0)


def measured(compared: pl.DataFrame, strategy: str) -> dict[str, float]:
    mine = compared.filter(pl.col("strategy") == strategy)
    return dict(mine.select("metric", "value").iter_rows())


def test_every_strategy_that_could_be_made_then_is_compared_on_the_later_day(
    compared: pl.DataFrame, holdout: Holdout
) -> None:
    assert compared.schema == pl.Schema(SEGMENT_EVALUATIONS)
    assert compared["cutoff_date"].unique().to_list() == [holdout.day]
    made = {"rfm", "lifecycle", "value", "behavioural", "geographic", "all"}
    assert set(compared["strategy"]) == made | {"value_decile"}


def test_a_division_by_what_decides_separates_what_comes_next_and_one_of_everybody_does_not(
    compared: pl.DataFrame,
) -> None:
    by_city, everybody = measured(compared, "geographic"), measured(compared, "all")
    assert by_city["segment_count"] == 4
    assert by_city["size_balance"] == pytest.approx(1.0)
    assert by_city["separation_amount"] > 0.05
    assert by_city["separation_response"] == pytest.approx(1.0)
    assert by_city["stability"] == 1.0
    assert everybody["separation_amount"] == 0.0
    assert everybody["gain_over_random"] == everybody["gain_over_value"] == 1.0
    assert everybody["best_segment_share"] == 1.0


def test_the_gain_is_the_best_segments_spend_over_everyones(compared: pl.DataFrame, holdout: Holdout) -> None:
    means = holdout.second.group_by("city").agg(pl.col("future_amount").cast(pl.Float64).mean()).sort("city")
    then = holdout.first.group_by("city").agg(pl.col("future_amount").cast(pl.Float64).mean())
    best = then.sort("future_amount")["city"][-1]
    expected = (
        means.filter(pl.col("city") == best)["future_amount"].item()
        / holdout.second["future_amount"].cast(pl.Float64).mean()
    )  # type: ignore[operator]
    row = compared.filter(pl.col("strategy") == "geographic", pl.col("metric") == "gain_over_random").row(0, named=True)
    assert row["value"] == pytest.approx(expected)
    assert row["lower"] < row["value"] < row["upper"]


def test_what_came_after_the_later_day_decides_no_segment(holdout: Holdout, compared: pl.DataFrame) -> None:
    shuffled = holdout.second.with_columns(pl.col("future_amount").shuffle(seed=1))
    blind = compare(
        strategies(Configuration(strategies=("rfm",))), {}, Holdout(holdout.first, shuffled, 60, 180), seed=0
    )
    asked = ("segment_count", "size_balance", "stability", "best_segment_share")
    assert {name: measured(blind, "rfm")[name] for name in asked} == {
        name: measured(compared, "rfm")[name] for name in asked
    }
    assert abs(measured(blind, "rfm")["separation_amount"]) < 0.1


def test_a_source_file_may_name_every_strategy_in_its_order() -> None:
    assert SegmentsConfig().strategies == NAMES


def test_every_strategy_ends_well_with_nobody_and_with_few() -> None:
    for count in (0, 1, 2):
        people = customers(
            recency_days=[1, 9][:count],
            frequency_count=[1, 2][:count],
            monetary_amount=[5.0, 6.0][:count],
            purchase_day_count=[1, 2][:count],
            tenure_days=[1, 20][:count],
        )
        for strategy in strategies(Configuration(own_rules={"tiers": {"big": "monetary_amount > 5"}})):
            try:
                definition = strategy.fit(people, Background())
            except Withheld:
                continue
            assert strategy.assign(people, definition).height == count
            assert strategy.stability(people, definition, seed=0).rand <= 1.0
            assert strategy.words(definition)
