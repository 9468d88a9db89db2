"""A company with experiments: its source file, its marts as a test writes them, and runs of the assets on them."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from ml.schemas import TRANSACTIONS
from orchestration.assets.experiments import ASSETS
from orchestration.intake.source_file import load_source
from orchestration.models.experiments import SUBJECT, TODAY
from orchestration.settings import Settings
from orchestration.storage.history import History
from tests.marts import QUIET
from tests.runs import run_on

DAY = date(2026, 3, 1)
SOURCE = """
name: tiny_shop
timezone: UTC
currency: EUR
entities:
  transactions: {files: sales.csv, columns: {transaction_id: id, customer_id: card, occurred_at: at, amount: paid}}
  campaign_contacts: {files: contacts.csv, columns: {customer_id: card, campaign_id: campaign}}
  interactions: {files: seen.csv, columns: {customer_id: card, occurred_at: at, kind: kind, value: value}}
  customers: {files: people.csv, columns: {customer_id: card, spent_before: before}}
"""
OFFER = """
experiments:
  offer: {arms: {control: 1, offer: 1}, starts_on: 2026-03-01, ends_on: 2026-03-31}
"""
EXCLUSIVE = """
experiments:
  first: {arms: {control: 1, a: 3}, starts_on: 2026-03-01, ends_on: 2026-03-31, exclusive_group: mail, share: 0.5}
  second: {arms: {control: 1, b: 1}, starts_on: 2026-03-01, ends_on: 2026-03-31, exclusive_group: mail, share: 0.5}
"""
MAILS = """
experiments:
  mails:
    assigned_by: data
    arms: {control: {campaigns: none}, mens: {campaigns: [m1, m2]}, womens: {campaigns: w}}
    window_days: 10
    metrics:
      - response
      - net_amount
      - {measure: interaction, kind: visit}
      - {measure: interaction_value, kind: visit, name: worth}
    covariate_attribute: spent_before
"""


class Company:
    """Marts of a company on a day, and runs of the experiments' assets on them."""

    def __init__(self, folder: Path, experiments: str, *, customers: int = 400, buckets: int = 0) -> None:
        file = folder / "shop.yml"
        file.write_text(SOURCE + experiments)
        self.settings = Settings(data_dir=folder / "data", source=file, privacy_key="k" * 32, buckets=buckets)
        self.run = run_on(self.settings)
        self.marts: dict[str, pl.DataFrame] = {
            "fct_transactions": pl.DataFrame(schema=TRANSACTIONS),
            "fct_interactions": frame("customer_id, interaction_date, kind, value"),
            "fct_campaign_contacts": frame(
                "customer_id, campaign_id, contacted_at, is_control, responded_at, has_responded"
            ),
            "dim_campaigns": pl.DataFrame(schema={"campaign_id": pl.String, "started_at": pl.Datetime("us")}),
        }
        self.have([f"c{number:04}" for number in range(customers)])
        self.on(DAY)

    def have(self, customers: list[str], **refused: str) -> None:
        """These customers, of whom one may refuse each purpose."""
        people = pl.DataFrame({"customer_id": customers}).with_columns(spent_before=pl.lit("1.5"))
        allowed = {
            f"is_{purpose}_allowed": pl.col("customer_id") != refused.get(purpose, "")
            for purpose in ("analytics", "profiling", "marketing")
        }
        self.marts |= {
            "dim_customers": people,
            "dim_customer_permissions": people.select("customer_id", **allowed),
        }

    def on(self, day: date, **changes: Any) -> None:
        """Another run, of this day."""
        source = load_source(self.settings.source)
        self.marts["dim_as_of"] = pl.DataFrame({"as_of_date": [day]})
        self.run = replace(run_on(self.settings), source=source, **changes)

    def results(self) -> pl.DataFrame:
        """Run the assets; ml.experiment_results."""
        for name, rows in self.marts.items():
            self.run.warehouse.write(f"marts.{name}", rows)
        with dg.DagsterInstance.ephemeral() as instance:
            done = dg.materialize(ASSETS, resources={"run": self.run}, instance=instance, run_config=QUIET)
        assert done.success
        return self.run.warehouse.read("from ml.experiment_results")

    def arms(self, experiment: str) -> dict[str, str]:
        """Run the assets; the arm of each customer of an experiment."""
        self.results()
        rows = self.run.warehouse.read(
            f"select customer_id, arm from ml.experiment_assignments where experiment_id = '{experiment}'"
        )
        return dict(rows.iter_rows())

    def publish(self) -> None:
        """Keep who was assigned today, as publishing does."""
        History(self.settings.history_dir, source="tiny_shop").keep(
            SUBJECT, self.run.as_of, self.run.warehouse.read(TODAY)
        )


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def frame(columns: str, *rows: tuple[Any, ...]) -> pl.DataFrame:
    kinds = {
        "interaction_date": pl.Date, "value": pl.Float64, "contacted_at": pl.Datetime("us"), "is_control": pl.Boolean,
        "responded_at": pl.Datetime("us"), "has_responded": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(rows, schema={name: kinds.get(name, pl.String) for name in columns.split(", ")}, orient="row")


def sales(*rows: tuple[str, date, float]) -> pl.DataFrame:
    money = dict.fromkeys(("gross_amount", "discount_amount", "value_amount"), 0)
    return pl.DataFrame(
        [
            {
                "transaction_id": str(number),
                "customer_id": customer,
                "occurred_at": datetime.combine(day, datetime.min.time()),
                "transaction_date": day,
                "line_count": 1,
                "net_amount": amount,
                "is_purchase": True,
                "is_return": False,
                **money,
            }
            for number, (customer, day, amount) in enumerate(rows)
        ]
    ).cast(TRANSACTIONS)  # type: ignore[arg-type] # by name
