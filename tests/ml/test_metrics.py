import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from ml import metrics as ev
from ml.logistic_line import fit_logistic_line

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
    assert np.isnan(fit_logistic_line(np.array([1.0, 0.0, 2.0, -1.0]), YES_NO)).all()


@pytest.mark.parametrize("name", [*ev.CHURN_METRICS, *ev.CLV_METRICS])
def test_a_customer_of_weight_two_counts_as_two_customers(name: str) -> None:
    metric = (ev.CHURN_METRICS | ev.CLV_METRICS)[name]
    random = np.random.default_rng(6)
    predicted = random.integers(1, 40, 400) / 41
    actual = (random.random(400) < predicted).astype(float)
    if name in ev.CLV_METRICS:
        actual *= random.gamma(2, 20, 400)
    weights = np.stack([np.ones(400), random.integers(0, 3, 400)]).astype(float)
    twice = np.repeat(np.arange(400), weights[1].astype(int))
    # errors of tenths are those of everybody's tenths, whoever is drawn; a line is a Newton step away
    loose = name in ("expected_calibration_error", "decile_error", "calibration_slope", "calibration_intercept")
    expected = [metric(actual, predicted), metric(actual[twice], predicted[twice])]
    assert metric(actual, predicted, weights) == pytest.approx(expected, rel=0.2 if loose else 1e-9, abs=0.03 * loose)


@pytest.mark.parametrize("name", [*ev.CHURN_METRICS, *ev.CLV_METRICS])
@pytest.mark.parametrize("levels", [40, 10**9], ids=["ties", "no ties"])
def test_customers_in_order_in_reverse_and_in_none_give_the_same(name: str, levels: int) -> None:
    metric = (ev.CHURN_METRICS | ev.CLV_METRICS)[name]
    random = np.random.default_rng(7)
    predicted = random.integers(1, levels, 500) / (levels + 1)
    actual = (random.random(500) < predicted).astype(float)
    if name in ev.CLV_METRICS:
        actual *= random.gamma(2, 20, 500)
    weights = random.integers(0, 4, (3, 500)).astype(np.float32)
    expected, order = metric(actual, predicted, weights), np.argsort(predicted, kind="stable")
    for one in (order, order[::-1]):
        assert metric(actual[one], predicted[one], weights[:, one]) == pytest.approx(expected, rel=1e-6)


def test_a_tenth_each_is_compared_with_what_happened_to_it() -> None:
    predicted = np.repeat([0.1, 0.3], 10)
    actual = np.array([1.0] * 2 + [0.0] * 8 + [1.0] * 3 + [0.0] * 7)
    assert ev.expected_calibration_error(actual, predicted) == pytest.approx(0.1 / 2)
    assert ev.decile_error(actual, predicted) == pytest.approx(1 / 5)


def test_lift_and_captured_share_of_twenty_customers_are_as_computed_by_hand() -> None:
    actual = np.array([1.0, 0, 1, 1] + [0] * 16)
    predicted = np.arange(20, 0, -1) / 20
    assert ev.lift_at_10_percent(actual, predicted) == pytest.approx((1 / 2) / (3 / 20))
    assert ev.top_decile_capture(actual, predicted) == pytest.approx(1 / 3)


def test_a_tie_at_the_edge_of_the_top_tenth_counts_as_its_average() -> None:
    actual = np.array([1.0, 0.0] * 10)
    assert ev.top_decile_capture(actual, np.zeros(20)) == pytest.approx(0.1)
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
