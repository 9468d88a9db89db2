import numpy as np
import pytest
from scipy.integrate import quad

from ml.btyd.beta_geometric import Likelihood
from ml.btyd.mbg_nbd import MbgNbd
from tests.ml.simulated import Array, cdnow_histories, histories, purchase_times


def simulated(customers: int, *, until: float = 20, seed: int = 0) -> Array:
    return purchase_times(customers, r=1, alpha=5, a=0.5, b=2, until=until, seed=seed, first_chances=1)


def known(r: float, alpha: float, a: float, b: float) -> MbgNbd:
    model = MbgNbd()
    model.r_, model.alpha_, model.a_, model.b_ = r, alpha, a, b
    return model


def test_the_published_cdnow_estimates_come_out_to_four_digits() -> None:
    found = MbgNbd().fit(cdnow_histories()[:, :3])
    assert (found.r_, found.alpha_, found.a_, found.b_) == pytest.approx((0.52484, 6.18309, 0.89136, 1.61400), abs=1e-5)
    assert found.log_likelihood_ == pytest.approx(-9582.136, abs=0.001)
    assert found.converged_


def test_whoever_bought_once_may_have_left_at_once() -> None:
    model = known(1, 5, 0.5, 2)
    # a / (a + b) leave at the first purchase; of the rest (alpha / (alpha + T))^r stay silent by chance
    silent = 0.8 * 5 / (5 + 20)
    assert model.alive_probability([[0, 0, 0], [0, 0, 20]]) == pytest.approx([0.8, silent / (0.2 + silent)])
    assert model.no_purchase_probability([[0, 0, 0]], horizon=20) == pytest.approx([0.2 + silent])


def test_expected_purchases_are_the_integral_of_the_rate_over_those_alive() -> None:
    # E[X(t)] of a new customer: p is Beta(a, b) and (1 - p) start alive, then leave at the rate p lambda
    random = np.random.default_rng(0)
    rate, p = random.gamma(1.2, 1 / 6, 400_000), random.beta(0.7, 2.5, 400_000)
    truth = ((1 - p) * (1 - np.exp(-p * rate * 20)) / p).mean()
    assert known(1.2, 6, 0.7, 2.5).expected_purchases([[0, 0, 0]], horizon=20) == pytest.approx([truth], rel=0.01)


def test_the_likelihood_of_one_history_is_its_integral_over_dropout_probabilities() -> None:
    # x = 1 at t_x = 3 of T = 10, rate Gamma(1, 5): E[lambda exp(-lambda t)] = 5 / (5 + t)^2
    def density(p: float) -> float:
        return (1 - p) * (p * 5 / 64 + (1 - p) * 5 / 225) * 6 * p * (1 - p)  # Beta(2, 2)

    data = Likelihood(np.ones(1), np.full(1, 3.0), np.full(1, 10.0), first_chances=1)
    found = data.mean_and_gradient(np.array([1.0, 5.0, 2.0, 2.0]))[0]
    assert found == pytest.approx(np.log(quad(density, 0, 1)[0]), rel=1e-9)


def test_the_gradient_is_the_slope_of_the_likelihood() -> None:
    data = Likelihood(*histories(simulated(200), until=20).T, first_chances=1)
    at = np.array([0.7, 4.0, 0.4, 1.5])
    slopes = [
        (data.mean_and_gradient(at + step)[0] - data.mean_and_gradient(at - step)[0]) / 2e-6
        for step in np.eye(4) * 1e-6
    ]
    assert data.mean_and_gradient(at)[1] == pytest.approx(slopes, abs=1e-7)


def test_simulated_parameters_and_the_future_are_recovered() -> None:
    times = simulated(20_000, until=78, seed=3)
    X = histories(np.where(times <= 52, times, np.inf), until=52)
    model = MbgNbd().fit(X)
    assert (model.r_, model.alpha_, model.a_, model.b_) == pytest.approx((1, 5, 0.5, 2), rel=0.08)
    future = (np.isfinite(times) & (times > 52)).sum(axis=1)
    assert model.expected_purchases(X, horizon=26).mean() == pytest.approx(future.mean(), rel=0.04)
    assert model.no_purchase_probability(X, horizon=26).mean() == pytest.approx((future == 0).mean(), rel=0.01)


