from collections.abc import Callable

import numpy as np
import pytest

from ml.btyd import bg_nbd
from ml.btyd.beta_geometric import Likelihood
from ml.btyd.bg_nbd import BgNbd
from ml.btyd.histories import distinct_histories
from ml.btyd.mbg_nbd import MbgNbd
from tests.ml.simulated import Array, cdnow_histories, histories, known, purchase_times


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


@pytest.mark.parametrize("first_chances", [0, 1])
def test_the_second_derivatives_are_the_slopes_of_the_gradient(first_chances: int) -> None:
    X = histories(purchase_times(200, r=1, alpha=5, a=0.5, b=2, until=20, seed=0), until=20)
    data, at = Likelihood(*X.T, first_chances=first_chances), np.array([0.7, 4.0, 0.4, 1.5])
    slopes = [
        (data.mean_and_gradient(at + step)[1] - data.mean_and_gradient(at - step)[1]) / 2e-6
        for step in np.eye(4) * 1e-6
    ]
    assert data.mean_and_slopes(at)[2] == pytest.approx(np.array(slopes), abs=1e-7)


@pytest.mark.parametrize("to_days", [np.array, np.floor], ids=["moments", "whole days"])
@pytest.mark.parametrize("family", [BgNbd, MbgNbd])
def test_newtons_steps_up_from_samples_reach_what_a_climb_with_everybody_does(
    family: type[BgNbd], to_days: Callable[[Array], Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    X = to_days(histories(purchase_times(30_000, r=1, alpha=50, a=0.5, b=2, until=400, seed=0), until=400))
    monkeypatch.setattr(bg_nbd, "_SAMPLES", (2000, 8000))
    found, shuffled = family().fit(X), family().fit(np.random.default_rng(0).permutation(X))
    assert vars(shuffled) == vars(found)
    monkeypatch.setattr(bg_nbd, "_SAMPLES", ())
    slow = family().fit(X)
    assert vars(found).keys() == vars(slow).keys()
    assert found.log_likelihood_ == pytest.approx(slow.log_likelihood_, abs=1e-4)
    assert (found.r_, found.alpha_, found.a_, found.b_) == pytest.approx(
        (slow.r_, slow.alpha_, slow.a_, slow.b_), rel=1e-5
    )
    assert found.converged_
    assert found.is_sound_
    assert found.message_ == slow.message_


def test_many_customers_who_never_drop_out_are_climbed_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bg_nbd, "_SAMPLES", (500, 1000))
    X = histories(purchase_times(3000, r=2, alpha=8, a=1e-9, b=1e3, until=100, seed=1), until=100)
    assert "Nobody seems to drop out" in BgNbd().fit(X).message_


def test_alike_histories_are_counted_whether_times_are_whole_or_not() -> None:
    X = np.array([[2, 5, 9], [0, 0, 9], [2, 5, 9], [2, 5, 8], [0, -0.0, 9], [1, 5, 9]])
    for unit in (1, 0.3):
        found = distinct_histories(X * [1, unit, unit], model="BG/NBD")
        rows = np.column_stack(found) / [1, unit, unit, 1]
        assert rows[np.lexsort(rows.T[::-1])] == pytest.approx(
            np.array([[0, 0, 9, 2], [1, 5, 9, 1], [2, 5, 8, 1], [2, 5, 9, 2]])
        )
        assert sum(found.sample(3).customers) == 3


def test_expected_purchases_are_the_integral_of_the_rate_over_those_alive() -> None:
    # E[X(t)] of a new customer: lambda exp(-p lambda u) integrated over u, lambda and p (2005, eq. 9)
    random = np.random.default_rng(0)
    rate, p = random.gamma(1.2, 1 / 6, 400_000), random.beta(0.7, 2.5, 400_000)
    truth = ((1 - np.exp(-p * rate * 20)) / p).mean()
    model = known(BgNbd, r=1.2, alpha=6, a=0.7, b=2.5)
    assert model.expected_purchases([[0, 0, 0]], horizon=20) == pytest.approx([truth], rel=0.01)
