from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import logit
from skops.io import dumps, get_untrusted_types, loads

from ml.backtest import at
from ml.btyd.expectations import PurchaseExpectations
from ml.churn.blend import BlendedChurn, SilenceChurn
from ml.churn.boosting import BoostedChurn
from ml.churn.calibration import TRUSTED_TYPES, CalibratedChurn
from ml.churn.linear import LogisticChurn
from ml.churn.purchases import CHALLENGERS, RULES
from ml.churn.rules import BaseRateRule, OneNumberRule
from ml.churn.scoring import score
from ml.churn.training import CALIBRATION_POINTS, Minimums, Past, Question, Training, train
from ml.evaluation import EVALUATIONS, Holdouts, Outcome
from ml.features import build_features
from ml.gate import CHURN_CRITERIA, Contest, decide
from ml.metrics import CHURN_METRICS
from ml.schemas import CHURN_SCORES
from tests.ml.simulated import AS_OF, HORIZON, plan, shop, snapshots

FEW = Minimums(customers=100, outcomes=30)
QUESTION = Question(AS_OF, HORIZON, active_window_days=180, seed=0, minimums=FEW)
SERVED: dict[str, Any] = {"horizon_days": HORIZON, "served_by": "champion", "model_version": "v1"}
CANDIDATES = {
    "logistic": LogisticChurn(),
    "splines": LogisticChurn(knots=4),
    "boosting": BoostedChurn(trees=20),
    "silence": SilenceChurn(),
    "blend": BlendedChurn([LogisticChurn(), BoostedChurn(trees=20)]),
}


@pytest.fixture(scope="module")
def transactions() -> pl.DataFrame:
    return shop()


@pytest.fixture(scope="module")
def past(transactions: pl.DataFrame) -> pl.DataFrame:
    return snapshots(transactions, plan(transactions).tests[0].day - timedelta(days=1))


@pytest.fixture(scope="module")
def eligible(past: pl.DataFrame) -> pl.DataFrame:
    return past.filter(pl.col("recency_days") < 180, pl.col("as_of_date") < AS_OF)


@pytest.fixture(scope="module")
def today(transactions: pl.DataFrame) -> pl.DataFrame:
    return build_features(transactions, as_of=AS_OF).filter(pl.col("recency_days") < 180)


@pytest.fixture(scope="module")
def training(past: pl.DataFrame, transactions: pl.DataFrame) -> Training:
    return train(past, QUESTION, cutoffs=plan(transactions))


@pytest.fixture(scope="module")
def models(past: pl.DataFrame, eligible: pl.DataFrame) -> dict[str, CalibratedChurn]:
    everyone = at(past, past["as_of_date"].min())
    purchases = PurchaseExpectations(horizon_days=HORIZON).fit(everyone)
    churned = outcomes(eligible)
    return {
        name: CalibratedChurn(candidate, purchases).fit(eligible, churned).calibrate(eligible, churned)
        for name, candidate in CANDIDATES.items()
    }


def outcomes(rows: pl.DataFrame) -> np.ndarray:
    return rows["is_churned"].cast(float).to_numpy()


def three(today: pl.DataFrame) -> pl.DataFrame:
    gaps = pl.Series([9.0, None, 9.0])
    return today.head(3).with_columns(recency_days=pl.Series([0, 9, 99]), gap_mean_days=gaps)


def test_every_candidate_is_measured_by_every_metric_at_every_test(training: Training) -> None:
    assert training.evaluations.schema == EVALUATIONS
    counts = training.evaluations.filter(pl.col("metric").is_in(list(CHURN_METRICS)))
    counts = counts.group_by("candidate").agg(pl.len(), pl.col("cutoff_date").n_unique().alias("tests"))
    assert set(counts.rows()) == {(name, 3 * len(CHURN_METRICS), 3) for name in (*CHALLENGERS, *RULES, "base_rate")}
    auc = training.evaluations.filter(metric="auc").group_by("candidate").agg(pl.col("value").mean())
    value = dict(auc.iter_rows())
    assert value["logistic_regression"] > value["recency"] > value["base_rate"] == 0.5


