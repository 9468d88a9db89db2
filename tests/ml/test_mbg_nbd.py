import numpy as np
import pytest
from scipy.integrate import quad

from ml.btyd.beta_geometric import Likelihood
from ml.btyd.mbg_nbd import MbgNbd
from tests.ml.simulated import cdnow_histories, known


def test_the_published_cdnow_estimates_come_out_to_four_digits() -> None:
    found = MbgNbd().fit(cdnow_histories()[:, :3])
    assert (found.r_, found.alpha_, found.a_, found.b_) == pytest.approx((0.52484, 6.18309, 0.89136, 1.61400), abs=1e-5)
    assert found.log_likelihood_ == pytest.approx(-9582.136, abs=0.001)
    assert found.converged_


def test_whoever_bought_once_may_have_left_at_once() -> None:
    model = known(MbgNbd, r=1, alpha=5, a=0.5, b=2)
    # a / (a + b) leave at the first purchase; of the rest (alpha / (alpha + T))^r stay silent by chance
    silent = 0.8 * 5 / (5 + 20)
    assert model.alive_probability([[0, 0, 0], [0, 0, 20]]) == pytest.approx([0.8, silent / (0.2 + silent)])
    assert model.no_purchase_probability([[0, 0, 0]], horizon=20) == pytest.approx([0.2 + silent])


def test_expected_purchases_are_the_integral_of_the_rate_over_those_alive() -> None:
    # E[X(t)] of a new customer: p is Beta(a, b) and (1 - p) start alive, then leave at the rate p lambda
    random = np.random.default_rng(0)
    rate, p = random.gamma(1.2, 1 / 6, 400_000), random.beta(0.7, 2.5, 400_000)
    truth = ((1 - p) * (1 - np.exp(-p * rate * 20)) / p).mean()
    model = known(MbgNbd, r=1.2, alpha=6, a=0.7, b=2.5)
    assert model.expected_purchases([[0, 0, 0]], horizon=20) == pytest.approx([truth], rel=0.01)


def test_the_likelihood_of_one_history_is_its_integral_over_dropout_probabilities() -> None:
    # x = 1 at t_x = 3 of T = 10, rate Gamma(1, 5): E[lambda exp(-lambda t)] = 5 / (5 + t)^2
    def density(p: float) -> float:
        return (1 - p) * (p * 5 / 64 + (1 - p) * 5 / 225) * 6 * p * (1 - p)  # Beta(2, 2)

    data = Likelihood(np.ones(1), np.full(1, 3.0), np.full(1, 10.0), first_chances=1)
    found = data.mean_and_gradient(np.array([1.0, 5.0, 2.0, 2.0]))[0]
    assert found == pytest.approx(np.log(quad(density, 0, 1)[0]), rel=1e-9)
