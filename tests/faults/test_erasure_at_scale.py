"""100 customers erased from a source of a million lines: no byte of them is left, and nothing brings them back."""

import time
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import SecretStr

from orchestration.ingest import erased_rows, ingest
from orchestration.intake.entities import ENTITIES
from orchestration.intake.source_file import load_source
from orchestration.privacy.landing import scrub_landing
from orchestration.settings import Settings
from tests.bytes import holding
from tests.commands import SECRETS, clientele

LINES, CUSTOMERS, VICTIMS = 1_000_000, 40_000, 100
FIRST, DAYS = date(2025, 7, 1), 365
AT_MOST_SECONDS = 300

SOURCE = """
name: large_shop
timezone: UTC
currency: EUR
entities:
  transactions:
    files: transactions-*.csv
    columns: {transaction_id: id, customer_id: card, occurred_at: sold, product_id: sku, quantity: qty, amount: paid}
  customers:
    files: customers.csv
    columns:
      {customer_id: card, created_at: joined, city: town, region: region, email: mail, phone: phone, full_name: name,
       favourite_word: word}
  feedback:
    files: feedback.csv
    columns: {feedback_id: id, customer_id: card, transaction_id: bought, created_at: at, rating: stars, text: said}
models:
  maximum_customers: 5000
  churn: {horizon_days: 30, active_window_days: 90, minimum_customers: 200, minimum_outcomes: 50}
  clv: {horizons_days: [60], minimum_customers: 200}
"""


def canary(number: int) -> str:
    """What stands in every field of a victim, and in nobody else's."""
    return f"Qzxj{number:03}Vwkq"


def card(number: int) -> str:
    return canary(number) if number < VICTIMS else f"c{number:06}"


def write_large_shop(folder: Path) -> Path:
    """A million lines of 40,000 customers; the first 100 have unmistakable values in every column that is theirs."""
    random = np.random.default_rng(11)
    who = np.concatenate([np.repeat(np.arange(VICTIMS), 20), random.integers(0, CUSTOMERS, LINES - VICTIMS * 20)])
    start = datetime.combine(FIRST, datetime.min.time())
    seconds = np.sort(random.integers(0, DAYS * 86_400 - 60, LINES))
    random.shuffle(who)
    cards = pl.Series("card", [card(number) for number in range(CUSTOMERS)])
    sold = {"who": who, "card": cards.gather(who), "second": seconds, "sku": random.integers(0, 200, LINES)}
    own = pl.col("who") < VICTIMS
    pl.DataFrame(sold).with_row_index("number").select(
        id=pl.when(own).then(pl.format("{}-{}", "card", "number")).otherwise(pl.format("t{}", "number")),
        card="card",
        sold=pl.lit(start) + pl.duration(seconds="second"),
        sku=pl.format("p{}", "sku"),
        qty=1,
        paid=(pl.col("sku") % 37 + 1).cast(pl.Float64),
    ).write_csv(folder / "transactions-1.csv")
    people = pl.DataFrame({"number": np.arange(CUSTOMERS), "card": cards})
    mine = pl.col("number") < VICTIMS
    people.select(
        "card",
        joined=pl.lit("2025-07-01 09:00:00"),
        town=pl.when(mine).then(pl.format("{}ville", "card")).otherwise(pl.format("Town {}", pl.col("number") % 50)),
        region=pl.format("Region {}", pl.col("number") % 5),
        mail=pl.format("{}@mail.example", "card"),
        phone=pl.format("+49-{}", "card"),
        name=pl.format("Name {}", "card"),
        word=pl.when(mine).then(pl.format("{}ish", "card")).otherwise(pl.lit("plain")),
    ).write_csv(folder / "customers.csv")
    said = people.filter(pl.col("number") < 2000)
    said.select(
        id=pl.format("f{}", "number"),
        # Half of the victims are known by what they bought alone.
        card=pl.when(mine & (pl.col("number") % 2 == 0)).then(pl.lit("")).otherwise(pl.col("card")),
        bought=pl.when(mine).then(pl.format("{}-of-feedback", "card")).otherwise(pl.lit("")),
        at=pl.lit("2026-05-01 10:00:00"),
        stars=pl.col("number") % 5 + 1,
        said=pl.format("I am {} and I write", "card"),
    ).write_csv(folder / "feedback.csv")
    bought = [f"{card(n)}-of-feedback,{card(n)},2026-04-01 10:00:00,p1,1,5.00" for n in range(VICTIMS)]
    _deliver(folder / "transactions-2.csv", bought)
    (folder / "large_shop.yml").write_text(SOURCE)
    return folder / "large_shop.yml"


def _deliver(file: Path, lines: list[str]) -> None:
    file.write_text("\n".join(["id,card,sold,sku,qty,paid", *lines]) + "\n")


@pytest.mark.full
def test_a_hundred_of_a_million_lines_leave_no_byte_and_do_not_come_back(tmp_path: Path) -> None:
    source, settings = (
        write_large_shop(tmp_path),
        Settings(
            source=tmp_path / "large_shop.yml",
            data_dir=tmp_path / "data",
            privacy_key=SecretStr(SECRETS["privacy_key"]),
        ),
    )
    run = clientele("run", source=source, data_dir=settings.data_dir)
    assert run.exit_code == 0, run.stderr
    canaries = [canary(number) for number in range(VICTIMS)]
    before = holding(settings.data_dir, canaries, settings=settings)
    assert {
        len(found) for name, found in before.items() if name.startswith("published/") and "dim_customers." in name
    } == {VICTIMS}
    listed = tmp_path / "ids.txt"
    listed.write_text("\n".join(canaries) + "\n")
    began = time.monotonic()
    done = clientele("erase", "--from-file", str(listed), "--json", source=source, data_dir=settings.data_dir)
    took = time.monotonic() - began
    assert done.exit_code == 0, done.stderr
    print(f"{len(before)} files held them; erased in {took:.1f} s; {done.summary['rows_by_place']}")  # noqa: T201 - figures
    assert (done.summary["customer_count"], done.summary["unknown_count"]) == (VICTIMS, 0)
    assert holding(settings.data_dir, canaries, settings=settings) == {}
    assert took < AT_MOST_SECONDS

    _deliver(
        tmp_path / "transactions-3.csv", [f"again{n},{c},2026-06-01 10:00:00,p1,1,5.00" for n, c in enumerate(canaries)]
    )
    described = load_source(source)
    for entity in described.entities:
        ingest(ENTITIES[entity], source=described, settings=settings)
    scrub_landing(described, settings)
    refused = erased_rows(source=described, settings=settings).filter(pl.col("source_file") == "transactions-3.csv")
    assert refused["row_count"].to_list() == [VICTIMS]
    assert holding(settings.data_dir, canaries, settings=settings) == {}
