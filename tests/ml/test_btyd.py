"""What holds for every model of purchases; what a paper says of one of them belongs in that model's own file."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from ml.btyd import pareto_nbd
from ml.btyd.beta_geometric import Likelihood
from ml.btyd.bg_nbd import BgNbd
from ml.btyd.mbg_nbd import MbgNbd
from ml.btyd.pareto_nbd import ParetoNbd
from tests.ml.simulated import Array, histories, known, pareto_purchase_times, purchase_times


@dataclass(frozen=True)
class Case:
    """A model, customers as it supposes them to be, and the parameters of those who never leave."""

    model: type[Any]
    likelihood: Callable[..., Any]
    simulate: Callable[..., Array]
    truth: dict[str, float]
    stays: dict[str, float]

    def known(self, **others: float) -> Any:
        """The model with the true parameters, or others."""
        return known(self.model, **(self.truth | others))

    def simulated(self, customers: int, *, until: float = 20, seed: int = 0) -> Array:
        """Times of repeat purchases under the true parameters."""
        return self.simulate(customers, **self.truth, until=until, seed=seed)


_first = {"first_chances": 1}  # MBG/NBD is BG/NBD with one chance more to leave
_bg = Case(BgNbd, Likelihood, purchase_times, {"r": 1, "alpha": 5, "a": 0.5, "b": 2}, {"a": 1e-9, "b": 1e3})
CASES = {
    "BG/NBD": _bg,
    "MBG/NBD": Case(MbgNbd, partial(Likelihood, **_first), partial(purchase_times, **_first), _bg.truth, _bg.stays),
    "Pareto/NBD": Case(
        ParetoNbd,
        pareto_nbd._Likelihood,
        pareto_purchase_times,
        {"r": 1, "alpha": 5, "s": 0.7, "beta": 8},
        {"s": 1e-9, "beta": 1e3},
    ),
}


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> Case:
    return CASES[name]


def assert_foretold(model: Any, X: Array, *, future: Array) -> None:
    """Purchases in the 26 time units to come, and silence, are as expected within three standard errors."""
    for actual, expected in (
        (future, model.expected_purchases(X, horizon=26)),
        (future == 0, model.no_purchase_probability(X, horizon=26)),
    ):
        errors = actual - expected
        assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(len(errors))


def test_the_gradient_is_the_slope_of_the_likelihood(case: Case) -> None:
    data, at = case.likelihood(*histories(case.simulated(200), until=20).T), np.array([0.7, 4.0, 0.4, 1.5])
    slopes = [
        (data.mean_and_gradient(at + step)[0] - data.mean_and_gradient(at - step)[0]) / 2e-6
        for step in np.eye(4) * 1e-6
    ]
    assert data.mean_and_gradient(at)[1] == pytest.approx(slopes, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        *((name, case.truth) for name, case in CASES.items()),
        ("BG/NBD", {"r": 0.25, "alpha": 4.4, "a": 0.8, "b": 2.4}),
        ("BG/NBD", {"r": 1.5, "alpha": 10, "a": 0.3, "b": 4}),
    ],
)
def test_simulated_parameters_and_the_future_are_recovered(name: str, truth: dict[str, float]) -> None:
    times = CASES[name].simulate(20_000, **truth, until=78, seed=3)
    X = histories(np.where(times <= 52, times, np.inf), until=52)
    model = CASES[name].model().fit(X)
    assert {key: getattr(model, f"{key}_") for key in truth} == pytest.approx(truth, rel=0.1)
    assert_foretold(model, X, future=np.isfinite(times).sum(axis=1) - X[:, 0])


@pytest.mark.parametrize(("fewest", "most"), [(0, 0), (1, 4), (5, np.inf)])
def test_the_true_parameters_foretell_each_kind_of_customer_within_sampling_error(
    case: Case, fewest: float, most: float
) -> None:
    times = case.simulated(10_000, until=78, seed=4)
    X = histories(np.where(times <= 52, times, np.inf), until=52)
    kind = (X[:, 0] >= fewest) & (X[:, 0] <= most)
    future = (times[kind] < np.inf).sum(axis=1) - X[kind, 0]
    assert_foretold(case.known(), X[kind], future=future)


def test_nothing_is_bought_in_no_time_and_ever_more_later(case: Case) -> None:
    X, model = histories(case.simulated(200), until=20), case.known()
    assert model.expected_purchases(X, horizon=0) == pytest.approx(np.zeros(200), abs=1e-12)
    assert (model.no_purchase_probability(X, horizon=0) == 1).all()
    horizons = (0, 0.5, 3, 40, 900)
    assert (np.diff([model.expected_purchases(X, horizon=at) for at in horizons], axis=0) > 0).all()
    assert (np.diff([model.no_purchase_probability(X, horizon=at) for at in horizons], axis=0) < 0).all()


@pytest.mark.parametrize("name", ["BG/NBD", "MBG/NBD"])  # Pareto/NBD has a test of its own parameters
@pytest.mark.parametrize("a", [1e-5, 0.02, 0.999_999_9, 1.0, 3.0, 100.0])
@pytest.mark.parametrize("b", [1e-3, 0.3, 14.0, 1000.0])
def test_hundreds_of_purchases_stay_finite_and_below_the_limit_of_no_dropout(case: Case, a: float, b: float) -> None:
    X = np.array([[x, 0.99 * T, T] for x in (0, 1, 5, 40, 300, 900) for T in (0.0, 1.0, 90.0, 700.0)])
    for horizon in (30, 365):
        expected = case.known(r=1.4, alpha=9.5, a=a, b=b).expected_purchases(X, horizon=horizon)
        assert (expected >= -1e-9).all()
        assert (expected <= (1.4 + X[:, 0]) * horizon / (9.5 + X[:, 2]) * (1 + 1e-6)).all()


def test_without_dropout_the_expectation_is_that_of_a_gamma_poisson(case: Case) -> None:
    X = np.array([[300.0, 360.0, 364.0], [2.0, 100.0, 200.0]])
    model = case.known(r=1.4, alpha=9.5, **case.stays)
    rate = (1.4 + X[:, 0]) / (9.5 + X[:, 2])
    silent = ((9.5 + X[:, 2]) / (9.5 + X[:, 2] + 90)) ** (1.4 + X[:, 0])
    assert model.expected_purchases(X, horizon=90) == pytest.approx(rate * 90, rel=1e-3)
    assert model.no_purchase_probability(X, horizon=90) == pytest.approx(silent, rel=1e-3, abs=1e-6)


def test_customers_who_never_drop_out_are_said_to(case: Case) -> None:
    X = histories(case.simulate(3000, r=2, alpha=8, **case.stays, until=100, seed=1), until=100)
    model = case.model().fit(X)
    assert "Nobody seems to drop out" in model.message_
    assert (model.r_, model.alpha_) == pytest.approx((2, 8), rel=0.1)


@pytest.mark.parametrize("row", [[0, 0, 50], [4, 30, 50], [0, 0, 0]], ids=["once", "identical", "today"])
def test_customers_who_are_all_alike_end_well(case: Case, row: list[float]) -> None:
    model = case.model().fit([row] * 40)
    assert "edge" in model.message_ or "flat" in model.message_
    assert np.isfinite(model.expected_purchases([row], horizon=90)).all()


def test_the_order_of_rows_does_not_change_a_digit(case: Case) -> None:
    X = histories(case.simulated(400), until=20)
    assert vars(case.model().fit(X[::-1])) == vars(case.model().fit(X))


@pytest.mark.parametrize("X", [np.zeros((0, 3)), [[1, 5, 4]], [[1, np.nan, 4]], [[-1, 0, 4]]])
def test_impossible_histories_are_refused(name: str, X: object) -> None:
    with pytest.raises(ValueError, match=f"^{name} needs"):
        CASES[name].model().fit(X)
