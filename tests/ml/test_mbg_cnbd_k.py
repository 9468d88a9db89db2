import numpy as np
import pytest
from scipy.integrate import dblquad

from ml.btyd import erlang, mbg_cnbd_k
from ml.btyd.mbg_cnbd_k import MbgCnbdK, _Likelihood
from ml.btyd.mbg_nbd import MbgNbd
from tests.ml.simulated import Array, cdnow_histories, histories

TRUTH = {"r": 1.2, "alpha": 3.0, "a": 0.6, "b": 2.5}


def regular_times(customers: int, *, k: int, until: float, seed: int) -> Array:
    """Times of repeat purchases, shape (customers, purchases), infinite after the last; waiting is Erlang-k."""
    random = np.random.default_rng(seed)
    rate = random.gamma(TRUTH["r"], 1 / TRUTH["alpha"], customers)
    purchases = random.geometric(np.clip(random.beta(TRUTH["a"], TRUTH["b"], customers), 1e-12, 1)) - 1
    width = int(rate.max() * until * 2 / k) + 30
    times = np.cumsum(random.gamma(k, 1, (customers, width)), axis=1) / rate[:, None]
    return np.where((times <= until) & (np.arange(width) < purchases[:, None]), times, np.inf)


def with_log_gaps(times: Array, *, until: float) -> Array:
    """x, t_x, T and the sum of logs of gaps of each customer."""
    bought = np.isfinite(times)
    gaps = np.diff(np.where(bought, times, 0), axis=1, prepend=0)
    logs = np.log(np.where(bought, gaps, 1)).sum(axis=1)
    return np.column_stack([histories(times, until=until), logs])


def known(k: int) -> MbgCnbdK:
    model = MbgCnbdK()
    model.k_, model.r_, model.alpha_, model.a_, model.b_ = k, *TRUTH.values()
    return model


def test_k_of_one_is_mbg_nbd() -> None:
    X = cdnow_histories()[:, :3]
    found, same = MbgCnbdK(k=1).fit(X), MbgNbd().fit(X)
    assert found.log_likelihood_ == pytest.approx(same.log_likelihood_, rel=1e-12)
    assert (found.r_, found.alpha_, found.a_, found.b_) == pytest.approx(
        (same.r_, same.alpha_, same.a_, same.b_), rel=1e-6
    )
    same.r_, same.alpha_, same.a_, same.b_ = found.r_, found.alpha_, found.a_, found.b_
    assert found.alive_probability(X) == pytest.approx(same.alive_probability(X), rel=1e-10)
    for horizon in (1, 39, 200):
        assert found.expected_purchases(X, horizon=horizon) == pytest.approx(
            same.expected_purchases(X, horizon=horizon), rel=1e-8, abs=1e-10
        )
        assert found.no_purchase_probability(X, horizon=horizon) == pytest.approx(
            same.no_purchase_probability(X, horizon=horizon), rel=1e-10
        )


def test_cdnow_shows_no_regularity_as_published() -> None:
    found = MbgCnbdK().fit(cdnow_histories()[:, :3])
    assert found.k_ == 1
    assert found.log_likelihood_ == pytest.approx(-9582.136, abs=0.001)


def test_the_likelihood_of_one_history_is_its_integral_over_rates_and_chances() -> None:
    # gaps of 2 and 3, k = 3: Erlang densities, then dropout at 5 or silence until 9
    def density(p: float, rate: float) -> float:
        gaps = rate**6 * 2**2 * 3**2 / 2**2 * np.exp(-5 * rate)
        silent = np.exp(-4 * rate) * (1 + 4 * rate + 8 * rate**2)
        survived = (1 - p) ** 2 * (p + (1 - p) * silent)
        return float(gaps * survived * 6 * p * (1 - p) * 9 * rate * np.exp(-3 * rate))

    exact = np.log(dblquad(density, 0, 30, 0, 1)[0])
    data = _Likelihood(np.full(1, 2.0), np.full(1, 5.0), np.full(1, 9.0), log_gaps=float(np.log(6)))
    at = np.array([2.0, 3.0, 2.0, 2.0])
    assert data.mean_and_gradient(at, k=3, timing=data.timing(3))[0] == pytest.approx(exact, rel=1e-7)


