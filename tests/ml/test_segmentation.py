from datetime import date, timedelta
from itertools import product
from types import ModuleType

import polars as pl
import pytest

from ml.features import build_features
from ml.schemas import CUSTOMER_FEATURES, empty
from ml.segment_schemas import SEGMENT_DEFINITIONS
from ml.segmentation import lifecycle, rfm
from tests.ml.frames import shop, transactions

AS_OF = date(2026, 6, 30)
BOTH = pytest.mark.parametrize("strategy", [rfm, lifecycle], ids=["rfm", "lifecycle"])


def customers(**columns: list[int] | list[float]) -> pl.DataFrame:
    """CUSTOMER_FEATURES rows a, b, c, ... with the given columns; the others are null."""
    count = len(next(iter(columns.values())))
    ids = [chr(ord("a") + number) for number in range(count)]
    frame = pl.DataFrame({"as_of_date": [AS_OF] * count, "customer_id": ids} | columns)
    return pl.concat(
        [empty(CUSTOMER_FEATURES), frame.cast({c: CUSTOMER_FEATURES[c] for c in frame.columns})],
        how="diagonal",
    )


def buyers(**days: list[int]) -> pl.DataFrame:
    """Features of customers who bought for 10.00 the given numbers of days before the as-of date."""
    rows = [(name, str(AS_OF - timedelta(days=n)), 10.0) for name, ago in days.items() for n in ago]
    return build_features(transactions(*rows), as_of=AS_OF)


def stages(features: pl.DataFrame) -> dict[str, str]:
    assigned = lifecycle.assign(features, lifecycle.fit(features))
    return dict(assigned.select("customer_id", "segment").iter_rows())


def test_ten_different_customers_fall_two_by_two_into_quintiles() -> None:
    ten = list(range(1, 11))
    features = customers(recency_days=ten, frequency_count=ten, monetary_amount=ten)
    cut_points = rfm.fit(features)
    assert cut_points.schema == pl.Schema(SEGMENT_DEFINITIONS)
    assert cut_points.filter(pl.col("measure") == "recency_days")["value"].to_list() == [2.0, 4.0, 6.0, 8.0]
    assigned = rfm.assign(features, cut_points)
    assert assigned["frequency_score"].to_list() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert assigned["monetary_score"].to_list() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert assigned["recency_score"].to_list() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_cut_points_may_be_fixed_for_one_measure_and_stay_so() -> None:
    ten = list(range(1, 11))
    features = customers(recency_days=ten, frequency_count=ten, monetary_amount=ten)
    definition = rfm.fit(features, fixed={"recency_days": [1, 2, 3, 9]})
    assert rfm.assign(features, definition)["recency_score"].to_list() == [5, 4, 3, 2, 2, 2, 2, 2, 2, 1]
    half = rfm.refit(features.head(5), definition)
    assert half.filter(pl.col("measure") == "recency_days")["value"].to_list() == [1.0, 2.0, 3.0, 9.0]
    assert half.filter(pl.col("measure") == "frequency_count")["value"].to_list() == [1.0, 2.0, 3.0, 4.0]


def test_equal_values_get_equal_scores() -> None:
    features = customers(
        recency_days=[0, 0, 0, 0, 9],
        frequency_count=[1, 1, 1, 2, 3],
        monetary_amount=[5.0, 5.0, 5.0, 5.0, 5.0],
    )
    assigned = rfm.assign(features, rfm.fit(features))
    assert assigned["recency_score"].to_list() == [5, 5, 5, 5, 1]
    assert assigned["frequency_score"].to_list() == [1, 1, 1, 4, 5]
    assert assigned["monetary_score"].to_list() == [1, 1, 1, 1, 1]


def test_each_of_the_125_score_combinations_has_exactly_one_of_eleven_segments() -> None:
    recency, frequency, monetary = zip(*product(rfm.SCORES, repeat=3), strict=True)
    every = customers(
        recency_days=[6 - score for score in recency],
        frequency_count=list(frequency),
        monetary_amount=list(monetary),
    )
    assigned = rfm.assign(every, rfm.fit(every))  # 25 customers at each value: the cut points are 1, 2, 3, 4
    assert assigned.select(list(rfm.MEASURES)).n_unique() == 125
    assert assigned["segment"].null_count() == 0
    assert set(assigned["segment"]) == {name for row in rfm.SEGMENTS.values() for name in row}
    assert assigned["segment"].n_unique() == 11
    segment = {row[:3]: row[3] for row in assigned.select(*rfm.MEASURES, "segment").iter_rows()}
    assert segment[5, 5, 5] == "champions"
    assert segment[5, 1, 1] == "new_customers"
    assert segment[3, 2, 3] == "need_attention"  # the mean of 2 and 3 rounds up
    assert segment[1, 5, 4] == "cannot_lose"
    assert segment[1, 1, 1] == "lost"


def test_the_heat_map_counts_and_averages_each_cell() -> None:
    features = customers(recency_days=[1, 1, 9], frequency_count=[5, 5, 1], monetary_amount=[10.0, 20.1, 7.0])
    heat = rfm.heat_map(rfm.assign(features, rfm.fit(features)))
    assert heat.height == 25
    assert heat.filter(pl.col("customer_count") > 0).rows() == [(1, 1, 1, 7.0), (5, 3, 2, 15.05)]
    assert heat["average_monetary_amount"].null_count() == 23


