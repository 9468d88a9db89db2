"""An e-mail experiment of three arms as sources/hillstrom.yml describes it: effects are those of the file, exactly, and
targeting by uplift finds whom it moves.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
from scipy import stats

from ml.schemas import empty
from ml.tables import TABLES
from orchestration.assets import campaigns, experiments, offers
from orchestration.intake.source_file import load_source
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.warehouse import Warehouse
from tests.marts import QUIET, build_marts
from tests.runs import run_on
from tests.sql import select

ARMS = {"control": ("No E-Mail", 0.106), "mens": ("Mens E-Mail", 0.183), "womens": ("Womens E-Mail", 0.151)}
CUSTOMERS = 9_000
ASSETS = [
    asset
    for asset in (*experiments.ASSETS, *campaigns.ASSETS, *offers.ASSETS)
    if not {"lookalike_model", "lookalikes"} & {*asset.key.path}
]
"""Nobody's segments are made here, so that there is nothing to be like."""


def challenge() -> pl.DataFrame:
    """A file with the columns of the challenge that the results come from; visits depend on arm and past spend."""
    random = np.random.default_rng(2008)
    arm = random.choice(list(ARMS), CUSTOMERS)
    history = np.maximum(29.99, random.lognormal(5, 0.9, CUSTOMERS)).round(2)
    womens = random.random(CUSTOMERS) < 0.5
    moved = np.where((arm == "womens") & womens, 0.12, 0) - np.where((arm == "womens") & ~womens, 0.04, 0)
    visit = (
        random.random(CUSTOMERS) < np.array([ARMS[one][1] for one in arm]) * (history / history.mean()) ** 0.5 + moved
    )
    conversion = visit & (random.random(CUSTOMERS) < 0.2)
    spend = np.where(conversion, np.maximum(29.99, random.lognormal(4.4, 0.7, CUSTOMERS)), 0).round(2)
    return pl.DataFrame(
        {
            "recency": random.integers(1, 13, CUSTOMERS),
            "history": history,
            "mens": (~womens | (random.random(CUSTOMERS) < 0.1)).astype(int),
            "womens": womens.astype(int),
            "zip_code": random.choice(["Urban", "Surburban", "Rural"], CUSTOMERS),
            "newbie": random.integers(0, 2, CUSTOMERS),
            "channel": random.choice(["Web", "Phone", "Multichannel"], CUSTOMERS),
            "segment": [ARMS[one][0] for one in arm],
            "visit": visit.astype(int),
            "conversion": conversion.astype(int),
            "spend": spend,
        }
    )


@pytest.fixture(scope="module")
def file() -> pl.DataFrame:
    return challenge()


@pytest.fixture(scope="module")
def warehouse(file: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory, marts_dir: Path) -> Warehouse:
    folder = tmp_path_factory.mktemp("hillstrom")
    file.write_csv(folder / "hillstrom.csv")
    source = Path(shutil.copy(PROJECT_DIR / "sources" / "hillstrom.yml", folder))
    settings = Settings(source=source, data_dir=marts_dir)
    warehouse = Warehouse(build_marts(source, data_dir=marts_dir), settings=settings)
    run = replace(run_on(settings, warehouse=warehouse), source=load_source(source))
    for table in ("churn_scores", "clv_predictions", "customer_features", "customer_segments"):
        warehouse.write(f"ml.{table}", empty(TABLES[table]))
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize(ASSETS, resources={"run": run}, instance=instance, run_config=QUIET).success
    return warehouse


@pytest.fixture(scope="module")
def report(warehouse: Warehouse) -> pl.DataFrame:
    return select("rpt_experiments", {"experiment_results": warehouse.read("from ml.experiment_results")})


@pytest.mark.parametrize("arm", ["mens", "womens"])
@pytest.mark.parametrize("metric", ["visit", "conversion", "spend"])
def test_effects_are_the_differences_of_means_in_the_file(
    file: pl.DataFrame, report: pl.DataFrame, arm: str, metric: str
) -> None:
    treated, control = (file.filter(segment=ARMS[one][0])[metric].cast(float).to_numpy() for one in (arm, "control"))
    row = report.filter(arm=arm, metric=metric).row(0, named=True)
    assert (row["status"], row["customer_count"]) == ("final", len(treated))
    assert row["effect"] == pytest.approx(treated.mean() - control.mean(), abs=1e-6)
    assert row["relative_effect"] == pytest.approx(treated.mean() / control.mean() - 1, abs=1e-6)
    welch = stats.ttest_ind(treated, control, equal_var=False)
    assert (row["effect_lower"], row["effect_upper"]) == pytest.approx(
        tuple(welch.confidence_interval()), abs=1e-6 if metric == "spend" else 1e-3
    )
    assert 0 < row["variance_reduction"] < 0.1
    assert row["cuped_lower"] < row["cuped_effect"] < row["cuped_upper"]


