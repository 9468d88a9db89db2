from datetime import date

import numpy as np
import polars as pl
import pytest

from ml import metrics
from ml.evaluation import MAXIMUM_DRAW, Holdouts, Outcome, as_evaluations

DAY, LATER = date(2026, 1, 1), date(2026, 3, 1)


def holdouts(*actuals: np.ndarray, seed: int = 5) -> Holdouts:
    """Each array is a cut-off with customers 0, 1, 2, ..."""
    days = (DAY, LATER)
    return Holdouts(
        [
            Outcome(day, pl.Series([f"c{number:06}" for number in range(len(actual))], dtype=pl.String), actual)
            for day, actual in zip(days, actuals, strict=False)
        ],
        seed=seed,
    )


def coins(count: int, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(count) < 0.3).astype(float)


def test_one_class_gives_nulls_and_not_errors() -> None:
    found = holdouts(np.ones(5)).table(metrics.CHURN_METRICS, [np.linspace(0.1, 0.9, 5)])
    assert set(found.filter(pl.col("value").is_not_null())["metric"]) == {"brier", "expected_calibration_error"}
    assert found["value"].is_nan().sum() == 0


def test_no_customers_give_nulls_and_not_errors() -> None:
    every = metrics.CHURN_METRICS | metrics.CLV_METRICS
    found = holdouts(np.zeros(0)).table(every, [np.zeros(0)])
    assert found["value"].null_count() == len(found) == len(every)
    assert found["customer_count"].to_list() == [0] * len(found)


def test_an_interval_is_repeatable_and_as_wide_as_theory_says() -> None:
    actual = coins(2000, 2)
    first, again = (holdouts(actual).measure(metrics.hit_rate, [actual]).mean for _ in range(2))
    assert first == again
    assert first.upper - first.lower == pytest.approx(2 * 1.96 * np.sqrt(0.21 / 2000), rel=0.2)


def test_many_customers_are_drawn_in_part_without_widening_the_interval() -> None:
    actual = coins(8 * MAXIMUM_DRAW, 3)
    found = holdouts(actual).measure(metrics.hit_rate, [actual]).mean
    assert found.value == actual.mean()
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * np.sqrt(0.21 / len(actual)), rel=0.2)


def test_a_paired_difference_is_sure_where_two_intervals_overlap() -> None:
    random = np.random.default_rng(4)
    actual = coins(2000, 4)
    score = actual + random.normal(0, 1, 2000)
    slightly_worse = score + random.normal(0, 0.3, 2000)
    better, worse = (holdouts(actual).measure(metrics.auc, [told]) for told in (score, slightly_worse))
    assert (better - worse).mean.lower > 0
    assert better.mean.lower < worse.mean.upper


def test_the_same_customers_at_two_cut_offs_are_no_second_sample() -> None:
    actual = coins(2000, 2)
    once = holdouts(actual).measure(metrics.hit_rate, [actual]).mean
    twice = holdouts(actual, actual).measure(metrics.hit_rate, [actual, actual]).mean
    assert twice == pytest.approx(once)


def test_the_mean_over_cut_offs_leaves_out_where_a_metric_is_undefined() -> None:
    actual, told = np.array([1.0, 0.0, 0.0, 1.0] * 50), np.array([0.9, 0.2, 0.1, 0.3] * 50)
    found = holdouts(actual, np.ones(200)).measure(metrics.auc, [told, told])
    assert np.isnan(found.values[1])
    assert found.mean.value == found.values[0] == 1.0


def test_a_table_has_a_row_for_each_cut_off_and_metric() -> None:
    actual = coins(300, 1)
    table = holdouts(actual, actual[:200]).table({"auc": metrics.auc, "brier": metrics.brier}, [actual, actual[:200]])
    rows = as_evaluations(table, model="churn", candidate="recency", horizon_days=30)
    assert rows.select("cutoff_date", "metric", "value", "customer_count").rows() == [
        (DAY, "auc", 1.0, 300), (LATER, "auc", 1.0, 200), (DAY, "brier", 0.0, 300), (LATER, "brier", 0.0, 200),
    ]  # fmt: skip
