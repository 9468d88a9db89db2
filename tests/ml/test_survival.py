"""The survival model finds the hazards that contracts were simulated with, beside the classifier."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from lifelines import CoxPHFitter

from ml.churn.calibration import CalibratedChurn
from ml.churn.contracts import make_contract_candidate
from ml.churn.survival import AGE, SurvivalChurn, _breslow
from ml.contracts import build_contract_features, build_contract_snapshots
from ml.metrics import auc, brier
from tests.ml.contract_shop import AS_OF, EFFECTS, HORIZON, PRICE_EFFECT, SUPPORT_EFFECT, ContractShop, contract_shop


@pytest.fixture(scope="module")
def shop() -> ContractShop:
    return contract_shop(6000, seed=3)


@pytest.fixture(scope="module")
def past(shop: ContractShop) -> pl.DataFrame:
    """Six past days, a horizon apart: the same customer enters again and again, each time at another age."""
    days = [AS_OF - timedelta(days=HORIZON * number) for number in range(1, 7)]
    return build_contract_snapshots(shop.known(AS_OF), shop.attributes, cutoffs=days, horizon_days=HORIZON)


@pytest.fixture(scope="module")
def today(shop: ContractShop) -> pl.DataFrame:
    return build_contract_features(shop.known(AS_OF), shop.attributes, as_of=AS_OF)


@pytest.fixture(scope="module")
def fitted(past: pl.DataFrame) -> SurvivalChurn:
    churned = past["is_churned"].cast(pl.Float64).to_numpy()
    return SurvivalChurn(horizon_days=HORIZON, penalty=0.0001).fit(past, churned)


def _effect(model: SurvivalChurn, customer: pl.DataFrame, **change: object) -> float:
    """By how much the score of a customer moves with one feature."""
    changed = customer.with_columns(pl.lit(value).alias(name) for name, value in change.items())
    return float((model.score(changed) - model.score(customer)).item())


def test_effects_and_probabilities_are_those_of_the_simulation(
    fitted: SurvivalChurn, today: pl.DataFrame, shop: ContractShop
) -> None:
    one = today.head(1).with_columns(plan=pl.lit("yearly"), support=pl.lit("no"))
    one = one.with_columns(monthly_amount=pl.lit(20.0), paid_amount=pl.lit(400.0))
    assert _effect(fitted, one, plan="monthly") == pytest.approx(EFFECTS["monthly"], abs=0.15)
    assert _effect(fitted, one, support="yes") == pytest.approx(SUPPORT_EFFECT, abs=0.15)
    dearer = PRICE_EFFECT * np.log(41 / 21)
    # what was paid so far is the price times the age, so the two share the effect of the price
    assert _effect(fitted, one, monthly_amount=40.0, paid_amount=801.0) == pytest.approx(dearer, abs=0.15)
    assert _effect(fitted, one, town="Ulm") == pytest.approx(0.0, abs=0.15)
    truth = shop.end_probability(today, horizon_days=HORIZON)
    told = fitted.end_probability(today)
    assert told.mean() == pytest.approx(truth.mean(), rel=0.1)
    assert np.corrcoef(told, truth)[0, 1] > 0.95
    assert np.abs(told - truth).mean() < 0.03


def test_the_score_is_exactly_one_term_a_feature_and_grows_old_no_further_than_was_seen(
    fitted: SurvivalChurn, today: pl.DataFrame
) -> None:
    terms = fitted.terms(today)
    assert fitted.values(today).columns == fitted.names_
    assert fitted.names_[0] == AGE
    assert terms.shape == (today.height, len(fitted.names_))
    assert np.array_equal(np.add.accumulate(terms, axis=1)[:, -1], fitted.score(today))
    assert np.array_equal(fitted.terms(today.head(7)), terms[:7])
    ancient = today.with_columns(pl.lit(100_000).alias(AGE))
    assert np.isfinite(fitted.score(ancient)).all()
    assert fitted.score(today.clear()).shape == (0,)


def test_the_baseline_is_the_one_of_lifelines_where_nobody_enters_late() -> None:
    random = np.random.default_rng(0)
    covariate = random.normal(size=300)
    duration, ended = random.exponential(np.exp(-covariate)).round(2) + 0.01, (random.random(300) < 0.8).astype(float)
    frame = pl.DataFrame({"x": covariate, "duration": duration, "ended": ended}).to_pandas()
    theirs = CoxPHFitter().fit(frame, "duration", "ended")
    risk = np.asarray(theirs.predict_partial_hazard(frame), dtype=np.float64)
    days, hazard = _breslow(risk, np.zeros(300), duration, ended)
    expected = theirs.baseline_cumulative_hazard_.iloc[:, 0].loc[days].to_numpy()
    assert hazard == pytest.approx(expected, rel=1e-6)


def test_it_ranks_beside_the_classifier_and_under_the_truth(
    past: pl.DataFrame, today: pl.DataFrame, shop: ContractShop
) -> None:
    latest = past["as_of_date"] == past["as_of_date"].max()
    learned, held = past.filter(~latest), past.filter(latest)
    actual = held["is_churned"].cast(pl.Float64).to_numpy()
    found = {"truth": shop.end_probability(held, horizon_days=HORIZON)}
    for name in ("survival", "logistic_regression"):
        model = CalibratedChurn(make_contract_candidate(name, seed=0, horizon_days=HORIZON))
        churned = learned["is_churned"].cast(pl.Float64).to_numpy()
        found[name] = model.fit(learned, churned).calibrate(learned, churned).churn_probability(held)
    ranks = {name: auc(actual, told) for name, told in found.items()}
    assert ranks["survival"] > ranks["truth"] - 0.02, ranks
    assert ranks["survival"] > ranks["logistic_regression"] - 0.01, ranks
    assert brier(actual, found["survival"]) < brier(actual, found["truth"]) + 0.003
    assert today.height > 1000