@pytest.mark.parametrize(("fewest", "most"), [(0, 0), (1, 4), (5, np.inf)])
def test_the_true_parameters_foretell_each_kind_of_customer_within_sampling_error(fewest: float, most: float) -> None:
    times = simulated(10_000, until=78, seed=4)
    X = histories(np.where(times <= 52, times, np.inf), until=52)
    kind = (X[:, 0] >= fewest) & (X[:, 0] <= most)
    future = (times[kind] < np.inf).sum(axis=1) - X[kind, 0]
    model = known(1, 5, 0.5, 2)
    for actual, expected in (
        (future, model.expected_purchases(X[kind], horizon=26)),
        (future == 0, model.no_purchase_probability(X[kind], horizon=26)),
    ):
        errors = actual - expected
        assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(len(errors))


def test_nothing_is_bought_in_no_time_and_ever_more_later() -> None:
    X, model = histories(simulated(200), until=20), known(1, 5, 0.5, 2)
    assert model.expected_purchases(X, horizon=0) == pytest.approx(np.zeros(200), abs=1e-12)
    assert (model.no_purchase_probability(X, horizon=0) == 1).all()
    horizons = (0, 0.5, 3, 40, 900)
    assert (np.diff([model.expected_purchases(X, horizon=at) for at in horizons], axis=0) > 0).all()
    assert (np.diff([model.no_purchase_probability(X, horizon=at) for at in horizons], axis=0) < 0).all()


@pytest.mark.parametrize("a", [1e-5, 0.999_999_9, 1.0, 3.0, 100.0])
@pytest.mark.parametrize("b", [1e-3, 0.3, 14.0, 1000.0])
def test_hundreds_of_purchases_stay_finite_and_below_the_limit_of_no_dropout(a: float, b: float) -> None:
    X = np.array([[x, 0.99 * T, T] for x in (0, 1, 5, 40, 300, 900) for T in (0.0, 1.0, 90.0, 700.0)])
    for horizon in (30, 365):
        expected = known(1.4, 9.5, a, b).expected_purchases(X, horizon=horizon)
        assert (expected >= -1e-9).all()
        assert (expected <= (1.4 + X[:, 0]) * horizon / (9.5 + X[:, 2]) * (1 + 1e-6)).all()


def test_customers_who_never_drop_out_are_said_to() -> None:
    X = histories(purchase_times(3000, r=2, alpha=8, a=1e-9, b=1e3, until=100, seed=1, first_chances=1), until=100)
    model = MbgNbd().fit(X)
    assert "Nobody seems to drop out" in model.message_
    assert (model.r_, model.alpha_) == pytest.approx((2, 8), rel=0.1)


@pytest.mark.parametrize("row", [[0, 0, 50], [4, 30, 50], [0, 0, 0]], ids=["once", "identical", "today"])
def test_customers_who_are_all_alike_end_well(row: list[float]) -> None:
    model = MbgNbd().fit([row] * 40)
    assert "edge" in model.message_ or "flat" in model.message_
    assert np.isfinite(model.expected_purchases([row], horizon=90)).all()


def test_the_order_of_rows_does_not_change_a_digit() -> None:
    X = histories(simulated(400), until=20)
    assert vars(MbgNbd().fit(X[::-1])) == vars(MbgNbd().fit(X))


@pytest.mark.parametrize("X", [np.zeros((0, 3)), [[1, 5, 4]], [[1, np.nan, 4]], [[-1, 0, 4]]])
def test_impossible_histories_are_refused(X: object) -> None:
    with pytest.raises(ValueError, match="MBG/NBD needs"):
        MbgNbd().fit(X)