def test_how_far_its_reasons_hold_and_how_early_it_warns_is_measured(training: Training) -> None:
    rows = training.evaluations.filter(candidate=training.decision.candidate)
    value = dict(rows.select("metric", "value").iter_rows())
    assert 0.5 < value["reason_stability"] <= 1
    assert 0.5 < value["reason_agreement"] <= 1


def test_calibration_points_cover_the_test_customers_once(training: Training) -> None:
    points = training.calibration_points
    assert points.schema == CALIBRATION_POINTS
    counts = points.group_by("candidate").agg(pl.col("customer_count").sum())
    assert set(counts["customer_count"]) == {training.tested.height}
    assert points.filter(candidate="base_rate")["bin"].to_list() == [1]


def test_the_test_cut_off_is_predicted_without_any_label_that_matured_after_it(
    past: pl.DataFrame, transactions: pl.DataFrame, training: Training
) -> None:
    cutoffs = plan(transactions)
    # other outcomes after the latest test cut-off may change the grades, and the gate, but no prediction
    flipped = past.with_columns(is_churned=pl.col("is_churned") ^ (pl.col("as_of_date") == cutoffs.tests[0].day))
    other = train(flipped, QUESTION, cutoffs=cutoffs)
    predicted = [t.calibration_points.drop("observed") for t in (training, other)]
    assert predicted[0].equals(predicted[1])


def test_labels_that_have_not_matured_are_never_used(past: pl.DataFrame) -> None:
    late = past.filter(pl.col("as_of_date") == past["as_of_date"].max())
    training = train(late, QUESTION, cutoffs=None)
    assert "no outcome has matured" in training.decision.reason


def test_the_order_of_rows_does_not_change_a_digit(
    past: pl.DataFrame, today: pl.DataFrame, transactions: pl.DataFrame, training: Training
) -> None:
    shuffled = past.sample(fraction=1, shuffle=True, seed=3)
    again = train(shuffled, QUESTION, cutoffs=plan(transactions))
    assert again.decision == training.decision
    assert again.evaluations.equals(training.evaluations)
    assert again.calibration_points.equals(training.calibration_points)
    assert score(today, again.serving, **SERVED).equals(score(today, training.serving, **SERVED))


