from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ml.btyd.expectations import PurchaseExpectations
from ml.churn.boosting import BoostedChurn
from ml.churn.calibration import CalibratedChurn
from ml.churn.early_warning import early_warning
from ml.churn.linear import LogisticChurn
from ml.churn.reasons import agreement, explain, stability
from ml.churn.rules import BaseRateRule, OneNumberRule
from ml.churn.words import in_words
from ml.features import build_features
from ml.schemas import CHURN_REASONS
from tests.ml.simulated import AS_OF, HORIZON, shop, snapshots


@pytest.fixture(scope="module")
def transactions() -> pl.DataFrame:
    return shop(600)


@pytest.fixture(scope="module")
def eligible(transactions: pl.DataFrame) -> pl.DataFrame:
    return snapshots(transactions).filter(pl.col("recency_days") < 180, pl.col("as_of_date") < AS_OF)


@pytest.fixture(scope="module")
def today(transactions: pl.DataFrame) -> pl.DataFrame:
    return build_features(transactions, as_of=AS_OF).filter(pl.col("recency_days") < 180)


@pytest.fixture(scope="module", params=["logistic", "boosted"])
def model(request: pytest.FixtureRequest, eligible: pl.DataFrame) -> CalibratedChurn:
    candidate = LogisticChurn() if request.param == "logistic" else BoostedChurn(trees=30)
    churned = eligible["is_churned"].cast(float).to_numpy()
    purchases = PurchaseExpectations(horizon_days=HORIZON).fit(eligible)
    return CalibratedChurn(candidate, purchases).fit(eligible, churned).calibrate(eligible, churned)


def three(today: pl.DataFrame) -> pl.DataFrame:
    gaps = pl.Series([9.0, None, 9.0])
    return today.head(3).with_columns(recency_days=pl.Series([0, 9, 99]), gap_mean_days=gaps)


def test_the_top_reasons_come_largest_first_and_a_missing_gap_has_no_value(
    today: pl.DataFrame, model: CalibratedChurn
) -> None:
    reasons = explain(three(today), model, top=100)
    assert reasons.schema == CHURN_REASONS
    sizes = reasons.group_by("customer_id", maintain_order=True).agg(pl.col("contribution").abs())
    assert all(list(size) == sorted(size, reverse=True) for size in sizes["contribution"])
    assert reasons.filter(feature="gap_mean_days").sort("customer_id")["value"].to_list() == [9, None, 9]


def test_two_buckets_or_twenty_give_the_same_reasons(today: pl.DataFrame, model: CalibratedChurn) -> None:
    whole = explain(today.head(60), model, exact_from=0.4)
    for size in (30, 7, 1):
        parts = [explain(rows, model, exact_from=0.4) for rows in today.head(60).iter_slices(size)]
        assert pl.concat(parts).equals(whole)
    assert explain(today.clear(), model).schema == whole.schema


def test_quick_reasons_are_marked_and_only_where_there_are_exact_ones_to_be_had(
    today: pl.DataFrame, model: CalibratedChurn
) -> None:
    reasons = explain(today, model, exact_from=0.5)
    risky = set(today.filter(pl.Series(model.churn_probability(today) >= 0.5))["customer_id"])
    assert 0 < len(risky) < today.height
    exact = set(reasons.filter("is_exact")["customer_id"])
    assert exact == (set(today["customer_id"]) if model.is_additive else risky)


def test_agreement_and_stability_are_shares_of_customers(
    transactions: pl.DataFrame, today: pl.DataFrame, model: CalibratedChurn
) -> None:
    yesterday = build_features(transactions, as_of=AS_OF - timedelta(days=1))
    assert agreement(today, model) == 1 if model.is_additive else 0.5 < agreement(today, model) <= 1
    assert 0.7 < stability(today, yesterday, model) <= 1
    assert stability(today, today, model) == 1


def test_a_rule_gives_its_one_reason_and_the_base_rate_none(today: pl.DataFrame) -> None:
    outcomes = np.array([0.0, 0.0, 1.0])
    rows = three(today)
    recency = CalibratedChurn(OneNumberRule("recency_days")).fit(rows, outcomes).calibrate(rows, outcomes)
    assert explain(rows, recency).select("rank", "feature", "value").rows() == [
        (1, "recency_days", 0), (1, "recency_days", 9), (1, "recency_days", 99)]  # fmt: skip
    everyone = CalibratedChurn(BaseRateRule()).fit(rows, outcomes).calibrate(rows, outcomes)
    assert explain(rows, everyone).schema == CHURN_REASONS
    assert explain(rows, everyone).height == 0


def test_reasons_are_said_in_words() -> None:
    reasons = pl.DataFrame(
        [
            ("recency_days", 45.0, 1.0),
            ("recency_per_gap", 2.345, 0.5),
            ("gap_mean_days", None, -0.1),
            ("plan_of_theirs", 3.0, 0.2),
            ("colour", None, 0.2),
        ],
        schema=["feature", "value", "contribution"],
        orient="row",
    )
    assert in_words(reasons)["words"].to_list() == [
        "raises the risk: last purchase 45 days ago",
        "raises the risk: silent for 2.3 times the usual gap between purchases",
        "lowers the risk: bought on one day only",
        "raises the risk: plan of theirs: 3.0",
        "raises the risk: colour",
    ]


class Days:
    """A model that is sure of churn from so many silent days on."""

    def churn_probability(self, features: pl.DataFrame) -> np.ndarray:
        return (features["recency_days"] >= 10).cast(float).to_numpy()


def test_a_warning_is_early_by_the_days_from_the_first_alert_to_the_lapse() -> None:
    start = date(2026, 1, 1)
    purchases = {"gone": [0], "back": [0, 20], "often": [0, 5, 10, 15, 20, 25, 30, 35], "late": [0, 30]}
    rows = [
        (name, start + timedelta(days=day), start + timedelta(days=last), day - last)
        for day in range(0, 41, 5)
        for name, days in purchases.items()
        for last in [max(one for one in days if one <= day)]
    ]
    columns = ["customer_id", "as_of_date", "last_purchase_date", "recency_days"]
    watched = pl.DataFrame(rows, schema=columns, orient="row")
    found = early_warning(watched, Days(), alert_from=0.5, horizon_days=30)  # type: ignore[arg-type]
    # gone lapses on day 30, alerted on day 10; back and late were alerted and came back; late's second silence is open
    assert found == {"early_warning_days": 20, "early_warning_share": 1, "alert_precision": pytest.approx(1 / 3)}
    assert early_warning(watched.clear(), Days(), alert_from=0.5, horizon_days=30) == {}  # type: ignore[arg-type]
