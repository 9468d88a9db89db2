from datetime import date, timedelta

import polars as pl
import pytest

from ml.features import build_features
from ml.schemas import CUSTOMER_FEATURES
from tests.ml.frames import ignores_the_future, shop, transactions

AS_OF = date(2026, 6, 30)  # a Tuesday


@pytest.fixture(scope="module")
def past() -> pl.DataFrame:
    return shop(first_date=AS_OF - timedelta(days=399), days=400, rows=5000, customers=300, seed=1)


def test_every_feature_of_three_customers_is_as_computed_by_hand() -> None:
    three = transactions(
        # ann: four purchases on three days (gaps 10 and 30), one return, the evening of a Saturday among them
        ("ann", "2026-05-11 09:00", 10.0, 0.0, 1),
        ("ann", "2026-05-21 17:59", 20.0, 5.0, 2),
        ("ann", "2026-06-20 18:00", 30.0, 5.0, 3),
        ("ann", "2026-06-20 10:00", 40.0, 0.0, 6),
        ("ann", "2026-06-29 12:00", -25.0, 0.0, 1),
        # bob: one purchase of nothing, more than a year ago
        ("bob", "2025-06-01 20:00", 0.0, 0.0, 1),
        # eve: bought on the as-of date itself, and 180 days before its window's first day, which is outside
        ("eve", "2026-01-01 08:00", 7.0, 0.0, 1),
        ("eve", "2026-06-30 23:59", 8.0, 0.0, 1),
    )
    expected = {
        "as_of_date": [AS_OF, AS_OF, AS_OF],
        "customer_id": ["ann", "bob", "eve"],
        "recency_days": [10, 394, 0],
        "frequency_count": [4, 1, 2],
        "monetary_amount": [75.0, 0.0, 15.0],
        "value_amount": [75.0, 0.0, 15.0],
        "tenure_days": [50, 394, 180],
        "first_purchase_date": [date(2026, 5, 11), date(2025, 6, 1), date(2026, 1, 1)],
        "last_purchase_date": [date(2026, 6, 20), date(2025, 6, 1), AS_OF],
        "purchase_day_count": [3, 1, 2],
        "average_order_amount": [25.0, 0.0, 7.5],
        "average_line_count": [3.0, 1.0, 1.0],
        "discount_share": [10 / 110, 0.0, 0.0],
        "return_share": [0.25, 0.0, 0.0],
        "gap_mean_days": [20.0, None, 180.0],
        "gap_median_days": [20.0, None, 180.0],
        "gap_deviation_days": [200**0.5, None, None],
        "last_gap_days": [30, None, 180],
        "weekend_share": [0.5, 1.0, 0.0],
        "evening_share": [0.25, 1.0, 0.5],
        "purchase_count_30_days": [2, 0, 1],
        "purchase_count_90_days": [4, 0, 1],
        "purchase_count_180_days": [4, 0, 1],
        "purchase_count_365_days": [4, 0, 2],
        "net_amount_30_days": [45.0, 0.0, 8.0],
        "net_amount_90_days": [75.0, 0.0, 8.0],
        "net_amount_180_days": [75.0, 0.0, 8.0],
        "net_amount_365_days": [75.0, 0.0, 15.0],
    }
    assert build_features(three, as_of=AS_OF).equals(pl.DataFrame(expected, schema=CUSTOMER_FEATURES))


def test_a_return_does_not_make_a_customer_recent() -> None:
    features = build_features(transactions(("ann", "2026-06-01", 9.0), ("ann", "2026-06-25", -9.0)), as_of=AS_OF)
    assert features["recency_days"].item() == 29
    assert features["monetary_amount"].item() == 0.0
    assert features["return_share"].item() == 1.0


def test_a_window_includes_the_as_of_date_and_excludes_the_day_before_it_begins() -> None:
    days = transactions(("in", "2026-06-01", 1.0), ("out", "2026-05-31", 1.0))
    assert build_features(days, as_of=AS_OF)["purchase_count_30_days"].to_list() == [1, 0]


def test_nothing_after_the_as_of_date_is_seen(past: pl.DataFrame) -> None:
    assert all(ignores_the_future(build_features, past, as_of=AS_OF, seed=seed) for seed in range(5))


def test_a_feature_that_peeks_one_day_ahead_is_caught(past: pl.DataFrame) -> None:
    def peeking(rows: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
        tomorrow = rows.filter(pl.col("transaction_date") == as_of + timedelta(days=1))
        is_back = pl.col("customer_id").is_in(tomorrow["customer_id"].implode())
        return build_features(rows, as_of=as_of).with_columns(is_back.alias("is_back_tomorrow"))

    assert not ignores_the_future(peeking, past, as_of=AS_OF)


def test_recency_measured_to_the_end_of_the_data_is_caught(past: pl.DataFrame) -> None:
    def to_the_end(rows: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
        last = rows["transaction_date"].max()
        return build_features(rows, as_of=as_of).with_columns(pl.lit(last).alias("end"))

    assert not ignores_the_future(to_the_end, past, as_of=AS_OF)


def test_the_order_of_rows_changes_nothing(past: pl.DataFrame) -> None:
    features = build_features(past, as_of=AS_OF)
    for seed in range(5):
        shuffled = past.sample(fraction=1.0, shuffle=True, seed=seed)
        assert build_features(shuffled, as_of=AS_OF).equals(features)
    assert build_features(past.sort("net_amount", descending=True), as_of=AS_OF).equals(features)


@pytest.mark.parametrize("buckets", [2, 20])
def test_buckets_of_customers_give_the_same_rows_as_all_at_once(past: pl.DataFrame, buckets: int) -> None:
    bucket = past["customer_id"].str.slice(1).cast(pl.Int64) % buckets
    parts = [build_features(past.filter(bucket == number), as_of=AS_OF) for number in range(buckets)]
    assert pl.concat(parts).sort("customer_id").equals(build_features(past, as_of=AS_OF))


@pytest.mark.parametrize(
    "rows",
    [
        transactions(),
        transactions(("ann", "2026-06-01", -5.0), ("bob", "2026-06-02", -1.0)),
        transactions(("ann", "2026-07-01", 5.0)),
    ],
    ids=["no rows", "only returns", "only later rows"],
)
def test_without_a_purchase_there_are_typed_columns_and_no_rows(rows: pl.DataFrame) -> None:
    features = build_features(rows, as_of=AS_OF)
    assert features.is_empty()
    assert features.schema == pl.Schema(CUSTOMER_FEATURES)


def test_a_single_date_has_no_gaps_and_no_tenure() -> None:
    rows = transactions(*((name, "2026-06-30", 5.0) for name in ("ann", "ann", "bob")))
    features = build_features(rows, as_of=AS_OF)
    assert features["frequency_count"].to_list() == [2, 1]
    assert features["tenure_days"].to_list() == [0, 0]
    assert features.select(pl.col("^.*gap.*$").null_count()).row(0) == (2, 2, 2, 2)
