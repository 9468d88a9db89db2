"""Contacts as models of campaigns get them: of whom, from when, and of nobody who refuses."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from orchestration.models import contacts, response
from orchestration.models.contracts import PROFILE
from orchestration.runs.run import Run
from tests.ml.frames import transactions
from tests.runs import shop_run

CUSTOMERS = ["ann", "bob", "cat", "dan"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Four customers who were contacted: cat refuses marketing, dan profiling, and bob was held out."""
    made = shop_run(tmp_path)
    campaigns = pl.DataFrame({"campaign_id": ["spring"], "kind": ["mail"], "started_at": ["2026-03-01 00:00"]})
    sent = pl.DataFrame(
        {
            "customer_id": CUSTOMERS,
            "campaign_id": "spring",
            "contacted_at": ["2026-03-05 08:00", "2026-03-05 08:00", None, "2026-03-05 08:00"],
            "is_control": [False, True, False, False],
            "responded_at": ["2026-03-09 12:00", None, "2026-03-08 12:00", None],
        }
    )
    bought = transactions(("ann", "2026-03-04 10:00", 20.0), ("dan", "2026-03-04 10:00", 5.0))
    people = pl.DataFrame({"customer_id": CUSTOMERS, "loyalty_tier": ["gold", "tin", "tin", "tin"]})
    customer = pl.col("customer_id")
    tables = {
        "dim_as_of": pl.DataFrame({"as_of_date": [date(2026, 6, 30)]}),
        "dim_campaigns": campaigns.with_columns(pl.col("started_at").str.to_datetime()),
        "fct_campaign_contacts": sent.with_columns(pl.col("contacted_at", "responded_at").str.to_datetime()),
        "fct_transactions": bought,
        "dim_customers": people.with_columns(pl.lit("x").alias(name) for name in PROFILE),
        "dim_customer_permissions": people.select(
            "customer_id", is_profiling_allowed=customer != "dan", is_marketing_allowed=customer != "cat"
        ),
    }
    for name, frame in tables.items():
        made.warehouse.write(f"marts.{name}", frame)
    return made


def names(parts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Who is in each part."""
    return pl.DataFrame({part: [rows["customer_id"].sort().to_list()] for part, rows in parts.items()})


def test_only_who_allows_profiling_and_marketing_is_looked_at_and_a_control_was_not_contacted(run: Run) -> None:
    (seen,) = contacts.map_parts(run, names)
    assert seen.row(0, named=True) == {"transactions": ["ann"], "contacts": ["ann"], "customers": ["ann", "bob"]}


def test_a_contact_is_known_with_what_came_before_it_and_the_attributes_declared(run: Run) -> None:
    (known,) = contacts.map_parts(run, lambda parts: contacts.known(parts, parts["contacts"]))
    ann = known.row(0, named=True)
    assert (ann["contact_date"], ann["response_date"]) == (date(2026, 3, 5), date(2026, 3, 9))
    assert (ann["frequency_count"], ann["recency_days"], ann["monetary_amount"]) == (1, 0, 20.0)
    assert (ann["campaign_kind"], ann["loyalty_tier"], ann["acquisition_channel"]) == ("mail", "gold", "x")


def test_among_names_whose_rows_are_looked_at(run: Run) -> None:
    (seen,) = contacts.map_parts(run, lambda parts: parts["customers"], among="select 'bob'")
    assert seen["customer_id"].to_list() == ["bob"]


def test_a_contact_without_a_day_is_of_the_first_of_its_campaign(run: Run) -> None:
    days = dict(run.warehouse.read(f"select customer_id, contact_date from ({contacts.MADE})").rows())
    assert days == {"ann": date(2026, 3, 5), "cat": date(2026, 3, 1), "dan": date(2026, 3, 5)}
    assert contacts.kinds(run, at_most=5) == ["mail"]
    assert not response.is_known(run)  # one response would tell of one person


def test_contacts_are_random_only_where_all_campaigns_are_of_a_declared_draw(run: Run) -> None:
    assert contacts.is_randomised(run)  # the shop declares its spring mailing as one
    another = run.warehouse.read("from marts.dim_campaigns").with_columns(campaign_id=pl.lit("summer"))
    sent = run.warehouse.read("from marts.fct_campaign_contacts")
    run.warehouse.write("marts.dim_campaigns", pl.concat([run.warehouse.read("from marts.dim_campaigns"), another]))
    later = sent.head(1).with_columns(campaign_id=pl.lit("summer"))
    run.warehouse.write("marts.fct_campaign_contacts", pl.concat([sent, later]))
    assert not contacts.is_randomised(run)
