from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.backtest import SNAPSHOTS, Cutoffs, build_snapshots, plan_cutoffs
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


def test_cutoffs_are_one_horizon_apart_and_latest_first() -> None:
    cutoffs = plan()
    assert cutoffs == Cutoffs(
        test=date(2026, 12, 1),
        calibration=date(2026, 11, 1),
        training=(date(2026, 10, 2), date(2026, 9, 2), date(2026, 8, 3)),
    )
    assert cutoffs.all == tuple(sorted(cutoffs.all))
    assert len(cutoffs.all) == 5


def test_the_serving_model_stands_one_step_later_on_the_same_ladder() -> None:
    cutoffs = plan()
    assert cutoffs is not None
    assert cutoffs.serving_calibration == cutoffs.test
    assert cutoffs.serving_training == (cutoffs.calibration, *cutoffs.training)


def test_history_too_short_for_one_training_cutoff_gives_no_plan() -> None:
    shortest = FIRST + timedelta(days=90 + 3 * 30)
    cutoffs = plan(as_of=shortest)
    assert cutoffs is not None
    assert cutoffs.training == (FIRST + timedelta(days=90),)
    assert plan(as_of=shortest - timedelta(days=1)) is None
    assert plan(as_of=FIRST) is None
    assert plan(training=0) is None


@given(
    horizon=st.integers(1, 400),
    history=st.integers(0, 400),
    training=st.integers(0, 10**9),
    days=st.integers(0, 4000),
)
def test_whatever_is_fitted_for_a_test_uses_labels_matured_by_it(
    horizon: int, history: int, training: int, days: int
) -> None:
    as_of = FIRST + timedelta(days=days)
    cutoffs = plan(horizon=horizon, history=history, training=training, as_of=as_of)
    if cutoffs is None:
        return
    h = timedelta(days=horizon)
    assert cutoffs.test + h <= as_of
    assert cutoffs.calibration + h <= cutoffs.test
    assert all(day + h <= cutoffs.calibration for day in cutoffs.training)
    assert all(day - FIRST >= timedelta(days=history) for day in cutoffs.all)
    assert 1 <= len(cutoffs.training) <= training
    assert all(day + h <= cutoffs.serving_calibration <= as_of - h for day in cutoffs.serving_training)


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


def test_only_who_bought_within_the_active_window_is_eligible() -> None:
    rows = transactions(("in", "2026-06-02", 1.0), ("out", "2026-06-01", 1.0), ("back", "2026-07-01", -1.0))
    snapshots = build_snapshots(rows, cutoffs=[date(2026, 7, 1)], horizon_days=30, active_window_days=30)
    assert snapshots["customer_id"].to_list() == ["in"]


@pytest.mark.parametrize("buckets", [2, 20])
def test_snapshots_of_buckets_are_those_of_all_customers(year: pl.DataFrame, buckets: int) -> None:
    def build(rows: pl.DataFrame) -> pl.DataFrame:
        days = [date(2026, 6, 1), date(2026, 9, 1)]
        return build_snapshots(rows, cutoffs=days, horizon_days=30, active_window_days=60)

    bucket = year["customer_id"].str.slice(1).cast(pl.Int64) % buckets
    parts = [build(year.filter(bucket == number)) for number in range(buckets)]
    assert pl.concat(parts).sort("as_of_date", "customer_id").equals(build(year))


def test_no_cutoffs_or_no_transactions_give_an_empty_snapshot(year: pl.DataFrame) -> None:
    for rows, cutoffs in ((year, []), (transactions(), [AS_OF])):
        snapshots = build_snapshots(rows, cutoffs=cutoffs, horizon_days=30)
        assert snapshots.is_empty()
        assert snapshots.schema == pl.Schema(SNAPSHOTS)
