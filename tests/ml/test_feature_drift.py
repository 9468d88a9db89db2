"""Kolmogorov-Smirnov and the points that a training keeps, against numbers worked out by hand."""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest

from ml.drift import feature_drift, feature_points, kolmogorov_smirnov, moved, points, watched
from ml.schemas import CUSTOMER_FEATURES


@pytest.mark.parametrize(
    ("first", "now", "gap"),
    [
        ([1, 2, 3, 4], [4, 3, 2, 1], 0),
        ([1, 2], [3, 4, 5], 1),
        ([1, 2, 3, 4], [3, 4, 5, 6], 0.5),  # at 2: a half against none
        ([0, 0, 0, 1], [0, 1, 1, 1], 0.5),  # at 0: three quarters against one
        ([1, 2, 3], [2, 2], 1 / 3),  # just below 2, and from 2 to 3
    ],
)
def test_the_largest_gap_between_the_shares_at_or_below_a_value(
    first: list[float], now: list[float], gap: float
) -> None:
    pair = [np.array(sample, dtype=np.float64) for sample in (first, now)]
    assert kolmogorov_smirnov(*pair) == pytest.approx(gap)
    assert kolmogorov_smirnov(*pair[::-1]) == pytest.approx(gap)


def test_of_no_sample_there_is_no_gap_to_tell() -> None:
    assert math.isnan(kolmogorov_smirnov(np.array([]), np.array([1.0])))


def test_points_are_the_middles_of_hundredths_and_keep_no_extreme() -> None:
    found = points(pl.Series(range(1000)).shuffle(seed=1))
    assert found == [5.0 + 10 * number for number in range(100)]


def test_fewer_customers_than_points_are_not_kept() -> None:
    assert points(pl.Series(range(99))) == []
    assert len(points(pl.Series(range(100)))) == 100


def test_a_sample_has_not_moved_from_its_own_points() -> None:
    sample = pl.Series([number / 3 for number in range(1000)])
    psi, ks = moved(points(sample), sample)
    assert psi < 0.001
    assert ks <= 0.005 + 1e-9  # half a hundredth


def test_few_different_values_stay_equal_through_rounding() -> None:
    thirds = pl.Series([0.0, 1 / 3, 2 / 3, 1.0] * 100)
    assert moved(points(thirds), thirds) == (pytest.approx(0, abs=0.02), 0)


def test_more_customers_without_a_value_are_a_move() -> None:
    before = pl.Series([None] * 20 + [*range(1, 81)], dtype=pl.Float64)
    now = pl.Series([None] * 60 + [*range(2, 82, 2)], dtype=pl.Float64)
    psi, ks = moved(points(before), now)
    assert ks == pytest.approx(0.4, abs=0.011)
    assert psi > 0.25
    assert moved(points(before), before)[1] == 0


def test_nobody_with_a_value_on_either_day_is_no_move() -> None:
    nobody = pl.Series([None] * 100, dtype=pl.Float64)
    assert moved(points(nobody), nobody) == (0, 0)


def test_what_grows_with_every_day_and_what_is_still_filling_up_is_not_watched() -> None:
    names = watched(200)
    assert {"recency_days", "discount_share", "average_order_amount", "gap_mean_days"} <= set(names)
    assert {"purchase_count_180_days", "net_amount_180_days"} <= set(names)
    for ageing in ("tenure_days", "frequency_count", "monetary_amount", "value_amount", "purchase_day_count"):
        assert ageing not in names
    assert not {"purchase_count_365_days", "net_amount_365_days", "first_purchase_date", "customer_id"} & set(names)
    assert set(watched(365)) - set(names) == {"purchase_count_365_days", "net_amount_365_days"}


def test_each_feature_is_compared_with_its_own_points() -> None:
    columns = {name: pl.Series([0] * 300).cast(kind) for name, kind in CUSTOMER_FEATURES.items() if kind != pl.String}
    features = pl.DataFrame(columns).with_columns(recency_days=pl.int_range(300))
    then = feature_points(features, first_date=date(2025, 1, 1), as_of=date(2026, 6, 30))
    later = feature_drift(then, features.with_columns(pl.col("recency_days") + 150)).sort("psi", descending=True)
    assert set(later["feature"]) == set(watched(545))
    assert later.row(0, named=True)["feature"] == "recency_days"
    assert later.row(0, named=True)["ks"] == pytest.approx(0.5, abs=0.006)
    assert later["ks"][1:].max() == 0
    assert later["psi"][1:].abs().max() < 0.02, "the half added to every bin weighs more in a hundred than in 300"
    assert set(later["customer_count"]) == {300}
