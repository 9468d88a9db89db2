from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import logit
from skops.io import dumps, get_untrusted_types, loads

from ml.backtest import Cutoffs
from ml.churn.models import TRUSTED_TYPES, CalibratedChurn, LogisticChurn
from ml.churn.rules import BaseRateRule, OwnRhythmRule, RecencyRule
from ml.churn.scoring import explain, score
from ml.churn.training import CALIBRATION_POINTS, EVALUATIONS, Minimums, Training, train
from ml.evaluation import CHURN_METRICS
from ml.features import build_features
from ml.schemas import CHURN_REASONS, CHURN_SCORES
from tests.ml.simulated import AS_OF, HORIZON, plan, shop, snapshots

FEW = Minimums(customers=100, outcomes=30)
SERVED: dict[str, Any] = {"horizon_days": HORIZON, "served_by": "champion", "model_version": "v1"}


@pytest.fixture(scope="module")
def transactions() -> pl.DataFrame:
    return shop()


@pytest.fixture(scope="module")
def past(transactions: pl.DataFrame) -> pl.DataFrame:
    return snapshots(transactions, active_window_days=180)


@pytest.fixture(scope="module")
def today(transactions: pl.DataFrame) -> pl.DataFrame:
    return build_features(transactions, as_of=AS_OF).filter(pl.col("recency_days") < 180)


@pytest.fixture(scope="module")
def training(past: pl.DataFrame, transactions: pl.DataFrame) -> Training:
    return train(past, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0, minimums=FEW)


@pytest.fixture(scope="module")
def model(past: pl.DataFrame) -> CalibratedChurn:
    churned = past["is_churned"].cast(float).to_numpy()
    return CalibratedChurn(LogisticChurn()).fit(past, churned).calibrate(past, churned)


def three(today: pl.DataFrame) -> pl.DataFrame:
    gaps = pl.Series([9.0, None, 9.0])
    return today.head(3).with_columns(recency_days=pl.Series([0, 9, 99]), gap_mean_days=gaps)


def test_every_candidate_is_measured_by_every_metric(training: Training) -> None:
    assert training.evaluations.schema == EVALUATIONS
    assert training.evaluations.height == 4 * len(CHURN_METRICS)
    value = dict(training.evaluations.filter(metric="auc").select("candidate", "value").iter_rows())
    assert value["logistic_regression"] > 0.7
    assert value["base_rate"] == 0.5


def test_calibration_points_cover_the_test_customers_once(training: Training) -> None:
    points = training.calibration_points
    assert points.schema == CALIBRATION_POINTS
    counts = points.group_by("candidate").agg(pl.col("customer_count").sum())
    assert set(counts["customer_count"]) == set(training.evaluations["customer_count"])
    assert points.filter(candidate="base_rate")["bin"].to_list() == [1]


def test_the_test_cut_off_is_predicted_without_any_label_that_matured_after_it(
    past: pl.DataFrame, transactions: pl.DataFrame, training: Training
) -> None:
    cutoffs = plan(transactions)
    # other outcomes after the test cut-off may change the grades, and the gate, but no prediction
    flipped = past.with_columns(is_churned=pl.col("is_churned") ^ (pl.col("as_of_date") == cutoffs.test))
    other = train(flipped, as_of=AS_OF, horizon_days=HORIZON, cutoffs=cutoffs, seed=0, minimums=FEW)
    predicted = [t.calibration_points.drop("observed") for t in (training, other)]
    assert predicted[0].equals(predicted[1])


def test_labels_that_have_not_matured_are_never_used(past: pl.DataFrame) -> None:
    late = past.filter(pl.col("as_of_date") == past["as_of_date"].max())
    training = train(late, as_of=AS_OF - timedelta(days=1), horizon_days=HORIZON, cutoffs=None, seed=0, minimums=FEW)
    assert "no outcome has matured" in training.decision.reason