def test_without_gaps_the_likelihood_is_its_mean_over_where_the_first_of_two_purchases_lay() -> None:
    # all places in (0, 5) are equally likely for k = 1: the mean is taken over these
    row, at = (np.full(1, 2.0), np.full(1, 5.0), np.full(1, 9.0)), np.array([2.0, 3.0, 2.0, 2.0])
    places = (np.arange(20_000) + 0.5) / 20_000 * 5
    logs = np.log(places) + np.log(5 - places)
    split = [_Likelihood(*row, log_gaps=float(found)).timing(3) for found in (0.0, 1.0)]
    mean = np.log(np.exp(split[0] + (split[1] - split[0]) * logs).mean())
    known_gaps = _Likelihood(*row, log_gaps=0.0)
    base = known_gaps.mean_and_gradient(at, k=3, timing=0.0)[0]
    data = _Likelihood(*row, log_gaps=None)
    assert data.mean_and_gradient(at, k=3, timing=data.timing(3))[0] == pytest.approx(base + mean, rel=1e-8)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_gradient_is_the_slope_of_the_likelihood(k: int) -> None:
    X = histories(regular_times(200, k=k, until=40, seed=0), until=40)
    data, at = _Likelihood(*X.T, log_gaps=None), np.array([0.7, 4.0, 0.4, 1.5])

    def value(parameters: Array) -> float:
        return data.mean_and_gradient(parameters, k=k, timing=0.0)[0]

    slopes = [(value(at + step) - value(at - step)) / 2e-6 for step in np.eye(4) * 1e-6]
    assert data.mean_and_gradient(at, k=k, timing=0.0)[1] == pytest.approx(slopes, abs=1e-7)


@pytest.mark.parametrize("k", [2, 4])
def test_simulated_parameters_are_recovered_and_gaps_tell_k(k: int) -> None:
    model = MbgCnbdK().fit(with_log_gaps(regular_times(8000, k=k, until=52, seed=1), until=52))
    assert model.k_ == k
    assert (model.r_, model.alpha_, model.a_, model.b_) == pytest.approx(tuple(TRUTH.values()), rel=0.12)
    assert model.converged_


@pytest.mark.parametrize("k", [1, 3])
def test_x_and_t_x_alone_tell_k_too_where_it_is_small(k: int) -> None:
    assert MbgCnbdK().fit(histories(regular_times(8000, k=k, until=52, seed=1), until=52)).k_ == k


def test_the_future_of_regular_customers_is_foretold_better_than_by_mbg_nbd() -> None:
    times = regular_times(8000, k=3, until=78, seed=2)
    X = histories(np.where(times <= 52, times, np.inf), until=52)
    future = (np.isfinite(times) & (times > 52)).sum(axis=1)
    ours, theirs = MbgCnbdK().fit(X), MbgNbd().fit(X)

    def errors(model: MbgCnbdK | MbgNbd) -> tuple[float, float, float, float]:
        expected, silent = model.expected_purchases(X, horizon=26), model.no_purchase_probability(X, horizon=26)
        misses = expected - future
        squares = (misses**2).mean(), ((silent - (future == 0)) ** 2).mean()
        return abs(misses.mean()), abs(misses).mean(), *squares

    assert (np.array(errors(ours)) < np.array(errors(theirs))).all()
    assert errors(ours)[0] < 0.02 * future.mean()


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize(("fewest", "most"), [(0, 0), (1, 4), (5, np.inf)])
def test_the_true_parameters_foretell_each_kind_of_customer_within_sampling_error(
    k: int, fewest: float, most: float
) -> None:
    times = regular_times(10_000, k=k, until=78, seed=4)
    X = histories(np.where(times <= 52, times, np.inf), until=52)
    kind = (X[:, 0] >= fewest) & (X[:, 0] <= most)
    future = (times[kind] < np.inf).sum(axis=1) - X[kind, 0]
    for actual, expected in (
        (future, known(k).expected_purchases(X[kind], horizon=26)),
        (future == 0, known(k).no_purchase_probability(X[kind], horizon=26)),
    ):
        errors = actual - expected
        assert abs(errors.mean()) < 3 * errors.std() / np.sqrt(len(errors))