def test_the_arms_hold_their_shares_and_the_mails_are_found_to_bring_visits(report: pl.DataFrame) -> None:
    assert set(report["is_sample_ratio_kept"]) == {True}
    assert report.filter(metric="visit")["conclusion"].to_list() == [None, "higher", "higher"]


def test_each_campaign_s_effect_says_that_chance_chose_and_what_it_changed(
    warehouse: Warehouse, report: pl.DataFrame
) -> None:
    marts = ("fct_transactions", "fct_campaign_contacts", "dim_campaigns", "dim_dates", "dim_as_of")
    tables = {name: warehouse.read(f"from marts.{name}") for name in marts}
    tables["experiment_results"] = warehouse.read("from ml.experiment_results")
    tables["stg_experiment_arms"] = warehouse.read("from raw.experiment_arms")
    found = select("rpt_campaign_effects", tables)
    assert found.select("campaign_id", "outcome").rows() == [
        (campaign, outcome)
        for campaign in ("Mens E-Mail", "Womens E-Mail")
        for outcome in ("conversion", "spend", "visit")
    ]
    assert set(found["design"]) == {"randomised"}
    assert set(found["is_effect"]) == {True}
    assert dict(found.select("outcome", "interval_method").rows()) == {
        "visit": "newcombe", "conversion": "newcombe", "spend": "welch",
    }  # fmt: skip
    womens = found.filter(campaign_id="Womens E-Mail", outcome="visit").row(0, named=True)
    beside = report.filter(arm="womens", metric="visit").row(0, named=True)
    assert (womens["difference"], womens["difference_lower"]) == (beside["effect"], beside["effect_lower"])


def test_targeting_by_uplift_beats_targeting_by_response_where_effects_differ(warehouse: Warehouse) -> None:
    designs = {row["arm"]: row for row in warehouse.read("from ml.uplift_designs").iter_rows(named=True)}
    assert {row["status"] for row in designs.values()} == {"modelled"}, designs
    assert designs["womens"]["reason"].startswith("Finds whom the contact changes"), designs["womens"]["reason"]
    bands = warehouse.read("from ml.uplift_bands where arm = 'womens' order by band")
    assert bands["effect_lower"][0] > bands["effect_upper"][-1]
    scores = warehouse.read(
        "select customers.bought_womens, avg(uplift) as uplift from ml.uplift_scores as scores "
        "inner join marts.dim_customers as customers using (customer_id) where arm = 'womens' group by 1 order by 1"
    )
    assert scores["uplift"].to_list() == pytest.approx([0.005, 0.165], abs=0.04)


def test_an_offer_goes_to_those_whom_it_moves_and_its_profit_has_the_interval_of_the_effect(
    warehouse: Warehouse,
) -> None:
    plan = warehouse.read("from ml.offer_plans").row(0, named=True)
    assert (plan["status"], plan["effect_basis"], plan["eligible_count"]) == ("planned", "uplift", CUSTOMERS)
    assert plan["expected_profit_lower"] < plan["expected_profit_amount"] < plan["expected_profit_upper"]
    offered = warehouse.read("from ml.offers")
    assert offered.height == plan["offered_count"]
    assert offered["effect"].min() > 0.04  # what a mail costs, at a value of 1 a visit
    assert offered["expected_profit_amount"].sum() == pytest.approx(plan["expected_profit_amount"])


def test_who_responds_is_said_of_a_random_draw_and_of_no_later_campaign(warehouse: Warehouse) -> None:
    found = warehouse.read("select distinct design, window_days, served_by from ml.response_propensities")
    assert found.select("design", "window_days").rows() == [("randomised", 14)]
    assert warehouse.row_count("ml.response_propensities") == CUSTOMERS