def test_the_order_of_rows_does_not_change_a_digit(
    past: pl.DataFrame, today: pl.DataFrame, transactions: pl.DataFrame, training: Training
) -> None:
    shuffled = past.sample(fraction=1, shuffle=True, seed=3)
    again = train(shuffled, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0, minimums=FEW)
    assert again.decision == training.decision
    assert again.evaluations.equals(training.evaluations)
    assert again.calibration_points.equals(training.calibration_points)
    assert score(today, again.serving, **SERVED).equals(score(today, training.serving, **SERVED))


def test_two_buckets_or_twenty_give_the_same_scores_and_reasons(today: pl.DataFrame, model: CalibratedChurn) -> None:
    for function in (lambda rows: score(rows, model, **SERVED), lambda rows: explain(rows, model)):
        whole = function(today)
        for size in (len(today) // 2, 7, 1):
            assert pl.concat([function(rows) for rows in today.head(200).iter_slices(size)]).equals(
                function(today.head(200))
            )
        assert function(today.clear()).schema == whole.schema


def test_scores_have_the_tables_columns_and_bands(today: pl.DataFrame, model: CalibratedChurn) -> None:
    scores = score(today, model, **SERVED, risk_bands=(0.3, 0.6))
    assert scores.schema == CHURN_SCORES
    probability = scores["churn_probability"]
    edges = {"low": (0, 0.3), "medium": (0.3, 0.6), "high": (0.6, 1)}
    for band, (low, high) in edges.items():
        inside = (probability >= low) & (probability < high)
        assert inside.any()
        assert (scores["risk_band"] == band).equals(inside)


def test_reasons_add_up_to_the_log_odds(today: pl.DataFrame, model: CalibratedChurn) -> None:
    reasons = explain(today, model, top=100)
    assert reasons.schema == CHURN_REASONS
    total = reasons.group_by("customer_id", maintain_order=True).agg(pl.col("contribution").sum())
    log_odds = logit(model.churn_probability(today.sort("customer_id")))
    assert total["contribution"].to_numpy() + model.intercept_ == pytest.approx(log_odds, abs=1e-6)
    assert reasons["feature"].n_unique() == 30


def test_the_average_training_customer_has_no_reasons(past: pl.DataFrame, model: CalibratedChurn) -> None:
    assert model.terms(past).mean(axis=0) == pytest.approx(0, abs=1e-6)


def test_the_top_reasons_come_largest_first_and_a_missing_gap_has_no_value(
    today: pl.DataFrame, model: CalibratedChurn
) -> None:
    reasons = explain(three(today), model, top=100)
    sizes = reasons.group_by("customer_id", maintain_order=True).agg(pl.col("contribution").abs())
    assert all(list(size) == sorted(size, reverse=True) for size in sizes["contribution"])
    assert reasons.filter(feature="gap_mean_days").sort("customer_id")["value"].to_list() == [9, None, 9]


def test_a_rule_gives_its_one_reason_and_the_base_rate_none(today: pl.DataFrame) -> None:
    outcomes = np.array([0.0, 0.0, 1.0])
    rows = three(today)
    recency = CalibratedChurn(RecencyRule()).fit(rows, outcomes).calibrate(rows, outcomes)
    assert explain(rows, recency).select("rank", "feature", "value").rows() == [
        (1, "recency_days", 0), (1, "recency_days", 9), (1, "recency_days", 99)]  # fmt: skip
    everyone = CalibratedChurn(BaseRateRule()).fit(rows, outcomes).calibrate(rows, outcomes)
    assert explain(rows, everyone).schema == CHURN_REASONS
    assert explain(rows, everyone).height == 0


def test_own_rhythm_takes_the_usual_gap_where_a_customer_has_none(today: pl.DataFrame) -> None:
    rule = OwnRhythmRule().fit(three(today), np.zeros(3))
    assert rule.values(three(today)).to_series().to_list() == pytest.approx([0.1, 1, 10])


def test_the_base_rate_is_smoothed_and_one_half_where_nothing_is_known(today: pl.DataFrame) -> None:
    rows = three(today)
    for outcomes, rate in (([1.0, 1, 1], 4 / 5), ([0.0, 0, 0], 1 / 5), ([1.0, 0, 0], 2 / 5)):
        churned = np.array(outcomes)
        model = CalibratedChurn(BaseRateRule()).fit(rows, churned).calibrate(rows, churned)
        assert model.churn_probability(rows) == pytest.approx(rate)
    nothing = CalibratedChurn(BaseRateRule()).fit(rows.clear(), np.zeros(0)).calibrate(rows.clear(), np.zeros(0))
    assert nothing.churn_probability(rows) == pytest.approx(0.5)


@pytest.mark.parametrize("customers", [0, 1, 2, 40])
@pytest.mark.parametrize("outcome", [True, False])
def test_too_little_data_ends_with_the_base_rate_and_a_plain_reason(
    past: pl.DataFrame, today: pl.DataFrame, customers: int, outcome: bool
) -> None:
    few = past.filter(pl.col("customer_id") < f"c{customers:04}")
    few = few.with_columns(is_churned=pl.lit(outcome))
    training = train(few, as_of=AS_OF, horizon_days=HORIZON, cutoffs=None, seed=0)
    assert training.decision.served_by == "population"
    assert training.decision.reason.startswith("No model was trained: history is shorter")
    assert training.evaluations.schema == EVALUATIONS
    assert score(today, training.serving, **SERVED)["churn_probability"].is_between(0, 1, closed="none").all()


def test_with_outcomes_but_too_few_customers_the_calibrated_recency_rule_serves(
    past: pl.DataFrame, transactions: pl.DataFrame
) -> None:
    training = train(past, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0,
                     minimums=replace(FEW, customers=10_000))  # fmt: skip
    assert (training.decision.served_by, training.decision.candidate) == ("rule", "recency")
    assert "10000" in training.decision.reason
    latest = past.filter(pl.col("as_of_date") == AS_OF - timedelta(days=HORIZON))
    assert training.serving.churn_probability(latest).mean() == pytest.approx(latest["is_churned"].mean(), abs=0.01)


def test_identical_customers_get_the_rate_they_had(past: pl.DataFrame, transactions: pl.DataFrame) -> None:
    one = past.row(0, named=True)
    keep = ("as_of_date", "customer_id", "is_churned")
    same = past.with_columns(pl.lit(one[name]).cast(kind).alias(name) for name, kind in past.schema.items()
                             if name not in keep)  # fmt: skip
    training = train(same, as_of=AS_OF, horizon_days=HORIZON, cutoffs=plan(transactions), seed=0, minimums=FEW)
    assert training.decision.served_by != "champion"
    assert np.isfinite(training.serving.churn_probability(same)).all()


@pytest.mark.parametrize("candidate", [LogisticChurn(), RecencyRule(), OwnRhythmRule(), BaseRateRule()])
def test_a_saved_model_scores_the_same_and_needs_no_more_trust_than_listed(
    past: pl.DataFrame, today: pl.DataFrame, candidate: Any
) -> None:
    churned = past["is_churned"].cast(float).to_numpy()
    model = CalibratedChurn(candidate).fit(past, churned).calibrate(past, churned)
    saved = dumps(model)
    assert set(get_untrusted_types(data=saved)) <= set(TRUSTED_TYPES)
    loaded = loads(saved, trusted=list(TRUSTED_TYPES))
    assert score(today, loaded, **SERVED).equals(score(today, model, **SERVED))
    assert explain(today, loaded).equals(explain(today, model))


def test_a_plan_without_matured_snapshots_ends_in_words() -> None:
    cutoffs = Cutoffs(test=date(2026, 5, 1), calibration=date(2026, 3, 2), training=(date(2026, 1, 1),))
    nothing = snapshots(shop(20), active_window_days=180).clear()
    training = train(nothing, as_of=AS_OF, horizon_days=HORIZON, cutoffs=cutoffs, seed=0)
    assert "training has 0 customers" in training.decision.reason
