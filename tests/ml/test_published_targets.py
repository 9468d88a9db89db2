"""The figures that issue and papers set, on CDNOW: nothing is learned from the holdout."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from ml import metrics
from ml.backtest import build_snapshots
from ml.btyd.expectations import PurchaseExpectations, histories
from ml.btyd.mbg_nbd import MbgNbd
from ml.btyd.pareto_nbd import ParetoNbd
from ml.churn.linear import LogisticChurn
from ml.clv.models import PurchaseValueModel
from ml.logistic_line import fit_logistic_line
from ml.schemas import TRANSACTIONS, conform
from tests.ml.simulated import cdnow_days

CALIBRATED, HOLDOUT_DAYS = date(1997, 9, 30), 273
INNER_DAYS = (68, 91, 136)  # a quarter, a third and a half of the 39 weeks before the holdout


@pytest.fixture(scope="module")
def sample() -> pl.DataFrame:
    """TRANSACTIONS of the CDNOW sample, one a customer and day."""
    days = cdnow_days().with_row_index("transaction_id")
    return conform(
        days.select(
            "transaction_id",
            customer_id="customer",
            occurred_at=pl.col("day").cast(pl.Datetime("us")),
            transaction_date="day",
            line_count=pl.lit(1),
            gross_amount="amount",
            discount_amount=pl.lit(0),
            net_amount="amount",
            value_amount="amount",
            is_purchase=pl.lit(value=True),
            is_return=pl.lit(value=False),
        ),
        TRANSACTIONS,
    )


def snapshot(sample: pl.DataFrame, *, days_before: int = 0, horizon: int = HOLDOUT_DAYS) -> pl.DataFrame:
    cutoff = CALIBRATED - timedelta(days=days_before)
    return build_snapshots(sample, cutoffs=[cutoff], horizon_days=horizon)


def level(sample: pl.DataFrame, family: str, column: str) -> float:
    """Actual over expected total, the geometric mean over days whose outcomes lie before the holdout."""
    logs = []
    for days in INNER_DAYS:
        past = snapshot(sample, days_before=days, horizon=days)
        expected = PurchaseValueModel(family).fit(past).expect(past, horizon_days=days)
        actual = past["future_purchase_count" if column == "expected_transaction_count" else "future_amount"]
        logs.append(np.log(actual.sum() / expected[column].sum()))
    return float(np.exp(np.mean(logs)))


def test_purchases_of_39_weeks_are_foretold_within_1_61_and_their_total_within_10_percent(
    sample: pl.DataFrame,
) -> None:
    now = snapshot(sample)
    actual = now["future_purchase_count"].cast(float).to_numpy()
    expected = MbgNbd().fit(histories(now)).expected_purchases(histories(now), horizon=HOLDOUT_DAYS)
    expected *= level(sample, "mbg_nbd", "expected_transaction_count")
    assert metrics.root_mean_squared_error(actual, expected) <= 1.61
    assert abs(metrics.bias(actual, expected)) <= 0.10


def test_their_value_is_ranked_with_a_gini_of_69_and_its_total_within_10_percent(sample: pl.DataFrame) -> None:
    now = snapshot(sample)
    actual = now["future_amount"].to_numpy()
    expected = PurchaseValueModel("pareto_nbd").fit(now).expect(now, horizon_days=HOLDOUT_DAYS)["expected_amount"]
    leveled = expected.to_numpy() * level(sample, "pareto_nbd", "expected_amount")
    assert metrics.normalised_gini(actual, leveled) >= 0.69
    assert abs(metrics.bias(actual, leveled)) <= 0.10


def test_churn_is_ranked_better_than_by_recency_with_a_brier_score_below_161(sample: pl.DataFrame) -> None:
    # learned at the horizon that has matured, its level from the purchase model's chance of the longer silence
    now, past = snapshot(sample), snapshot(sample, days_before=91, horizon=91)
    purchases = PurchaseExpectations(horizon_days=91).fit(past)
    model = LogisticChurn(regularisation=0.01).fit(purchases.transform(past), past["is_churned"].cast(float).to_numpy())
    score = model.score(purchases.transform(now))
    silent = ParetoNbd().fit(histories(now)).no_purchase_probability(histories(now), horizon=HOLDOUT_DAYS)
    intercept, slope = fit_logistic_line(score, silent)
    actual = now["is_churned"].cast(float).to_numpy()
    recency = now["recency_days"].cast(float).to_numpy()
    assert metrics.auc(actual, recency) == pytest.approx(0.771, abs=5e-4)
    assert metrics.auc(actual, score) > metrics.auc(actual, recency) + 0.01
    assert metrics.brier(actual, expit(intercept + slope * score)) < 0.161
