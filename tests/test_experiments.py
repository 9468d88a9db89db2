"""Experiments through the assets, on marts written by hand: who is assigned to what, and what is said of it when."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ml.randomisation import sample_ratio
from orchestration.settings import Settings
from tests.experiments import DAY, EXCLUSIVE, MAILS, OFFER, SOURCE, Company, at, frame, sales


def test_arms_hold_their_shares_and_another_key_draws_others(tmp_path: Path) -> None:
    company = Company(tmp_path, EXCLUSIVE, customers=4000)
    arms = company.arms("first")
    counts = [list(arms.values()).count(arm) for arm in ("control", "a")]
    assert (sample_ratio(counts, [1, 3]) or 0) > 0.001
    company.settings = company.settings.model_copy(update={"privacy_key": Settings(privacy_key="x" * 32).privacy_key})
    company.on(DAY)
    other = company.arms("first")
    both = [one for one in arms if one in other]
    assert len(both) < 0.7 * len(arms)
    assert sum(arms[one] != other[one] for one in both) > 0


def test_experiments_of_a_group_share_nobody_and_the_global_control_is_in_none(tmp_path: Path) -> None:
    company = Company(tmp_path, EXCLUSIVE, customers=2000)
    first, second, held = (company.arms(name) for name in ("first", "second", "global_control"))
    assert not set(first) & set(second)
    control = {one for one, arm in held.items() if arm == "control"}
    assert len(held) == 2000
    assert 60 < len(control) < 140  # 5 % of 2,000
    assert not control & {*first, *second}
    assert set(first) | set(second) | control == set(held)  # their shares add up to everybody


def test_who_is_assigned_stays_whatever_becomes_of_shares_and_of_other_customers(tmp_path: Path) -> None:
    company = Company(tmp_path, OFFER)
    before = company.arms("offer")
    company.publish()
    company.have([f"c{number:04}" for number in range(500)])
    company.settings.source.write_text(SOURCE + OFFER.replace("offer: 1}", "offer: 9}"))
    company.on(DAY + timedelta(days=1))
    after = company.arms("offer")
    assert {one: after[one] for one in before} == before
    new = [arm for one, arm in after.items() if one not in before]
    assert 80 < len(new) <= 100
    assert new.count("offer") > 60
    days = company.run.warehouse.read(
        "select distinct assigned_date, first_date, last_date from ml.experiment_assignments "
        "where experiment_id = 'offer' order by all"
    )
    assert days.rows() == [
        (DAY + timedelta(days=n), DAY + timedelta(days=n + 1), DAY + timedelta(days=n + 30)) for n in (0, 1)
    ]
    company.publish()
    company.on(date(2026, 4, 1))  # after its end
    company.have([f"c{number:04}" for number in range(600)])
    assert company.arms("offer") == after


def test_the_same_day_assigns_the_same_and_a_day_built_aside_assigns_nobody(tmp_path: Path) -> None:
    company = Company(tmp_path, OFFER)
    company.on(DAY, is_scratch=True)
    assert company.arms("offer") == {}
    company.on(DAY)
    first = company.arms("offer")
    company.publish()
    company.on(DAY)
    assert company.arms("offer") == first != {}
    company.on(DAY, is_scratch=True)
    assert company.arms("offer") == first


def test_who_refuses_marketing_or_analytics_is_assigned_to_nothing(tmp_path: Path) -> None:
    company = Company(tmp_path, OFFER, customers=0)
    company.have(["ann", "bob", "cas"], marketing="ann", analytics="bob")
    assert set(company.arms("global_control")) == {"cas"}
    assert set(company.arms("offer")) <= {"cas"}


def test_without_an_experiment_nobody_is_held_out_and_no_key_is_made(tmp_path: Path) -> None:
    company = Company(tmp_path, "")
    company.settings = Settings(data_dir=company.settings.data_dir, source=company.settings.source)
    company.on(DAY)
    assert company.results().is_empty()
    assert company.arms("global_control") == {}
    assert not (company.settings.vault_dir / "privacy.key").exists()


def test_whoever_tells_others_of_customers_holds_some_out_for_good(tmp_path: Path) -> None:
    company = Company(tmp_path, "actions: {activations: {crm: {webhook: crm}}}\n", customers=1000)
    arms = company.arms("global_control")
    assert len(arms) == 1000
    assert 25 <= list(arms.values()).count("control") <= 80  # 50 +- 4 standard deviations
    company.publish()
    company.on(DAY)
    assert company.arms("global_control") == arms


def test_an_experiment_says_what_it_waits_for(tmp_path: Path) -> None:
    company = Company(
        tmp_path, OFFER + "  later: {arms: {control: 1, b: 1}, starts_on: 2026-05-01, analysis: sequential}\n"
    )
    found = company.results().group_by("experiment_id").agg(pl.col("status", "reason").first()).rows()
    assert sorted(found) == [
        ("global_control", "running", "It has no end."),
        ("later", "not_started", "It starts on 2026-05-01."),
        ("offer", "running", "Its last outcomes are known by 2026-04-30."),
    ]
    company.publish()
    company.on(date(2026, 3, 30))
    company.results()
    company.publish()
    assert company.run.warehouse.row_count("ml.experiment_assignments") > 700  # nobody came anew
    company.on(date(2026, 3, 31))  # the last outcomes of those assigned are known, and nobody else may enter
    final = company.results().filter(experiment_id="offer")
    assert set(final["status"]) == {"final"}
    assert final["mean"].null_count() == 0


def mails(folder: Path, *, buckets: int = 0) -> pl.DataFrame:
    """Forty customers in each arm and two in several; half of those of an arm do something, as said here."""
    company = Company(folder, MAILS, buckets=buckets)
    sent = at("2026-03-05T09:00")
    people = {arm: [f"{arm}{number:02}" for number in range(40)] for arm in ("none", "mens", "womens")}
    of = {"none": "none", "mens": "m1", "womens": "w"}
    rows = [
        (one, of[arm], None if arm == "none" else sent, arm == "none", answered, answered is not None)
        for arm, found in people.items()
        for number, one in enumerate(found)
        for answered in [at("2026-03-06T00:00") if arm == "mens" and number < 20 else None]
    ]
    rows += [("mens00", "m2", sent, False, None, False)]  # the same arm again
    rows += [(one, campaign, sent, False, None, False) for one in ("both1", "both2") for campaign in ("m1", "w")]
    company.have([*people["none"], *people["mens"], *people["womens"], "both1", "both2"])
    before = pl.col("customer_id").str.slice(-2).cast(pl.Int64, strict=False)
    company.marts |= {
        "dim_customers": company.marts["dim_customers"].with_columns(spent_before=before.cast(pl.String)),
        "fct_campaign_contacts": frame(
            "customer_id, campaign_id, contacted_at, is_control, responded_at, has_responded", *rows
        ),
        "fct_transactions": sales(
            *((one, date(2026, 3, 5), 10.0) for one in people["mens"][:20]),  # on the first day
            *((one, date(2026, 3, 14), 20.0) for one in people["mens"][:20]),  # on the last
            *((one, day, 99.0) for one in people["womens"] for day in (date(2026, 3, 4), date(2026, 3, 15))),  # beside
            *((one, date(2026, 3, 10), 2.0) for one in people["none"]),  # as of the others' middle day
        ),
        "fct_interactions": frame(
            "customer_id, interaction_date, kind, value",
            *((one, date(2026, 3, 6), "visit", 1.5) for one in people["womens"][:10] for _ in range(2)),
            *((one, date(2026, 3, 6), "call", 7.0) for one in people["womens"]),
            *((one, date(2026, 3, 6), "visit", 3.0) for one in people["womens"][10:20]),
        ),
    }
    company.on(date(2026, 3, 14))
    return company.results()


def test_an_experiment_in_the_data_is_read_from_contacts_sales_and_interactions(tmp_path: Path) -> None:
    found = mails(tmp_path)
    assert set(found["status"]) == {"final"}
    assert set(found["assigned_count"]) == {40}  # who is in two arms is in none
    means = {(row["arm"], row["metric"]): row["mean"] for row in found.iter_rows(named=True)}
    assert means == {
        ("control", "response"): 0, ("mens", "response"): 0.5, ("womens", "response"): 0,
        ("control", "net_amount"): 2, ("mens", "net_amount"): 15, ("womens", "net_amount"): 0,
        ("control", "visit"): 0, ("mens", "visit"): 0, ("womens", "visit"): 0.5,
        ("control", "worth"): 0, ("mens", "worth"): 0, ("womens", "worth"): 1.5,
    }  # fmt: skip
    mens = found.filter(arm="mens", metric="net_amount").row(0, named=True)
    # 20 of 40 spend 30: the variance is 30^2 / 4 * 40 / 39, the error its root over root 40, t with 39 degrees 2.02269.
    half = 2.0226909 * (900 / 4 / 39) ** 0.5
    assert (mens["effect"], mens["effect_lower"], mens["effect_upper"]) == pytest.approx((13, 13 - half, 13 + half))
    assert mens["variance_reduction"] > 0.5 / 2  # customers 0 to 19 of 40 are those who buy
    assert mens["conclusion"] == "higher"


def test_two_buckets_or_twenty_give_the_same_results(tmp_path: Path) -> None:
    for name in ("one", "twenty"):
        (tmp_path / name).mkdir()
    assert mails(tmp_path / "one").equals(mails(tmp_path / "twenty", buckets=20))
