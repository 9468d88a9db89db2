from typing import Any

import numpy as np
import polars as pl
import pytest
from skops.io import dumps, get_untrusted_types, loads

from ml.clv.intervals import RatioIntervals
from ml.clv.models import TRUSTED_TYPES, LeveledClv, PurchaseValueModel
from ml.clv.rules import OrderTimesRateRule, PopulationMeanRule, SpendPerDayRule
from ml.clv.scoring import score
from ml.clv.training import EVALUATIONS, Minimums, Training, train
from ml.evaluation import CLV_METRICS
from ml.features import build_features
from ml.schemas import CLV_PREDICTIONS
from tests.ml.simulated import AS_OF, HORIZON, plan, shop, snapshots

FEW = Minimums(customers=100, repeat_customers=50, future_buyers=50)
SERVED: dict[str, Any] = {"horizon_days": HORIZON, "served_by": "champion", "model_version": "v1"}


@pytest.fixture(scope="module")
def transactions() -> pl.DataFrame:
    return shop(1500)


@pytest.fixture(scope="module")
def past(transactions: pl.DataFrame) -> pl.DataFrame:
    return snapshots(transactions)


@pytest.fixture(scope="module")
def today(transactions: pl.DataFrame) -> pl.DataFrame:
    return build_features(transactions, as_of=AS_OF)


@pytest.fixture(scope="module")
def training(past: pl.DataFrame, transactions: pl.DataFrame) -> Training:
    return train(past, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0, minimums=FEW)


@pytest.fixture(scope="module")
def latest(past: pl.DataFrame) -> pl.DataFrame:
    return past.filter(pl.col("as_of_date") == past["as_of_date"].max())


@pytest.fixture(scope="module")
def model(latest: pl.DataFrame) -> LeveledClv:
    return LeveledClv(PurchaseValueModel()).fit(latest).calibrate(latest, horizon_days=HORIZON)


def three() -> pl.DataFrame:
    """Once, yesterday; five times in 200 days; three times in 100 days, more returned than bought."""
    return pl.DataFrame(
        {
            "tenure_days": [1, 200, 100],
            "frequency_count": [1, 5, 3],
            "monetary_amount": [40.0, 100.0, -10.0],
            "average_order_amount": [40.0, 24.0, 15.0],
            "future_purchase_count": [0, 2, 1],
            "future_amount": [0.0, 50.0, 10.0],
        }
    )


def test_the_rules_of_three_customers_are_as_computed_by_hand() -> None:
    spend = SpendPerDayRule().fit(three()).expect(three(), horizon_days=60)
    assert spend["expected_amount"].to_list() == pytest.approx([40, 30, 0])
    assert spend["expected_transaction_count"].to_list() == pytest.approx([1, 1.5, 1.8])
    rate = OrderTimesRateRule().fit(three()).expect(three(), horizon_days=60)
    assert rate["expected_transaction_count"].to_list() == pytest.approx([0, 1.2, 1.2])
    assert rate["expected_amount"].to_list() == pytest.approx([0, 28.8, 18])


def test_the_level_brings_totals_to_what_happened() -> None:
    for candidate in (SpendPerDayRule(), OrderTimesRateRule(), PopulationMeanRule()):
        model = LeveledClv(candidate).fit(three()).calibrate(three(), horizon_days=60)
        predicted = model.predict(three(), horizon_days=60)
        assert predicted["expected_amount"].sum() == pytest.approx(60)
        assert predicted["expected_transaction_count"].sum() == pytest.approx(3)
        assert predicted["expected_amount_p10"].null_count() == 3


def test_every_candidate_is_measured_by_every_metric(training: Training) -> None:
    assert training.evaluations.schema == EVALUATIONS
    assert training.evaluations.height == 4 * (len(CLV_METRICS) + 1)
    found = training.evaluations.filter(candidate="bg_nbd_gamma_gamma")
    value = dict(found.select("metric", "value").iter_rows())
    assert abs(value["bias"]) < 0.15
    assert value["normalised_gini"] > 0.5
    assert value["interval_coverage"] > 0.77


def test_on_customers_who_do_drop_out_the_purchase_model_beats_both_rules(training: Training) -> None:
    assert training.decision.served_by == "champion"
    assert training.decision.status["spend_per_day"] == "rule"


def test_the_test_cut_off_is_predicted_without_any_label_that_matured_after_it(
    past: pl.DataFrame, transactions: pl.DataFrame, training: Training
) -> None:
    is_test = pl.col("as_of_date") == plan(transactions).test
    doubled = past.with_columns(pl.when(is_test).then(pl.col("future_amount") * 2).otherwise("future_amount"))
    other = train(doubled, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0, minimums=FEW)
    bias = [t.evaluations.filter(metric="bias")["value"].to_numpy() for t in (training, other)]
    assert 2 * (bias[1] + 1) == pytest.approx(bias[0] + 1)


