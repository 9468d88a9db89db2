"""Look-alikes and offers in a source file: what is refused, by name and with a way out."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.errors import InputError
from orchestration.intake.source_file import Source, load_source

SOURCE: dict[str, Any] = {
    "name": "shop",
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "entities": {
        "campaign_contacts": {"files": "sent.csv", "columns": {"customer_id": "card", "campaign_id": "campaign"}},
        "transactions": {
            "files": "sold.csv",
            "columns": {"transaction_id": "no", "customer_id": "card", "occurred_at": "at", "amount": "paid"},
        },
    },
    "experiments": {
        "email": {
            "assigned_by": "data",
            "arms": {"control": {}, "mailed": {"campaigns": "spring"}},
            "metrics": ["conversion", "net_amount"],
        }
    },
}
OFFER = {"experiment": "email", "arm": "mailed", "value_amount": 5, "cost_amount": 1}


def declared(folder: Path, **actions: Any) -> Source:
    file = folder / "shop.yml"
    file.write_text(yaml.safe_dump(SOURCE | {"actions": actions}))
    return load_source(file)


def test_a_list_and_two_offers_are_read_with_their_defaults(tmp_path: Path) -> None:
    believed = {"assumed_effect": 0.03, "value_amount": "clv", "risk": "churn", "cost_amount": 2}
    actions = declared(
        tmp_path,
        lookalikes={"best": {"strategy": "rfm", "segment": "champions"}},
        offers={"mail": OFFER, "winback": believed},
        offer_budget_amount=100,
    ).actions
    assert (actions.lookalikes["best"].size, actions.lookalikes["best"].horizon_days) == (500, 60)
    assert (actions.offers["mail"].risk, actions.offers["mail"].budget_amount) == ("none", None)
    assert actions.offers["winback"].value_amount == "clv"
    assert actions.offer_budget_amount == 100


@pytest.mark.parametrize(
    ("offer", "message"),
    [
        ({"value_amount": 5, "cost_amount": 1}, "name the `experiment` that shows what it changes"),
        (OFFER | {"assumed_effect": 0.1}, "one of them"),
        (OFFER | {"arm": None}, "name its arm"),
        (OFFER | {"experiment": "emial"}, "did you mean 'email'?"),
        (OFFER | {"arm": "control"}, "'control' is no arm of it; known are mailed"),
        (OFFER | {"metric": "visits"}, "'visits' is no metric of email"),
        (OFFER | {"metric": "net_amount", "value_amount": "clv"}, "net_amount is no yes or no"),
        (OFFER | {"eligible": "shoe_size > 3"}, "actions.offers.mail.eligible"),
        (
            {"assumed_effect": 0.1, "value_amount": 5, "cost_amount": 1, "cost_per_outcome_amount": 2},
            "needs an `experiment`",
        ),
    ],
)
def test_an_offer_that_cannot_be_planned_is_refused(tmp_path: Path, offer: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        declared(tmp_path, offers={"mail": offer})
    assert message in str(refused.value)


def test_a_list_names_a_strategy_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'rmf' is no strategy of segments; did you mean 'rfm'"):
        declared(tmp_path, lookalikes={"best": {"strategy": "rmf", "segment": "champions"}})
