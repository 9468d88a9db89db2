"""An e-mail experiment of three arms as sources/hillstrom.yml describes it: effects are those of the file, exactly."""

import shutil
from dataclasses import replace
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest
from scipy import stats

from orchestration.assets.experiments import ASSETS
from orchestration.intake.source_file import load_source
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.warehouse import Warehouse
from tests.marts import QUIET, build_marts
from tests.runs import run_on
from tests.sql import select

ARMS = {"control": ("No E-Mail", 0.106), "mens": ("Mens E-Mail", 0.183), "womens": ("Womens E-Mail", 0.151)}
CUSTOMERS = 6_000


def challenge() -> pl.DataFrame:
    """A file with the columns of the challenge that the results come from; visits depend on arm and past spend."""
    random = np.random.default_rng(2008)
    arm = random.choice(list(ARMS), CUSTOMERS)
    history = np.maximum(29.99, random.lognormal(5, 0.9, CUSTOMERS)).round(2)
    visit = random.random(CUSTOMERS) < np.array([ARMS[one][1] for one in arm]) * (history / history.mean()) ** 0.5
    conversion = visit & (random.random(CUSTOMERS) < 0.2)
    spend = np.where(conversion, np.maximum(29.99, random.lognormal(4.4, 0.7, CUSTOMERS)), 0).round(2)
    return pl.DataFrame(
        {
            "recency": random.integers(1, 13, CUSTOMERS),
            "history": history,
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
def report(file: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory, marts_dir: Path) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("hillstrom")
    file.write_csv(folder / "hillstrom.csv")
    source = Path(shutil.copy(PROJECT_DIR / "sources" / "hillstrom.yml", folder))
    settings = Settings(source=source, data_dir=marts_dir)
    warehouse = Warehouse(build_marts(source, data_dir=marts_dir), settings=settings)
    run = replace(run_on(settings, warehouse=warehouse), source=load_source(source))
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize(ASSETS, resources={"run": run}, instance=instance, run_config=QUIET).success
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
