from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from ml.experiment_schemas import EXPERIMENT_RESULTS
from tests.sql import select

START, CONTACT, AS_OF = date(2025, 1, 1), date(2025, 7, 1), date(2025, 9, 30)
SENT = pl.lit(CONTACT).cast(pl.Datetime)
CUSTOMERS = 600


def _shop(seed: int, *, effect: float, targeting: float = 0.0, controls: float = 0.0) -> dict[str, pl.DataFrame]:
    """Customers with a spend of their own per purchase; who is contacted goes with `targeting` by what nobody sees.

    `effect` is what a contact adds to the spend of the 30 days after it.
    """
    random = np.random.default_rng(seed)
    hidden = random.normal(0, 1, CUSTOMERS)
    chosen = random.random(CUSTOMERS) < 1 / (1 + np.exp(-targeting * hidden))
    control = chosen & (random.random(CUSTOMERS) < controls)
    days = (AS_OF - START).days + 1
    rows = []
    for number in range(CUSTOMERS):
        for day in random.integers(0, days, random.poisson(12)):
            # What is hidden shows after the contact, and shows before the days that are matched.
            is_matched = 91 <= day < 181
            rows.append(
                (f"c{number}", int(day), 20 + random.exponential(20) + (0 if is_matched else 12 * hidden[number]))
            )
        if chosen[number] and not control[number]:
            rows.append((f"c{number}", 185, effect))
    transactions = pl.DataFrame(rows, schema=["customer_id", "day", "net"], orient="row").with_columns(
        transaction_date=pl.lit(START) + pl.duration(days="day"),
        is_purchase=pl.col("net") > 0,
        net_amount=pl.col("net").round(2).cast(pl.Decimal(18, 4)),
    )
    contacts = pl.DataFrame({"customer_id": [f"c{n}" for n in range(CUSTOMERS)], "is_control": control}).filter(
        pl.Series(chosen)
    )
    return {
        "fct_transactions": transactions,
        "fct_campaign_contacts": contacts.with_columns(
            campaign_id=pl.lit("mail"),
            contacted_at=SENT,
            has_responded=False,
        ),
        "dim_campaigns": pl.DataFrame({"campaign_id": ["mail"], "name": ["Mail"], "kind": ["mail"]}).with_columns(
            started_at=SENT,
            ended_at=None,
            cost_amount=pl.lit(Decimal(1)),
        ),
        "dim_dates": pl.DataFrame({"date_day": [START]}),
        "dim_as_of": pl.DataFrame({"as_of_date": [AS_OF]}),
    }


def _row(**shop: Any) -> dict[str, Any]:
    return select("rpt_campaign_performance", _shop(**shop)).row(0, named=True)


def _holds(row: dict[str, Any], name: str, value: float) -> bool:
    return bool(row[f"{name}_lower"] <= value <= row[f"{name}_upper"])


def test_a_planted_effect_is_within_the_interval_against_controls_whoever_was_chosen() -> None:
    found = [_row(seed=seed, effect=15, targeting=2, controls=0.4) for seed in range(20)]
    assert {row["comparison"] for row in found} == {"control"}
    assert {row["difference_amount"] for row in found} == {None}
    assert sum(_holds(row, "effect", 15) for row in found) >= 16  # of 20 at 95 %, fewer come about once in 1,000


def test_without_controls_there_is_a_difference_and_no_effect() -> None:
    found = [_row(seed=seed, effect=15) for seed in range(20)]
    assert {row["comparison"] for row in found} == {"matched"}
    assert {row["effect_amount"] for row in found} == {None}
    assert all(row["matched_count"] <= row["contact_count"] for row in found)
    assert sum(_holds(row, "difference", 15) for row in found) >= 16
    assert sum(_holds(row, "placebo_difference", 0) for row in found) >= 16


def test_where_others_were_chosen_for_what_nobody_sees_the_placebo_says_so() -> None:
    found = [_row(seed=seed, effect=0, targeting=3) for seed in range(10)]
    assert sum(row["difference_lower"] > 0 for row in found) >= 8  # a difference that no contact made
    assert sum(row["placebo_difference_lower"] > 0 for row in found) >= 8


def test_with_neither_controls_nor_anybody_left_to_match_there_is_no_difference() -> None:
    tables = _shop(1, effect=15)
    everybody = tables["fct_transactions"].select("customer_id").unique()
    contact = tables["fct_campaign_contacts"].head(1).drop("customer_id")
    row = select(
        "rpt_campaign_performance", tables | {"fct_campaign_contacts": everybody.join(contact, how="cross")}
    ).row(0, named=True)
    assert row["comparison"] == "none"
    assert {value for name, value in row.items() if "effect" in name or "difference" in name} == {None}