def test_quadrature_over_many_stages_is_their_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    X = [[0, 0, 0], [0, 0, 30], [4, 20, 30], [60, 50, 52]]
    summed = known(3).expected_purchases(X, horizon=2000)
    monkeypatch.setattr(erlang, "_MOST_STEPS", 0)
    assert known(3).expected_purchases(X, horizon=2000) == pytest.approx(summed, rel=1e-6)


def test_nothing_is_bought_in_no_time_and_ever_more_later() -> None:
    X, model = histories(regular_times(200, k=3, until=20, seed=0), until=20), known(3)
    assert model.expected_purchases(X, horizon=0) == pytest.approx(np.zeros(200), abs=1e-12)
    assert (model.no_purchase_probability(X, horizon=0) == 1).all()
    horizons = (0, 0.5, 3, 40, 900)
    assert (np.diff([model.expected_purchases(X, horizon=at) for at in horizons], axis=0) > 0).all()
    assert (np.diff([model.no_purchase_probability(X, horizon=at) for at in horizons], axis=0) < 0).all()


@pytest.mark.parametrize("a", [1e-5, 0.999_999_9, 1.0, 100.0])
@pytest.mark.parametrize("b", [1e-3, 14.0, 1000.0])
def test_hundreds_of_purchases_stay_finite_and_below_the_limit_of_no_dropout(a: float, b: float) -> None:
    X = np.array([[x, 0.99 * T * (x > 0), T] for x in (0, 1, 40, 900) for T in (0.0, 1.0, 90.0, 700.0)])
    model = known(3)
    model.a_, model.b_ = a, b
    for horizon in (30, 365):
        expected = model.expected_purchases(X, horizon=horizon)
        assert (expected >= 0).all()
        # (r + k x + 2) / k purchases at most are due in alpha + T, as up to k - 1 stages lie behind
        assert (expected <= (1.2 + 3 * X[:, 0] + 2) / 3 * horizon / (3 + X[:, 2]) * (1 + 1e-6) + 1).all()


@pytest.mark.parametrize(
    "row", [[0, 0, 50], [4, 30, 50], [0, 0, 0], [2, 0, 0]], ids=["once", "identical", "today", "thrice"]
)
def test_customers_who_are_all_alike_end_well(row: list[float]) -> None:
    model = MbgCnbdK().fit([row] * 40)
    assert "edge" in model.message_ or "flat" in model.message_
    assert np.isfinite(model.expected_purchases([row], horizon=90)).all()


def test_the_order_of_rows_does_not_change_a_digit() -> None:
    X = with_log_gaps(regular_times(400, k=2, until=40, seed=0), until=40)
    assert vars(MbgCnbdK().fit(X[::-1])) == vars(MbgCnbdK().fit(X))


@pytest.mark.parametrize(
    "X", [np.zeros((0, 3)), [[1, 5, 4]], [[1, np.nan, 4]], [[2, 2, 4, 0.1]], [[0, 0, 4, 1.0]], [[1, 2, 4, np.nan]]]
)
def test_impossible_histories_are_refused(X: object) -> None:
    with pytest.raises(ValueError, match="MBG/CNBD-k needs"):
        MbgCnbdK().fit(X)


def test_k_is_found_by_a_sample_of_many_customers_and_the_rest_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    X = with_log_gaps(regular_times(8000, k=2, until=52, seed=1), until=52)
    alone = MbgCnbdK(k=2).fit(X)
    monkeypatch.setattr(mbg_cnbd_k, "_SEARCHED", 3000)
    found = MbgCnbdK().fit(X)
    assert found.k_ == 2
    assert found.log_likelihood_ == pytest.approx(alone.log_likelihood_, abs=1e-3)
    assert vars(MbgCnbdK().fit(X[::-1])) == vars(found)
