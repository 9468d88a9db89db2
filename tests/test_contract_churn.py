"""A company that sells contracts, from its files to its scores: churn is about the end of contracts."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ml.contracts import build_contract_snapshots
from tests.commands import Finished, clientele
from tests.marts import rows
from tests.ml.contract_shop import AS_OF, HORIZON, ContractShop, contract_shop

SOURCE = f"""
name: contract_shop
timezone: Europe/Berlin
currency: EUR
as_of: {AS_OF}
entities:
  subscriptions:
    files: contracts.csv
    columns:
      {{subscription_id: subscription_id, customer_id: customer_id, started_at: started_at, ended_at: ended_at,
       plan: plan, monthly_amount: monthly_amount}}
  customers:
    files: customers.csv
    columns: {{customer_id: customer_id, city: town, support: support}}
models:
  churn: {{horizon_days: {HORIZON}, minimum_customers: 300, minimum_outcomes: 40, maximum_training_cutoffs: 3}}
"""


@pytest.fixture(scope="module")
def shop() -> ContractShop:
    return contract_shop(3000, seed=5)


@pytest.fixture(scope="module")
def run(shop: ContractShop, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One run on files that know ends which lie ahead, as a company's do once notice was given."""
    folder = tmp_path_factory.mktemp("contract_shop")
    notice = pl.col("ended_at").cast(pl.Date) <= AS_OF + timedelta(days=20)
    shop.contracts.with_columns(pl.when(notice).then("ended_at")).write_csv(folder / "contracts.csv")
    shop.attributes.write_csv(folder / "customers.csv")
    (folder / "source.yml").write_text(SOURCE)
    done = clientele("run", "--json", source=folder / "source.yml", data_dir=folder / "data")
    assert done.exit_code == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def database(run: Finished) -> Path:
    return run.settings.published_dir / "current" / "clientele.duckdb"


def _one(database: Path, query: str) -> Any:
    ((found,),) = rows(database, query)
    return found


def test_a_champion_about_contracts_serves_and_its_card_says_so(run: Finished, database: Path) -> None:
    (churn,) = (model for model in run.summary["models"] if model["model"] == "churn")
    assert churn["served_by"] == "champion", churn
    config = json.loads(_one(database, "select config from ml.model_versions where status = 'champion'"))
    assert config["contracts"] is True


def test_everybody_with_a_running_contract_is_scored_near_the_truth(database: Path, shop: ContractShop) -> None:
    known = shop.known(AS_OF).filter(pl.col("ended_at").is_null())
    scored = rows(database, "select customer_id, churn_probability from ml.churn_scores")
    scores = pl.DataFrame(scored, schema=["customer_id", "told"], orient="row")
    assert sorted(scores["customer_id"]) == sorted(known["customer_id"])
    age = (AS_OF - pl.col("started_at").cast(pl.Date)).dt.total_days().alias("contract_tenure_days")
    features = known.join(shop.attributes, on="customer_id").with_columns(age).join(scores, on="customer_id")
    truth = pl.Series("truth", shop.end_probability(features, horizon_days=HORIZON))
    assert features.with_columns(truth).select(pl.corr("told", "truth")).item() > 0.85


def test_reasons_name_the_contract_and_the_declared_attribute(database: Path) -> None:
    named = {name for (name,) in rows(database, "select distinct feature from ml.churn_reasons")}
    assert {"plan", "support"} <= named
    said = {words for (words,) in rows(database, "select distinct words from ml.churn_reasons where feature = 'plan'")}
    assert {"raises the risk: plan: monthly", "lowers the risk: plan: yearly"} <= said
    assert not named & {"subscription_id", "customer_id", "started_at", "ended_at", "days_to_end", "is_churned"}


def test_candidates_and_rules_about_contracts_were_tested(database: Path) -> None:
    tested = {name for (name,) in rows(database, "select distinct candidate from ml.model_evaluations")}
    assert {"survival", "blend", "tenure", "monthly_amount", "plan_rate", "base_rate"} <= tested
    assert "purchase_model" not in tested


def test_readiness_counts_in_sql_what_training_counts(database: Path, shop: ContractShop) -> None:
    readiness = rows(database, "select level, is_about_contracts from quality.model_readiness where model = 'churn'")
    assert readiness == [("trainable", True)]
    day = AS_OF - timedelta(days=HORIZON)
    seen = build_contract_snapshots(shop.known(AS_OF), shop.attributes, cutoffs=[day], horizon_days=HORIZON)
    counted = "select customer_count, positive_count from quality.model_outcomes where role = 'test' and model = "
    assert rows(database, f"{counted} 'churn'") == [(seen.height, seen["is_churned"].sum())]
