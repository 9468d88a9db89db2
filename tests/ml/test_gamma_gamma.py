import numpy as np
import polars as pl
import pytest

from ml.btyd.gamma_gamma import GammaGamma
from tests.ml.simulated import cdnow


def test_the_published_cdnow_estimates_come_out_to_four_digits() -> None:
    repeats = cdnow().filter(pl.col("week") > 0).group_by("customer").agg(pl.len(), pl.col("amount").mean())
    paid = repeats.filter(pl.col("amount") > 0)
    model = GammaGamma().fit(paid.select("len", "amount"))
    assert (paid.height, round(paid["amount"].mean(), 2)) == (946, 35.08)
    assert (model.p_, model.q_, model.gamma_) == pytest.approx((6.24957, 3.74422, 15.44352), rel=1e-5)
    assert model.log_likelihood_ == pytest.approx(-4055.9177, abs=0.005)
    assert model.converged_


def test_simulated_parameters_are_recovered() -> None:
    random = np.random.default_rng(0)
    x = random.integers(1, 12, 40_000)
    z = random.gamma(5.0 * x, 1 / random.gamma(4.0, 1 / 20.0, 40_000)) / x
    model = GammaGamma().fit(np.column_stack([x, z]))
    # p and gamma trade against each other; q and the population's mean are known well
    assert (model.p_, model.gamma_) == pytest.approx((5.0, 20.0), rel=0.1)
    assert (model.q_, model.p_ * model.gamma_ / (model.q_ - 1)) == pytest.approx((4.0, 100 / 3), rel=0.02)


def test_an_expected_amount_lies_between_the_own_mean_and_the_populations() -> None:
    model = GammaGamma()
    model.p_, model.q_, model.gamma_ = 6.0, 4.0, 15.0
    # population 6 * 15 / 3 = 30; with x = 2 and mean 60: 6 * (15 + 120) / (12 + 3)
    assert model.expected_amount([[0, 0], [2, 60], [3, -5]]) == pytest.approx([30, 54, 90 / 21])


def test_the_order_of_rows_does_not_change_a_digit() -> None:
    random = np.random.default_rng(1)
    rows = np.column_stack([random.integers(1, 9, 500), random.gamma(3, 10, 500)])
    shuffled = GammaGamma().fit(rows[random.permutation(500)])
    assert vars(shuffled) == vars(GammaGamma().fit(rows))


def test_identical_customers_end_at_a_named_bound() -> None:
    model = GammaGamma().fit([[3, 20.0]] * 50)
    assert "bound" in model.message_
    assert model.expected_amount([[3, 20.0]]) == pytest.approx([20], rel=0.05)


def test_an_amount_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        GammaGamma().fit([[2, 0.0]])
