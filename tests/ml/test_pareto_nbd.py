import numpy as np
import pytest
from scipy.special import expit, hyp2f1

from ml.btyd.pareto_nbd import ParetoNbd
from tests.ml.simulated import Array, cdnow_histories, known


@pytest.fixture(scope="module")
def published() -> ParetoNbd:
    return ParetoNbd().fit(cdnow_histories()[:, :3])


def test_the_published_cdnow_estimates_come_out(published: ParetoNbd) -> None:
    assert (published.r_, published.s_) == pytest.approx((0.553, 0.606), abs=5e-4)
    assert (published.alpha_, published.beta_) == pytest.approx((10.58, 11.66), abs=0.01)
    assert published.log_likelihood_ == pytest.approx(-9594.976, abs=0.001)
    assert published.converged_


def test_customer_1516_is_expected_to_buy_as_published(published: ParetoNbd) -> None:
    customer = [[26, 30.86, 31]]
    assert published.expected_purchases(customer, horizon=52) == pytest.approx([25.456], abs=0.001)
    assert published.alive_probability(customer) == pytest.approx([0.9979], abs=5e-5)
    assert published.expected_purchases([[0, 0, 0]], horizon=52) == pytest.approx([1.473], abs=5e-4)


def test_the_next_39_weeks_come_out_as_published_by_calibration_frequency(published: ParetoNbd) -> None:
    X = cdnow_histories()[:, :3]
    expected, frequency = published.expected_purchases(X, horizon=39), np.minimum(X[:, 0], 7)
    found = [expected[frequency == count].mean() for count in range(8)]
    assert found == pytest.approx([0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403], abs=0.001)


@pytest.mark.parametrize("history", [(0, 0, 40), (3, 10, 40), (150, 300, 320), (400, 90, 700)])
def test_equal_alpha_and_beta_give_the_closed_form_of_being_alive(history: tuple[float, float, float]) -> None:
    x, t_x, T = history
    # dead before T over alive at T: s / (r + s + x) (((alpha + T) / (alpha + t_x))^(r + s + x) - 1)
    power = 1.5 + x
    log_odds = np.log(0.5 / power) + np.log(np.expm1(min(power * np.log((6 + T) / (6 + t_x)), 700)))
    found = known(ParetoNbd, r=1, alpha=6, s=0.5, beta=6).alive_probability([history])
    assert found == pytest.approx([expit(-log_odds)], rel=1e-8, abs=1e-250)


@pytest.mark.parametrize(("alpha", "beta"), [(10.6, 3.0), (2.0, 11.7), (40.0, 0.5)])
def test_the_odds_of_dropout_are_the_papers_hypergeometric_ones(alpha: float, beta: float) -> None:
    x, t_x, T = np.array([[0, 0, 39], [1, 5, 30], [6, 20, 39], [20, 38, 39]]).T
    r, s, larger = 0.55, 0.6, max(alpha, beta)
    power = r + s + x
    second = s + 1 if alpha >= beta else r + x

    def tail(t: Array) -> Array:
        found: Array = (larger + t) ** -power * hyp2f1(power, second, power + 1, abs(alpha - beta) / (larger + t))
        return found

    odds = s / power * (tail(t_x) - tail(T)) * (alpha + T) ** (r + x) * (beta + T) ** s
    found = known(ParetoNbd, r=r, alpha=alpha, s=s, beta=beta).alive_probability(np.column_stack([x, t_x, T]))
    assert found == pytest.approx(1 / (1 + odds), rel=1e-9)


def test_expected_purchases_of_a_new_customer_pass_smoothly_through_s_of_one() -> None:
    # r beta / (alpha (s - 1)) (1 - (beta / (beta + t))^(s - 1)) becomes a logarithm at s = 1
    at_one = 2 * 8 / 5 * np.log(20 / 8)
    for s in (1 - 1e-9, 1.0, 1 + 1e-9):
        model = known(ParetoNbd, r=2, alpha=5, s=s, beta=8)
        assert model.expected_purchases([[0, 0, 0]], horizon=12) == pytest.approx([at_one])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("alpha", [1e-3, 9.5, 1e5])
@pytest.mark.parametrize("s", [1e-5, 0.6, 100.0])
@pytest.mark.parametrize("beta", [1e-3, 8.0, 1e5])
def test_hundreds_of_purchases_stay_finite_and_below_the_limit_of_no_dropout(
    alpha: float, s: float, beta: float
) -> None:
    X = np.array(
        [
            [x, at * T, T]
            for x in (0, 1, 40, 900)
            for T in (0.0, 1.0, 90.0, 7000.0)
            for at in (float(x > 0), 0.2 * (x > 0))
        ]
    )
    model = known(ParetoNbd, r=1.4, alpha=alpha, s=s, beta=beta)
    for horizon in (0.01, 30, 3650):
        expected, silent = (
            model.expected_purchases(X, horizon=horizon),
            model.no_purchase_probability(X, horizon=horizon),
        )
        assert ((expected >= 0) & (expected <= (1.4 + X[:, 0]) * horizon / (alpha + X[:, 2]) * (1 + 1e-6))).all()
        assert ((silent >= 0) & (silent <= 1)).all()
