"""Response on contacts small enough to look up by hand, and on campaigns whose answers follow from what is known."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from ml.campaigns.contacts import known_before, responded, thought_of
from ml.campaigns.crossing import crossed, folds
from ml.campaigns.inputs import Inputs
from ml.campaigns.response import make_candidate
from ml.campaigns.response_training import CROSSED, Question, Training, train
from tests.ml.campaigns import answered, contacts
from tests.ml.frames import shop, transactions

DAY = date(2026, 6, 1)
NOBODY = pl.DataFrame(schema={"customer_id": pl.String})
HISTORY = contacts(
    ("ann", "jan", "mail", date(2026, 1, 10), date(2026, 1, 15)),
    ("ann", "mar", "call", date(2026, 3, 1), date(2026, 6, 1)),  # answers on the day of the contact asked about
    ("ann", "jun", "mail", DAY, date(2026, 6, 20)),
    ("bob", "jun", "mail", DAY, None),
)


def test_what_was_known_on_the_eve_of_a_contact_is_as_looked_up_by_hand() -> None:
    bought = transactions(("ann", "2026-05-22 10:00", 30.0), ("ann", "2026-06-01 09:00", 500.0))
    attributes = pl.DataFrame({"customer_id": ["ann"], "town": ["Ulm"], "recency_days": [7]})
    asked = HISTORY.filter(campaign_id="jun")
    found = known_before(asked, transactions=bought, history=HISTORY, attributes=attributes)
    ann, bob = found.rows(named=True)
    assert (ann["recency_days"], ann["frequency_count"], ann["monetary_amount"]) == (9, 1, 30.0)  # as of 31 May
    assert (ann["earlier_contact_count"], ann["earlier_response_count"]) == (2, 1)
    assert (ann["same_kind_contact_count"], ann["same_kind_response_count"]) == (1, 1)
    assert (ann["days_since_contact"], ann["days_since_response"], ann["town"]) == (92, 137, "Ulm")
    assert (bob["recency_days"], bob["earlier_contact_count"], bob["days_since_contact"]) == (None, 0, None)


def test_nothing_on_or_after_the_day_of_the_contact_changes_what_was_known() -> None:
    past = shop(first_date=DAY - timedelta(days=200), days=200, rows=500, customers=20, seed=3)
    later = shop(first_date=DAY, days=60, rows=500, customers=20, seed=4)
    asked = thought_of(past["customer_id"], ["mail"], on=DAY)
    answers = contacts(*[(f"c{n:04}", "x", "mail", DAY - timedelta(days=n % 3), DAY) for n in range(20)])
    found = known_before(
        asked, transactions=past, history=answers.filter(pl.col("contact_date") < DAY), attributes=NOBODY
    )
    mixed = pl.concat([past, later]).sample(fraction=1.0, shuffle=True, seed=1)
    late = answers.with_columns(response_date=pl.lit(DAY))
    assert known_before(asked.reverse(), transactions=mixed, history=late, attributes=NOBODY).equals(found)


def test_a_response_counts_from_the_day_of_the_contact_until_its_window_is_over() -> None:
    made = contacts(
        *[("c", f"k{n}", None, DAY, DAY + timedelta(days=days)) for n, days in enumerate((-1, 0, 29, 30))],
        ("c", "k9", None, DAY, None),
    )
    assert responded(made, window_days=30).to_list() == [0, 1, 1, 0, 0]


def test_rules_are_as_worked_out_by_hand() -> None:
    known = pl.DataFrame(
        {
            "campaign_kind": ["mail", "mail", "call", None],
            "earlier_contact_count": [0, 5, 0, 0],
            "earlier_response_count": [0, 5, 0, 0],
        }
    )
    responses = np.array([0.0, 1.0, 1.0, 0.0])
    asked = pl.DataFrame(
        {"campaign_kind": ["mail", "sms"], "earlier_contact_count": [5, 0], "earlier_response_count": [4, 0]}
    )
    assert make_candidate("base_rate").fit(known, responses).predict(asked).tolist() == [0.5, 0.5]
    # 4 of 5 own answers beside 2.5 of 5 at the kind's rate
    assert make_candidate("past_response_rate").fit(known, responses).predict(asked).tolist() == [0.65, 0.5]


def test_inputs_are_numbers_on_a_log_scale_what_is_missing_and_common_categories() -> None:
    known = pl.DataFrame(
        {
            "customer_id": [f"c{n}" for n in range(60)],
            "spend": [None if n < 20 else float(n) for n in range(60)],
            "channel": ["Web"] * 30 + ["Phone"] * 28 + ["Fax"] * 2,
            "same": [1] * 60,
        }
    )
    inputs = Inputs().fit(known)
    assert inputs.levels_ == {"channel": ["Phone", "Web"]}
    matrix = inputs.transform(known)
    assert matrix.shape == (60, 4)  # spend, spend is missing, Phone, Web: what does not vary is none
    assert matrix.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-8)
    assert matrix.std(axis=0) == pytest.approx(np.ones(4), abs=1e-8)
    assert inputs.transform(known[:1]).tolist() == matrix[:1].tolist()


def test_nobody_is_told_of_by_a_model_that_saw_them() -> None:
    customers = pl.Series(["b", "a", "c", "a", "b", "d", "e", "f"])
    fold = folds(customers, seed=0)
    assert fold[0] == fold[4]
    assert fold[1] == fold[3]
    names = customers.to_numpy()
    seen = crossed(
        fold,
        learn=np.ones(8, dtype=bool),
        ask=np.ones(8, dtype=bool),
        answer=lambda learn, ask: np.isin(names[ask], names[learn]).astype(float),
    )
    assert seen.tolist() == [0.0] * 8


AS_OF = date(2026, 6, 30)
ASKED = Question(AS_OF, window_days=30, seed=0)


@pytest.fixture(scope="module")
def known() -> pl.DataFrame:
    return answered(customers=800, campaigns=6, as_of=AS_OF, seed=5)


@pytest.fixture(scope="module")
def trained(known: pl.DataFrame) -> Training:
    return train(known, ASKED)


def test_a_model_that_knows_what_answers_follow_from_beats_the_rules_on_later_campaigns(trained: Training) -> None:
    assert (trained.decision.served_by, trained.decision.candidate) == ("champion", "logistic"), trained.decision.reason
    later = trained.evaluations.filter(~pl.col("metric").str.ends_with(CROSSED), candidate="logistic", metric="auc")
    assert later.height == 3
    assert later["cutoff_date"].max() == AS_OF - timedelta(days=59)  # contacts of the 30 days after are judged
    assert later["lower"].min() > 0.6
    assert (
        0.9 < trained.evaluations.filter(candidate="logistic", metric=f"calibration_slope{CROSSED}")["value"][0] < 1.1
    )


def test_contacts_whose_window_is_not_over_teach_nothing(known: pl.DataFrame, trained: Training) -> None:
    running = known.filter(campaign_id="k0").with_columns(
        contact_date=pl.lit(AS_OF - timedelta(days=28)), response_date=pl.lit(None, pl.Date), campaign_id=pl.lit("new")
    )
    again = train(pl.concat([running, known]).sample(fraction=1.0, shuffle=True, seed=2), ASKED)
    assert again.evaluations.equals(trained.evaluations)
    assert again.serving.predict(known).tolist() == trained.serving.predict(known).tolist()


def test_one_campaign_alone_is_judged_on_other_customers_and_the_reason_says_so(known: pl.DataFrame) -> None:
    found = train(known.filter(campaign_id="k0"), Question(AS_OF, 30, 0, minimum_outcomes=50))
    assert found.evaluations["metric"].str.ends_with(CROSSED).all()
    assert "not on later campaigns" in found.decision.reason


def test_too_few_contacts_leave_the_base_rate_and_the_reason(known: pl.DataFrame) -> None:
    few = train(known.filter(campaign_id="k0").head(300), ASKED)
    assert (few.decision.served_by, few.decision.candidate) == ("population", "base_rate")
    assert few.decision.reason.startswith("No model was trained: 300 contacts whose 30 days are over")
    with pytest.raises(ValueError, match="no contact whose window is over"):
        train(known.head(0), ASKED)
