"""The contest about contracts: a simulated shop gets a champion, and too little data a rule with its reason."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from skops.io import dumps, get_untrusted_types, loads
from threadpoolctl import threadpool_limits

from ml.backtest import Cutoffs, plan_cutoffs
from ml.churn.calibration import TRUSTED_TYPES, CalibratedChurn
from ml.churn.contracts import CHALLENGERS, CONTRACTS, RULES, make_contract_candidate
from ml.churn.reasons import explain
from ml.churn.scoring import score
from ml.churn.training import Minimums, Question, Training, train
from ml.contracts import build_contract_features, build_contract_snapshots
from ml.evaluation import EVALUATIONS
from tests.ml.contract_shop import AS_OF, HORIZON, ContractShop, contract_shop

ASKED = Question(as_of=AS_OF, horizon_days=HORIZON, active_window_days=1, seed=0, kind=CONTRACTS)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small fits on a busy machine wait for each other's threads."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def shop() -> ContractShop:
    return contract_shop(4000, seed=5)


@pytest.fixture(scope="module")
def cutoffs() -> Cutoffs:
    found = plan_cutoffs(
        first_date=AS_OF - timedelta(days=1000),
        as_of=AS_OF,
        horizon_days=HORIZON,
        minimum_history_days=60,
        maximum_training=4,
        maximum_tests=2,
    )
    assert found is not None
    return found


@pytest.fixture(scope="module")
def past(shop: ContractShop, cutoffs: Cutoffs) -> pl.DataFrame:
    days = [*cutoffs.all, AS_OF, cutoffs.tests[0].day - timedelta(days=1)]
    return build_contract_snapshots(shop.known(AS_OF), shop.attributes, cutoffs=days, horizon_days=HORIZON)


@pytest.fixture(scope="module")
def today(shop: ContractShop) -> pl.DataFrame:
    return build_contract_features(shop.known(AS_OF), shop.attributes, as_of=AS_OF)


@pytest.fixture(scope="module")
def training(past: pl.DataFrame, cutoffs: Cutoffs) -> Training:
    return train(past, ASKED, cutoffs=cutoffs)


def test_a_champion_serves_that_is_near_the_truth(training: Training, today: pl.DataFrame, shop: ContractShop) -> None:
    assert training.decision.served_by == "champion", training.decision.reasons
    assert set(training.evaluations["candidate"]) == {*CHALLENGERS, *RULES, "base_rate"}
    assert training.evaluations.schema == EVALUATIONS
    told = training.serving.churn_probability(today)
    truth = shop.end_probability(today, horizon_days=HORIZON)
    assert np.corrcoef(told, truth)[0, 1] > 0.9
    assert told.mean() == pytest.approx(truth.mean(), rel=0.15)


def test_scores_and_reasons_are_rows_like_those_about_purchases(training: Training, today: pl.DataFrame) -> None:
    rows = score(today, training.serving, horizon_days=HORIZON, served_by="champion", model_version="v")
    assert rows["customer_id"].to_list() == today["customer_id"].to_list()
    reasons = explain(today, training.serving)
    assert reasons.height == 3 * today.height
    assert {"plan", "support"} <= set(reasons["feature"])
    assert reasons.filter(feature="plan")["value"].null_count() == reasons.filter(feature="plan").height


def test_what_a_test_was_fitted_on_is_what_its_day_knew(
    shop: ContractShop, past: pl.DataFrame, cutoffs: Cutoffs
) -> None:
    day, days = cutoffs.tests[0].day, cutoffs.tests[0].learning
    known = build_contract_snapshots(shop.known(day), shop.attributes, cutoffs=days, horizon_days=HORIZON)
    seen = past.filter(pl.col("as_of_date").is_in(days))
    assert known.equals(seen)


def test_too_few_customers_or_too_short_a_past_leave_the_tenure_rule(past: pl.DataFrame, cutoffs: Cutoffs) -> None:
    few = train(past, replace(ASKED, minimums=Minimums(customers=100_000)), cutoffs=cutoffs)
    assert (few.decision.served_by, few.decision.candidate) == ("rule", "tenure")
    assert "100000" in few.decision.reason
    short = train(past, ASKED, cutoffs=None)
    assert short.decision.reason.startswith("No model was trained: the ends of contracts on record reach back less")
    nobody = train(past.clear(), ASKED, cutoffs=None)
    assert nobody.decision.served_by == "population"


@pytest.mark.parametrize("name", [*CHALLENGERS, *RULES])
def test_a_saved_model_scores_the_same_and_needs_no_more_trust_than_listed(
    past: pl.DataFrame, today: pl.DataFrame, name: str
) -> None:
    some = past.head(3000)
    churned = some["is_churned"].cast(pl.Float64).to_numpy()
    candidate = make_contract_candidate(name, seed=0, horizon_days=HORIZON)
    model = CalibratedChurn(candidate).fit(some, churned).calibrate(some, churned)
    saved = dumps(model)
    trusted = [*TRUSTED_TYPES]
    assert set(get_untrusted_types(data=saved)) <= set(trusted)
    loaded = loads(saved, trusted=trusted)
    few = today.head(50)
    assert np.array_equal(loaded.churn_probability(few), model.churn_probability(few))
    assert explain(few, loaded).equals(explain(few, model))
    one_by_one = np.concatenate([model.churn_probability(few[place]) for place in range(5)])
    assert np.array_equal(one_by_one, model.churn_probability(few)[:5])
