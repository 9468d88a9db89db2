import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from ml import evaluation as ev

YES_NO = np.array([1.0, 0.0, 1.0, 0.0])
MONEY = np.array([0.0, 10.0, 30.0])


def test_auc_counts_a_tie_as_half() -> None:
    assert ev.auc(YES_NO, np.array([0.9, 0.1, 0.5, 0.5])) == pytest.approx(3.5 / 4)


def test_rank_metrics_agree_with_scikit_learn_under_many_ties() -> None:
    random = np.random.default_rng(0)
    actual = (random.random(500) < 0.3).astype(float)
    predicted = random.integers(0, 12, 500) / 12 + actual * 0.1
    assert ev.auc(actual, predicted) == pytest.approx(roc_auc_score(actual, predicted))
    assert ev.average_precision(actual, predicted) == pytest.approx(average_precision_score(actual, predicted))


def test_brier_skill_of_the_base_rate_is_zero_and_of_the_truth_one() -> None:
    assert ev.brier(YES_NO, np.array([0.5, 0.5, 1.0, 0.0])) == pytest.approx(0.125)
    assert ev.brier_skill(YES_NO, np.full(4, 0.5)) == 0
    assert ev.brier_skill(YES_NO, YES_NO) == 1


def test_calibration_finds_the_line_that_made_the_outcomes() -> None:
    random = np.random.default_rng(1)
    said = random.normal(0, 1.5, 200_000)
    actual = (random.random(200_000) < expit(0.3 + 0.7 * said)).astype(float)
    assert ev.calibration_slope(actual, expit(said)) == pytest.approx(0.7, abs=0.02)
    assert ev.calibration_intercept(actual, expit(said)) == pytest.approx(0.3, abs=0.02)


def test_a_constant_prediction_has_no_slope_and_separated_classes_have_no_line() -> None:
    assert np.isnan(ev.calibration_slope(YES_NO, np.full(4, 0.2)))
    assert ev.calibration_intercept(YES_NO, np.full(4, 0.2)) == pytest.approx(0)
    assert np.isnan(ev.fit_logistic_line(np.array([1.0, 0.0, 2.0, -1.0]), YES_NO)).all()


def test_lift_and_captured_share_of_twenty_customers_are_as_computed_by_hand() -> None:
    actual = np.array([1.0, 0, 1, 1] + [0] * 16)
    predicted = np.arange(20, 0, -1) / 20
    assert ev.lift_at_10_percent(actual, predicted) == pytest.approx((1 / 2) / (3 / 20))
    assert ev.captured_share(actual, predicted) == pytest.approx(1 / 3)


def test_a_tie_at_the_edge_of_the_top_tenth_counts_as_its_average() -> None:
    actual = np.array([1.0, 0.0] * 10)
    assert ev.captured_share(actual, np.zeros(20)) == pytest.approx(0.1)
    assert ev.lift_at_10_percent(actual, np.zeros(20)) == pytest.approx(1)


def test_money_metrics_of_three_customers_are_as_computed_by_hand() -> None:
    predicted = np.array([5.0, 5.0, 20.0])
    assert ev.bias(MONEY, predicted) == pytest.approx(-0.25)
    assert ev.mean_absolute_error(MONEY, predicted) == pytest.approx(20 / 3)
    assert ev.root_mean_squared_error(MONEY, predicted) == pytest.approx(np.sqrt(150 / 3))
    # ranks 1, 2, 3 against 1.5, 1.5, 3
    assert ev.spearman(MONEY, predicted) == pytest.approx(1.5 / np.sqrt(2 * 1.5))
    # (0.5 * -1 ... ) covariance with rank: 0 * -.5 + 10 * -.5 + 30 * 1 over 0 * -1 + 10 * 0 + 30 * 1
    assert ev.normalised_gini(MONEY, predicted) == pytest.approx(25 / 30)
    assert ev.normalised_gini(MONEY, MONEY) == 1


def test_one_class_gives_nulls_and_not_errors() -> None:
    found = ev.evaluate(np.ones(5), np.linspace(0.1, 0.9, 5), metrics=ev.CHURN_METRICS, seed=0)
    assert set(found.filter(found["value"].is_not_null())["metric"]) == {"brier"}
    assert found["value"].is_nan().sum() == 0


def test_no_customers_give_nulls_and_not_errors() -> None:
    found = ev.evaluate(np.zeros(0), np.zeros(0), metrics=ev.CHURN_METRICS | ev.CLV_METRICS, seed=0)
    assert found["value"].null_count() == len(found) == len(ev.CHURN_METRICS | ev.CLV_METRICS)
    assert found["customer_count"].to_list() == [0] * len(found)


def test_an_interval_is_repeatable_and_as_wide_as_theory_says() -> None:
    actual = (np.random.default_rng(2).random(2000) < 0.3).astype(float)
    first = ev.evaluate(actual, actual, metrics={"mean": ev.hit_rate}, seed=5)
    assert first.equals(ev.evaluate(actual, actual, metrics={"mean": ev.hit_rate}, seed=5))
    width = first["upper"][0] - first["lower"][0]
    assert width == pytest.approx(2 * 1.96 * np.sqrt(0.21 / 2000), rel=0.2)


def test_many_customers_are_drawn_in_part_without_widening_the_interval() -> None:
    actual = (np.random.default_rng(3).random(80_000) < 0.3).astype(float)
    found = ev.evaluate(actual, actual, metrics={"mean": ev.hit_rate}, seed=5)
    assert found["upper"][0] - found["lower"][0] == pytest.approx(2 * 1.96 * np.sqrt(0.21 / 80_000), rel=0.2)


def test_a_paired_difference_is_sure_where_two_intervals_overlap() -> None:
    random = np.random.default_rng(4)
    actual = (random.random(2000) < 0.3).astype(float)
    score = actual + random.normal(0, 1, 2000)
    slightly_worse = score + random.normal(0, 0.3, 2000)
    difference = ev.paired_difference(ev.auc, actual, score, slightly_worse, seed=0)
    alone = [ev.evaluate(actual, x, metrics={"auc": ev.auc}, seed=0) for x in (score, slightly_worse)]
    assert difference.lower > 0
    assert alone[0]["lower"][0] < alone[1]["upper"][0]
