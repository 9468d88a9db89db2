import numpy as np
import pytest

from ml.btyd.bg_nbd import BgNbd
from tests.ml.simulated import cdnow_histories, known


@pytest.fixture(scope="module")
def published() -> BgNbd:
    X = cdnow_histories()[:, :3]
    assert len(X) == 2357
    return BgNbd().fit(X)


def test_the_published_cdnow_estimates_come_out_to_four_digits(published: BgNbd) -> None:
    found = (published.r_, published.alpha_, published.a_, published.b_)
    assert found == pytest.approx((0.242595, 4.413602, 0.792922, 2.425907), rel=1e-5)
    assert published.log_likelihood_ == pytest.approx(-9582.4292, abs=0.005)
    assert published.converged_


def test_customer_1516_is_expected_to_buy_as_published(published: BgNbd) -> None:
    customer = [[26, 30.86, 31]]
    assert published.expected_purchases(customer, horizon=52) == pytest.approx([25.757], abs=0.005)
    assert published.alive_probability(customer) == pytest.approx([0.9689], abs=5e-5)
    assert published.expected_purchases([[0, 0, 0]], horizon=52) == pytest.approx([1.444], abs=5e-4)


def test_expected_purchases_are_the_integral_of_the_rate_over_those_alive() -> None:
    # E[X(t)] of a new customer: lambda exp(-p lambda u) integrated over u, lambda and p (2005, eq. 9)
    random = np.random.default_rng(0)
    rate, p = random.gamma(1.2, 1 / 6, 400_000), random.beta(0.7, 2.5, 400_000)
    truth = ((1 - np.exp(-p * rate * 20)) / p).mean()
    model = known(BgNbd, r=1.2, alpha=6, a=0.7, b=2.5)
    assert model.expected_purchases([[0, 0, 0]], horizon=20) == pytest.approx([truth], rel=0.01)
