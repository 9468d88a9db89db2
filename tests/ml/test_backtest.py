from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.backtest import SNAPSHOTS, Cutoffs, Fold, build_snapshots, plan_cutoffs
from ml.features import build_features
from ml.labels import label_outcomes
from tests.ml.frames import shop, transactions

FIRST, AS_OF = date(2026, 1, 1), date(2026, 12, 31)


def plan(*, horizon: int = 30, history: int = 90, training: int = 3, as_of: date = AS_OF) -> Cutoffs | None:
    return plan_cutoffs(
        first_date=FIRST,
        as_of=as_of,
        horizon_days=horizon,
        minimum_history_days=history,
        maximum_training=training,
    )


def test_each_test_is_learned_from_days_one_horizon_apart_before_it() -> None:
    cutoffs = plan(history=180, training=2)
    assert cutoffs is not None
    dec, nov, oct_, sep = (date(2026, 12, 1), date(2026, 11, 1), date(2026, 10, 2), date(2026, 9, 2))
    aug, jul = date(2026, 8, 3), date(2026, 7, 4)
    assert cutoffs.tests == (Fold(dec, nov, (oct_, sep)), Fold(nov, oct_, (sep, aug)), Fold(oct_, sep, (aug, jul)))
    assert cutoffs.all == (jul, aug, sep, oct_, nov, dec)


def test_what_serves_is_fitted_like_a_test_whose_day_is_today() -> None:
    cutoffs = plan(training=2)
    assert cutoffs is not None
    assert cutoffs.serving == Fold(AS_OF, date(2026, 12, 1), (date(2026, 11, 1), date(2026, 10, 2)))


def test_short_history_brings_the_tests_closer_together_in_whole_weeks() -> None:
    cutoffs = plan(horizon=90, history=60, as_of=FIRST + timedelta(days=60 + 270 + 35))
    assert cutoffs is not None
    days = [fold.day for fold in cutoffs.tests]
    assert [(days[0] - day).days for day in days] == [0, 14, 28]
    assert all(len(fold.training) == 1 for fold in cutoffs.tests)


def test_history_of_twice_the_horizon_is_the_least_that_gives_a_plan() -> None:
    shortest = FIRST + timedelta(days=90 + 2 * 30)
    cutoffs = plan(as_of=shortest)
    assert cutoffs is not None
    assert cutoffs.tests == (Fold(shortest - timedelta(days=30), FIRST + timedelta(days=90)),)
    assert plan(as_of=shortest - timedelta(days=1)) is None
    assert plan(as_of=FIRST) is None


@given(
    horizon=st.integers(1, 400),
    history=st.integers(0, 400),
    training=st.integers(0, 36),
    days=st.integers(0, 4000),
)
def test_whatever_is_fitted_for_a_day_uses_labels_matured_by_it(
    horizon: int, history: int, training: int, days: int
) -> None:
    as_of = FIRST + timedelta(days=days)
    cutoffs = plan(horizon=horizon, history=history, training=training, as_of=as_of)
    if cutoffs is None:
        return
    h = timedelta(days=horizon)
    tests = [fold.day for fold in cutoffs.tests]
    assert tests == sorted(set(tests), reverse=True)
    assert 1 <= len(tests) <= 3
    assert tests[0] + h == as_of == cutoffs.serving.day
    for fold in (*cutoffs.tests, cutoffs.serving):
        assert fold.calibration + h == fold.day
        assert all(day + h <= fold.calibration for day in fold.training)
        assert len(fold.training) <= training
    assert all(day - FIRST >= timedelta(days=history) for day in cutoffs.all)


@pytest.fixture(scope="module")
def year() -> pl.DataFrame:
    return shop(first_date=FIRST, days=365, rows=4000, customers=300, seed=4)


def test_snapshots_are_features_and_labels_stacked_in_order(year: pl.DataFrame) -> None:
    days = [date(2026, 9, 1), date(2026, 6, 1)]
    snapshots = build_snapshots(year, cutoffs=days, horizon_days=30)
    assert snapshots.schema == pl.Schema(SNAPSHOTS)
    assert snapshots.equals(snapshots.sort("as_of_date", "customer_id"))
    for day in days:
        snapshot = snapshots.filter(pl.col("as_of_date") == day)
        features = build_features(year, as_of=day)
        labels = label_outcomes(year, as_of=day, horizon_days=30)
        assert snapshot.select(features.columns).equals(features)
        assert snapshot.select(labels.columns).equals(labels)


@pytest.mark.parametrize("buckets", [2, 20])
def test_snapshots_of_buckets_are_those_of_all_customers(year: pl.DataFrame, buckets: int) -> None:
    def build(rows: pl.DataFrame) -> pl.DataFrame:
        days = [date(2026, 6, 1), date(2026, 9, 1)]
        return build_snapshots(rows, cutoffs=days, horizon_days=30)

    bucket = year["customer_id"].str.slice(1).cast(pl.Int64) % buckets
    parts = [build(year.filter(bucket == number)) for number in range(buckets)]
    assert pl.concat(parts).sort("as_of_date", "customer_id").equals(build(year))


def test_no_cutoffs_or_no_transactions_give_an_empty_snapshot(year: pl.DataFrame) -> None:
    for rows, cutoffs in ((year, []), (transactions(), [AS_OF])):
        snapshots = build_snapshots(rows, cutoffs=cutoffs, horizon_days=30)
        assert snapshots.is_empty()
        assert snapshots.schema == pl.Schema(SNAPSHOTS)