def test_before_the_days_are_over_nothing_is_compared() -> None:
    tables = _shop(1, effect=15, controls=0.4)
    early = tables | {"dim_as_of": pl.DataFrame({"as_of_date": [date(2025, 7, 29)]})}
    row = select("rpt_campaign_performance", early).row(0, named=True)
    assert (row["is_window_complete"], row["comparison"], row["effect_amount"]) == (False, "none", None)


def test_an_order_of_rows_changes_nothing() -> None:
    tables = _shop(1, effect=15)
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in tables.items()}
    found = [select("rpt_campaign_performance", each) for each in (tables, shuffled)]
    assert found[0].equals(found[1])


def _effects(experiments: pl.DataFrame, arms: pl.DataFrame, **shop: Any) -> dict[str, dict[str, Any]]:
    """The rows of rpt_campaign_effects by outcome."""
    tables = _shop(**shop) | {"experiment_results": experiments, "stg_experiment_arms": arms}
    rows = select("rpt_campaign_effects", tables).iter_rows(named=True)
    return {row["outcome"]: row for row in rows}


NO_RESULTS = pl.DataFrame(schema=EXPERIMENT_RESULTS)
NO_ARMS = pl.DataFrame(
    schema={
        "experiment_id": pl.String, "arm": pl.String, "campaign_id": pl.String, "is_control": pl.Boolean,
        "window_days": pl.Int64,
    }
)  # fmt: skip


def test_marked_controls_without_a_declared_draw_are_a_difference_and_no_effect() -> None:
    found = _effects(NO_RESULTS, NO_ARMS, seed=1, effect=15, controls=0.4)
    spend, response = found["net_amount"], found["response"]
    performance = _row(seed=1, effect=15, controls=0.4)
    assert (spend["design"], spend["is_effect"]) == ("controls", False)
    assert "no random draw is declared" in spend["reason"]
    assert spend["difference"] == pytest.approx(performance["effect_amount"], abs=1e-4)
    assert spend["difference_lower"] == pytest.approx(performance["effect_lower"], abs=1e-4)
    # nobody responded on either side: Newcombe's interval is Wilson's of nothing, z^2 / (n + z^2) above and below
    n, m, z2 = response["contacted_count"], response["comparison_count"], 3.841459
    assert (response["design"], response["difference"]) == ("controls", 0.0)
    assert response["difference_upper"] == pytest.approx(z2 / (n + z2), abs=1e-6)
    assert response["difference_lower"] == pytest.approx(-z2 / (m + z2), abs=1e-6)


def test_without_controls_spend_stands_beside_look_alikes_and_responses_beside_nobody() -> None:
    found = _effects(NO_RESULTS, NO_ARMS, seed=1, effect=15)
    assert {name: (row["design"], row["is_effect"]) for name, row in found.items()} == {
        "net_amount": ("matched", False),
        "response": ("none", False),
    }
    assert found["net_amount"]["difference"] == pytest.approx(_row(seed=1, effect=15)["difference_amount"], abs=1e-4)
    assert found["response"]["difference"] is None


@pytest.mark.parametrize(("conclusion", "is_effect"), [("higher", True), ("invalid", False)])
def test_only_a_declared_draw_whose_shares_hold_is_an_effect(conclusion: str, is_effect: bool) -> None:
    arms = pl.DataFrame([("test", "mailed", "mail", False, 14)], schema=NO_ARMS.schema, orient="row")
    shared = {"experiment_id": "test", "metric": "visit", "is_proportion": True, "analysis": "fixed_horizon"}
    results = pl.DataFrame(
        [
            {**shared, "arm": "control", "is_control": True, "customer_count": 100, "mean": 0.1},
            {
                **shared, "arm": "mailed", "is_control": False, "customer_count": 90, "mean": 0.3, "effect": 0.2,
                "effect_lower": 0.1, "effect_upper": 0.3, "conclusion": conclusion,
            },
        ],
        schema=EXPERIMENT_RESULTS,
    )  # fmt: skip
    found = _effects(results, arms, seed=1, effect=15, controls=0.4)
    assert list(found) == ["visit"]  # not beside controls of its own as well
    row = found["visit"]
    assert (row["design"], row["is_effect"], row["interval_method"]) == ("randomised", is_effect, "newcombe")
    assert (row["contacted_count"], row["comparison_count"], row["difference"]) == (90, 100, 0.2)
    assert (row["reason"] is None) == is_effect