@pytest.mark.parametrize("name", CANDIDATES)
def test_two_buckets_or_twenty_give_the_same_scores(
    today: pl.DataFrame, models: dict[str, CalibratedChurn], name: str
) -> None:
    whole = score(today, models[name], **SERVED)
    for size in (len(today) // 2, 7, 1):
        parts = [score(rows, models[name], **SERVED) for rows in today.head(100).iter_slices(size)]
        assert pl.concat(parts).equals(whole.head(100))
    assert score(today.clear(), models[name], **SERVED).schema == whole.schema


def test_scores_have_the_tables_columns_and_bands(today: pl.DataFrame, models: dict[str, CalibratedChurn]) -> None:
    scores = score(today, models["logistic"], **SERVED, risk_bands=(0.3, 0.6))
    assert scores.schema == CHURN_SCORES
    probability = scores["churn_probability"]
    edges = {"low": (0, 0.3), "medium": (0.3, 0.6), "high": (0.6, 1)}
    for band, (low, high) in edges.items():
        inside = (probability >= low) & (probability < high)
        assert inside.any()
        assert (scores["risk_band"] == band).equals(inside)


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("is_exact", [True, False])
def test_terms_add_up_to_the_log_odds_but_for_what_is_everybodys(
    today: pl.DataFrame, models: dict[str, CalibratedChurn], name: str, is_exact: bool
) -> None:
    model = models[name]
    rest = logit(model.churn_probability(today)) - model.terms(today, is_exact=is_exact).sum(axis=1)
    assert rest == pytest.approx(rest[0], abs=1e-6)


def test_the_average_training_customer_has_no_reasons(
    eligible: pl.DataFrame, models: dict[str, CalibratedChurn]
) -> None:
    for name in ("logistic", "splines", "silence"):
        assert models[name].terms(eligible).mean(axis=0) == pytest.approx(0, abs=1e-6)


def test_own_rhythm_takes_the_usual_gap_where_a_customer_has_none(today: pl.DataFrame) -> None:
    rule = OneNumberRule("recency_per_gap").fit(three(today), np.zeros(3))
    assert rule.values(three(today)).to_series().to_list() == pytest.approx([0.1, 1, 10])


def test_who_bought_more_often_is_less_risky_by_the_frequency_rule(today: pl.DataFrame) -> None:
    rows = three(today).with_columns(frequency_count=pl.Series([1, 3, 9]))
    assert (np.diff(OneNumberRule("frequency_count").fit(rows, np.zeros(3)).score(rows)) < 0).all()


def test_the_base_rate_is_smoothed_and_one_half_where_nothing_is_known(today: pl.DataFrame) -> None:
    rows = three(today)
    for happened, rate in (([1.0, 1, 1], 4 / 5), ([0.0, 0, 0], 1 / 5), ([1.0, 0, 0], 2 / 5)):
        churned = np.array(happened)
        model = CalibratedChurn(BaseRateRule()).fit(rows, churned).calibrate(rows, churned)
        assert model.churn_probability(rows) == pytest.approx(rate)
    nothing = CalibratedChurn(BaseRateRule()).fit(rows.clear(), np.zeros(0)).calibrate(rows.clear(), np.zeros(0))
    assert nothing.churn_probability(rows) == pytest.approx(0.5)


def test_one_cut_off_alone_calibrates_on_customers_that_each_fit_has_not_seen(eligible: pl.DataFrame) -> None:
    # trees that are grown to know each customer by heart rank them perfectly, and nobody they have not seen
    rows = at(eligible, eligible["as_of_date"].max())
    noise = np.random.default_rng(0).permutation(outcomes(rows))
    purchases = PurchaseExpectations(horizon_days=HORIZON).fit(rows)
    model = CalibratedChurn(BoostedChurn(trees=300), purchases)
    by_heart = model.fit(rows, noise).calibrate(rows, noise).churn_probability(rows)
    honest = model.fit_and_calibrate(rows, noise).churn_probability(rows)
    assert np.corrcoef(by_heart, noise)[0, 1] > 0.8
    assert honest.std() < by_heart.std() / 2


@pytest.mark.parametrize("customers", [0, 1, 2, 40])
@pytest.mark.parametrize("outcome", [True, False])
def test_too_little_data_ends_with_the_base_rate_and_a_plain_reason(
    past: pl.DataFrame, today: pl.DataFrame, customers: int, outcome: bool
) -> None:
    few = past.filter(pl.col("customer_id") < f"c{customers:04}")
    few = few.with_columns(is_churned=pl.lit(outcome))
    training = train(few, replace(QUESTION, minimums=Minimums()), cutoffs=None)
    assert training.decision.served_by == "population"
    assert training.decision.reason.startswith("No model was trained: history is shorter")
    assert training.evaluations.schema == EVALUATIONS
    assert score(today, training.serving, **SERVED)["churn_probability"].is_between(0, 1, closed="none").all()


def test_with_outcomes_but_too_few_customers_the_calibrated_recency_rule_serves(
    past: pl.DataFrame, eligible: pl.DataFrame, transactions: pl.DataFrame
) -> None:
    many = replace(QUESTION, minimums=replace(FEW, customers=10_000))
    training = train(past, many, cutoffs=plan(transactions))
    assert (training.decision.served_by, training.decision.candidate) == ("rule", "recency")
    assert "10000" in training.decision.reason
    latest = at(eligible, AS_OF - timedelta(days=HORIZON))
    assert training.serving.churn_probability(latest).mean() == pytest.approx(latest["is_churned"].mean(), abs=0.01)


def test_identical_customers_get_the_rate_they_had(past: pl.DataFrame, transactions: pl.DataFrame) -> None:
    one = past.row(0, named=True)
    keep = ("as_of_date", "customer_id", "is_churned")
    same = past.with_columns(pl.lit(one[name]).cast(kind).alias(name) for name, kind in past.schema.items()
                             if name not in keep)  # fmt: skip
    training = train(same, QUESTION, cutoffs=plan(transactions))
    assert training.decision.served_by != "champion"
    assert np.isfinite(training.serving.churn_probability(same)).all()


def test_one_order_each_ends_well(past: pl.DataFrame, transactions: pl.DataFrame) -> None:
    gaps = ("gap_mean_days", "gap_median_days", "gap_deviation_days", "last_gap_days")
    once = past.with_columns(
        *(pl.lit(None, past.schema[name]).alias(name) for name in gaps),
        purchase_day_count=pl.lit(1),
        frequency_count=pl.lit(1),
        recency_days=pl.col("tenure_days"),
    )
    training = train(once, replace(QUESTION, active_window_days=3650), cutoffs=plan(transactions))
    assert np.isfinite(training.serving.churn_probability(once)).all()


def test_twenty_models_of_shuffled_labels_are_all_refused(past: pl.DataFrame, transactions: pl.DataFrame) -> None:
    cutoffs = plan(transactions)
    learned = pl.col("as_of_date") < cutoffs.tests[-1].day
    for seed in range(4):  # five models each
        noise = past.filter(learned)["is_churned"].shuffle(seed)
        shuffled = pl.concat([past.filter(learned).with_columns(is_churned=noise), past.filter(~learned)])
        one_test = replace(cutoffs, tests=cutoffs.tests[-1:])
        refused = train(shuffled, QUESTION, cutoffs=one_test).decision.status
        assert [refused[name] for name in CHALLENGERS if name != "purchase_model"] == ["rejected"] * 4


def test_of_twenty_honest_retrains_at_most_one_is_refused(past: pl.DataFrame, transactions: pl.DataFrame) -> None:
    asked, fold = Past.of(past, QUESTION), plan(transactions).tests[0]
    learned, latest, test = (at(asked.eligible, *days) for days in (fold.training, [fold.calibration], [fold.day]))
    purchases = asked.purchases(fold)

    def told(rows: pl.DataFrame) -> list[np.ndarray]:
        model = CalibratedChurn(LogisticChurn(), purchases).fit(rows, outcomes(rows))
        return [model.calibrate(latest, outcomes(latest)).churn_probability(test)]

    holdouts = Holdouts([Outcome(fold.day, test["customer_id"], outcomes(test))], seed=0)
    rules = {name: [asked.fit(name, fold, purchases).churn_probability(test)] for name in (*RULES, "base_rate")}
    champion, refused = told(learned), 0
    for seed in range(20):
        retrained = told(learned.sample(fraction=0.8, seed=seed))  # as other weeks' data would differ
        predictions = rules | {"retrained": retrained, "serving": champion}
        contest = Contest(
            holdouts, predictions, ["retrained", "serving"], RULES, "base_rate", CHURN_CRITERIA, champion="serving"
        )
        refused += decide(contest).candidate != "retrained"
    assert refused <= 1


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_saved_model_scores_the_same_and_needs_no_more_trust_than_listed(
    today: pl.DataFrame, models: dict[str, CalibratedChurn], name: str
) -> None:
    saved = dumps(models[name])
    assert set(get_untrusted_types(data=saved)) <= set(TRUSTED_TYPES)
    loaded = loads(saved, trusted=list(TRUSTED_TYPES))
    assert score(today, loaded, **SERVED).equals(score(today, models[name], **SERVED))


def test_a_plan_without_matured_snapshots_ends_in_words(past: pl.DataFrame, transactions: pl.DataFrame) -> None:
    assert "training has 0 customers" in train(past.clear(), QUESTION, cutoffs=plan(transactions)).decision.reason
