import json
import re

import duckdb
import polars as pl
import pytest

from orchestration.answers import customer_facts
from orchestration.answers.customer_facts import facts
from orchestration.answers.customer_words import sentences
from orchestration.errors import InputError
from orchestration.publishing.generations import DATABASE
from orchestration.settings import Settings
from orchestration.warehouse import reader
from tests.commands import Finished, clientele
from tests.shop import CANARIES, REFUSED

PERSON = ("demographic", "geographic")


def ask(settings: Settings, *words: str) -> Finished:
    return clientele("explain", *words, source=settings.source, data_dir=settings.data_dir)


@pytest.fixture(scope="module")
def scored(settings: Settings) -> str:
    """A customer with a churn score and its reasons."""
    with reader(settings.published_dir / "current" / DATABASE) as connection:
        (row,) = connection.execute("select min(customer_id) from ml.churn_reasons").fetchall()
    return str(row[0])


def test_a_customer_is_told_in_words_with_the_numbers_of_the_tables(settings: Settings, scored: str) -> None:
    done = ask(settings, scored)
    assert done.exit_code == 0, done.stderr
    with reader(settings.published_dir / "current" / DATABASE) as connection:
        row = connection.execute(
            "select churn_probability, net_amount, purchase_count, expected_amount, churn_horizon_days "
            "from reports.rpt_customer_360 join marts.dim_customers using (customer_id, net_amount) "
            "where customer_id = $1",
            [scored],
        ).fetchall()[0]
        reasons = connection.execute("select words from ml.churn_reasons where customer_id = $1", [scored]).fetchall()
    churn, net, purchases, expected, days = row
    assert done.stdout.startswith(f"Customer {scored} of tiny_shop, as of 2026-06-30\n")
    assert f"{purchases} purchases" in done.stdout
    assert f"{net:,.2f} EUR net so far" in done.stdout
    assert f"{churn:.0%} chance of churn within {days} days" in done.stdout
    assert f"{expected:,.2f} EUR of net amount expected" in done.stdout
    assert all(words in done.stdout for (words,) in reasons)


def test_the_same_goes_to_machines_as_one_object(settings: Settings, scored: str) -> None:
    done = ask(settings, scored, "--json")
    found = json.loads(done.stdout)
    assert found["customer_id"] == scored
    assert {"history", "segments", "churn", "churn_reasons", "lifetime_value", "next_purchase"} <= found.keys()
    told = [sentence for said in found["words"].values() for sentence in said]
    shown = re.sub(r"\s+", " ", ask(settings, scored).stdout)
    assert all(re.sub(r"\s+", " ", sentence) in shown for sentence in told)


def test_nothing_is_told_that_says_who_the_person_is(settings: Settings, scored: str) -> None:
    with reader(settings.published_dir / "current" / DATABASE) as connection:
        columns = ("created_at", "birth_date", "city", "loyalty_tier")
        person = connection.execute(
            f"select {', '.join(columns)} from marts.dim_customers where customer_id = $1",
            [scored],
        ).fetchall()[0]
    told = ask(settings, scored, "--json").stdout
    assert not [word for word in CANARIES if word in told]
    assert not [value for value in person if value is not None and str(value) in told]
    assert not {segment["strategy"] for segment in json.loads(told)["segments"]} & {*PERSON}


def test_who_refuses_analytics_is_looked_at_by_nobody_and_who_refuses_profiling_has_no_score(
    settings: Settings,
) -> None:
    silent = facts(REFUSED["analytics"], settings)
    assert not silent.keys() & {"history", "segments", "churn"}
    (said,) = sentences(silent).values()
    assert said == ["Does not allow analytics: counted in totals, and looked at by nobody one by one."]
    counted = facts(REFUSED["profiling"], settings)
    assert counted["history"]["purchase_count"] > 0
    assert not counted.keys() & {"segments", "churn", "lifetime_value", "next_purchase"}
    unasked = facts(REFUSED["marketing"], settings)
    assert any("not to be chosen for a campaign" in one for said in sentences(unasked).values() for one in said)


@pytest.mark.parametrize("customer", ["nobody", "", "' or true --"])
def test_an_unknown_id_says_so_and_ends_with_2(settings: Settings, customer: str) -> None:
    done = ask(settings, customer)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("No such customer is published: the id is unknown, or was erased.")


def test_who_was_erased_is_unknown(later_runs: dict[str, Finished]) -> None:
    with pytest.raises(InputError, match="unknown, or was erased"):
        facts("c0001", later_runs["erased"].settings)


def test_an_attribute_among_the_reasons_is_named_without_its_value() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema ml; create table marts.dim_customers (city text)")
        reasons = pl.DataFrame(
            {
                "customer_id": ["c1", "c1"],
                "rank": [1, 2],
                "feature": ["city", "recency_days"],
                "contribution": [0.4, -0.1],
                "is_exact": [True, True],
                "words": ["raises the risk: city: Bonn", "lowers the risk: last purchase 3 days ago"],
            }
        )
        connection.execute("create table ml.churn_reasons as from reasons")
        told = connection.execute(customer_facts._REASONS, {"customer": "c1"}).fetchall()
    assert reasons.height == len(told)
    assert [row[-1] for row in told] == [
        "raises the risk: an attribute of the person, city",
        "lowers the risk: last purchase 3 days ago",
    ]


def test_before_anything_is_published_the_way_out_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(InputError, match="`clientele run` publishes"):
        facts("c0001", Settings(data_dir=tmp_path_factory.mktemp("none")))