def test_cut_points_of_another_day_score_todays_customers() -> None:
    yesterday = customers(recency_days=[1, 2], frequency_count=[1, 10], monetary_amount=[1.0, 10.0])
    today = customers(recency_days=[500], frequency_count=[500], monetary_amount=[-5.0])
    assigned = rfm.assign(today, rfm.fit(yesterday))
    assert assigned.select(list(rfm.MEASURES)).row(0) == (1, 5, 1)


def test_a_weekly_buyer_is_overdue_long_before_a_quarterly_one() -> None:
    weekly = [20 + 7 * n for n in range(30)]
    quarterly = [20 + 90 * n for n in range(4)]
    found = stages(buyers(weekly=weekly, quarterly=quarterly))
    assert found == {"weekly": "cooling", "quarterly": "active"}


def test_stages_of_a_known_rhythm_are_as_computed_by_hand() -> None:
    # everyone's gaps are 10 days, so the population's is too and every expected gap is 10 days
    rhythm = {f"after_{days}": [days, days + 10, days + 20] for days in (0, 20, 21, 40, 41, 80, 81)}
    assert stages(buyers(**rhythm)) == {
        "after_0": "active",
        "after_20": "active",
        "after_21": "cooling",
        "after_40": "cooling",
        "after_41": "dormant",
        "after_80": "dormant",
        "after_81": "lost",
    }


def test_own_gaps_are_shrunk_to_the_populations() -> None:
    features = buyers(ann=[0, 40], bob=[5, 15], eve=[1, 21, 41])  # mean gaps 40, 10 and 20: the median is 20
    cut_points = lifecycle.fit(features)
    assert cut_points.filter(pl.col("measure") == lifecycle.POPULATION_GAP)["value"].to_list() == [20.0]
    assigned = lifecycle.assign(features, cut_points)
    assert assigned["expected_gap_days"].to_list() == [80 / 3, 50 / 3, 20.0]
    assert assigned["overdue_ratio"].to_list() == [0.0, 5 / (50 / 3), 1 / 20]


def test_only_a_recent_one_time_buyer_is_new() -> None:
    found = stages(buyers(regular=[5, 15, 25], fresh=[20], twice_that_day=[3, 3], faded=[21], gone=[300]))
    expected = {
        "fresh": "new",
        "twice_that_day": "new",
        "faded": "cooling",
        "gone": "lost",
        "regular": "active",
    }
    assert found == expected


def test_where_nobody_came_back_the_default_gap_decides() -> None:
    ago = {"new": 60, "cooling": 61, "dormant": 121, "lost": 241}
    found = stages(buyers(**{stage: [days] for stage, days in ago.items()}))
    assert found == {stage: stage for stage in ago}


def test_an_expected_gap_is_at_least_one_day() -> None:
    features = buyers(ann=list(range(2, 12))).with_columns(gap_mean_days=0.5)
    assert lifecycle.assign(features, lifecycle.fit(features))["expected_gap_days"].item() == 1.0


@BOTH
def test_no_customers_give_no_cut_points_and_no_segments(strategy: ModuleType) -> None:
    nobody = empty(CUSTOMER_FEATURES)
    cut_points = strategy.fit(nobody)
    assert cut_points.schema == pl.Schema(SEGMENT_DEFINITIONS)
    assigned = strategy.assign(nobody, cut_points)
    assert assigned.is_empty()
    assert assigned.schema["segment"] == pl.String


@BOTH
def test_customers_without_cut_points_are_refused(strategy: ModuleType) -> None:
    with pytest.raises(ValueError, match="cut points"):
        strategy.assign(buyers(ann=[1]), empty(SEGMENT_DEFINITIONS))


@BOTH
@pytest.mark.parametrize(
    "features",
    [buyers(ann=[3]), buyers(ann=[3], bob=[90, 95]), buyers(ann=[9, 19], bob=[9, 19], eve=[9, 19])],
    ids=["one", "two", "identical"],
)
def test_few_or_identical_customers_are_all_assigned(strategy: ModuleType, features: pl.DataFrame) -> None:
    assigned = strategy.assign(features, strategy.fit(features))
    assert assigned["customer_id"].to_list() == features["customer_id"].to_list()
    assert assigned["segment"].null_count() == 0
    rows = features.drop("customer_id").n_unique()
    assert assigned["segment"].n_unique() <= rows


@BOTH
def test_buckets_and_the_order_of_customers_change_no_segment(strategy: ModuleType) -> None:
    rows = shop(first_date=date(2025, 6, 30), days=366, rows=3000, customers=400, seed=5)
    features = build_features(rows, as_of=AS_OF)
    cut_points = strategy.fit(features)
    whole = strategy.assign(features, cut_points)
    shuffled = features.sample(fraction=1.0, shuffle=True, seed=6)
    assert strategy.fit(shuffled).equals(cut_points)
    parts = [strategy.assign(part, cut_points) for part in shuffled.iter_slices(50)]
    assert pl.concat(parts).sort("customer_id").equals(whole)