def test_the_order_of_rows_does_not_change_a_digit(
    past: pl.DataFrame, today: pl.DataFrame, transactions: pl.DataFrame, training: Training
) -> None:
    shuffled = past.sample(fraction=1, shuffle=True, seed=3)
    again = train(shuffled, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0, minimums=FEW)
    assert again.decision == training.decision
    assert again.evaluations.equals(training.evaluations)
    assert score(today, again.serving, **SERVED).equals(score(today, training.serving, **SERVED))


def test_two_buckets_or_twenty_give_the_same_rows(today: pl.DataFrame, model: LeveledClv) -> None:
    whole = score(today, model, **SERVED)
    assert whole.schema == CLV_PREDICTIONS
    for size in (len(today) // 2, len(today) // 20, 7):
        assert pl.concat([score(rows, model, **SERVED) for rows in today.iter_slices(size)]).equals(whole)
    assert score(today.clear(), model, **SERVED).schema == CLV_PREDICTIONS


def test_a_longer_horizon_is_worth_more(today: pl.DataFrame, model: LeveledClv) -> None:
    short, long = (score(today, model, **SERVED | {"horizon_days": days}) for days in (30, 365))
    assert (short["expected_amount"] < long["expected_amount"]).all()
    assert short["alive_probability"].equals(long["alive_probability"])
    assert short["alive_probability"].is_between(0, 1).all()


def test_intervals_hold_four_in_five_of_new_customers() -> None:
    random = np.random.default_rng(0)
    predicted = random.gamma(1, 50, 40_000)
    actual = predicted * random.gamma(2, 0.5, 40_000)
    intervals = RatioIntervals().fit(predicted[:5000], actual[:5000])
    lower, upper = intervals.predict(predicted[5000:])
    assert ((actual[5000:] >= lower) & (actual[5000:] <= upper)).mean() == pytest.approx(0.8, abs=0.02)


def test_intervals_of_customers_who_are_expected_to_buy_nothing_are_what_such_customers_did() -> None:
    lower, upper = RatioIntervals().fit(np.zeros(100), np.r_[np.zeros(50), np.full(50, 7.0)]).predict(np.zeros(1))
    assert (lower[0], upper[0]) == (0, 7)


def test_p10_never_exceeds_p90(today: pl.DataFrame, model: LeveledClv) -> None:
    scores = score(today, model, **SERVED)
    assert (scores["expected_amount_p10"] <= scores["expected_amount_p90"]).all()
    assert (scores["expected_amount_p10"] >= 0).all()


@pytest.mark.parametrize("customers", [0, 1, 2, 60])
def test_too_little_data_ends_with_a_rule_and_a_plain_reason(
    past: pl.DataFrame, today: pl.DataFrame, transactions: pl.DataFrame, customers: int
) -> None:
    few = past.filter(pl.col("customer_id") < f"c{customers:04}")
    for cutoffs in (None, plan(transactions)):
        training = train(few, as_of=AS_OF, horizon_days=HORIZON, cutoffs=cutoffs, seed=0)
        assert training.decision.served_by == "rule"
        assert training.decision.reason.startswith("No model was trained")
        assert training.evaluations.schema == EVALUATIONS
        scores = score(today, training.serving, **SERVED)
        assert scores["expected_amount"].is_finite().all()
        assert scores["alive_probability"].null_count() == scores.height


def test_one_time_buyers_only_end_with_a_rule(past: pl.DataFrame, transactions: pl.DataFrame) -> None:
    once = past.with_columns(purchase_day_count=pl.lit(1), recency_days=pl.col("tenure_days"))
    training = train(once, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0)
    assert "0 who came back" in training.decision.reason


def test_identical_customers_end_well(past: pl.DataFrame, transactions: pl.DataFrame) -> None:
    one = past.filter(pl.col("purchase_day_count") > 2).row(0, named=True)
    keep = ("as_of_date", "customer_id", "future_amount", "future_purchase_count")
    same = past.with_columns(pl.lit(one[name]).cast(kind).alias(name) for name, kind in past.schema.items()
                             if name not in keep)  # fmt: skip
    training = train(same, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0, minimums=FEW)
    assert training.decision.served_by != "champion"
    assert score(same, training.serving, **SERVED)["expected_amount"].is_finite().all()


@pytest.mark.parametrize(
    "candidate", [PurchaseValueModel(), SpendPerDayRule(), OrderTimesRateRule(), PopulationMeanRule()]
)
def test_a_saved_model_predicts_the_same_and_needs_no_more_trust_than_listed(
    latest: pl.DataFrame, today: pl.DataFrame, candidate: Any
) -> None:
    model = LeveledClv(candidate).fit(latest).calibrate(latest, horizon_days=HORIZON)
    saved = dumps(model)
    assert set(get_untrusted_types(data=saved)) <= set(TRUSTED_TYPES)
    loaded = loads(saved, trusted=list(TRUSTED_TYPES))
    assert score(today, loaded, **SERVED).equals(score(today, model, **SERVED))
