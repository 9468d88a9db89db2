"""What tests share: the tiny shop, one run of it through the command line, and the data folder that it left.

A full run takes half a minute or more on a quiet core, so every one that the suite needs is made here, once, and two
at a time. What each must have done belongs in the test modules.
"""

import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from xdist.scheduler import LoadScopeScheduling

from orchestration.dbt.manifest import prepare_manifest
from orchestration.intake.source_file import load_source
from orchestration.privacy.registry import Registry, read_registry
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse
from tests.commands import CANARY_WORD, Finished, clientele
from tests.faults.damage import CACHES, damage
from tests.faults.disturbed import killed
from tests.faults.undisturbed import stages
from tests.shop import Shop, write_shop

EARLIER = date(2026, 5, 31)
SHARING = {
    "runs": "alerts architecture asking backfill benchmark_stages bi bi_tools catalogue cli consent damaged_files "
    "dashboard dashboard_numbers dbt definitions end_to_end erasure explain feedback freshness full_disk kills "
    "many_starts metrics_layer mlflow_mirror model_files news privacy progress publish published_experiments "
    "published_schema registry run security segments since_last_run small_groups warehouse",
    "marts": "benchmarks email_experiment entities pseudonyms ready_sources",
}


class BySharing(LoadScopeScheduling):
    """Modules that share the runs, or the folder of marts, share a worker; any other test goes where there is room."""

    def _split_scope(self, nodeid: str) -> str:
        module = Path(nodeid.split("::")[0]).stem.removeprefix("test_")
        return next((name for name, modules in SHARING.items() if module in modules.split()), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySharing:
    """Two workers that make the same runs twice would be slower than one."""
    return BySharing(config, log)


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> Iterator[None]:
    """The variables of whoever runs the tests stay out of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("CLIENTELE_") and not name.startswith("CLIENTELE_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def marts_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for every source that is taken to its marts only: the dbt project is parsed once."""
    return tmp_path_factory.mktemp("marts")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The tiny shop's files."""
    return write_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def first_runs(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> list[Finished]:
    """`clientele run --json` on the tiny shop, and on the same rows in another order in the files."""
    shuffled = write_shop(tmp_path_factory.mktemp("shuffled"), shuffle=1)
    folders = [tmp_path_factory.mktemp(name) / "data" for name in ("first", "other")]

    def run(source: Path, data_dir: Path) -> Finished:
        return clientele("run", "--json", source=source, data_dir=data_dir)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, (shop.source, shuffled.source), folders))


@pytest.fixture(scope="session")
def first_run(first_runs: list[Finished]) -> Finished:
    """The run whose data folder tests read and never change."""
    return first_runs[0]


@pytest.fixture(scope="session")
def settings(first_run: Finished) -> Settings:
    """The settings of the first run, which published."""
    assert first_run.exit_code == 0, first_run.stderr
    return first_run.settings


@pytest.fixture(scope="session")
def manifest(settings: Settings) -> dict[str, Any]:
    """dbt's manifest of the project."""
    found: dict[str, Any] = json.loads(prepare_manifest(settings).read_text())
    return found


@pytest.fixture(scope="session")
def registry(manifest: dict[str, Any], settings: Settings) -> Registry:
    """Where data about people lies, for the tiny shop."""
    return read_registry(manifest, source=load_source(settings.source))


@pytest.fixture(scope="session")
def published(settings: Settings) -> Path:
    """What the first run published."""
    return settings.published_dir / "current"


@pytest.fixture(scope="session")
def later_runs(first_run: Finished, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """Runs in copies of the first run's data folder, by what is special about each.

    `unchanged`: the same command. `again`: the same after three runs were killed, with the CLV model gone from the
    history, and an MLflow store that is away. `rebuilt`: every cache is damaged, models are trained again and mirrored
    to MLflow. `earlier`, `backfilled`: for a day before the published one. `blocked`: on a kept file in which a row
    lost its number. `erased`: after two customers were, from the same files.
    """
    settings = first_run.settings
    commands = {
        "unchanged": ["run"],
        "again": ["run"],
        "rebuilt": ["run", "--retrain"],
        "earlier": ["run", "--as-of", str(EARLIER)],
        "backfilled": ["backfill", "--from", str(EARLIER), "--to", str(EARLIER)],
        "blocked": ["run"],
        "erased": ["run"],
    }

    def run(name: str) -> Finished:
        folder = tmp_path_factory.mktemp(name) / "data"
        shutil.copytree(settings.data_dir, folder, symlinks=True)
        if name == "again":
            points = {stage.name: stage for stage in stages(first_run.stderr)}
            for stage, share, *retrain in (("marts", 0.6), ("train", 0.3, "--retrain"), ("publish", 0.5)):
                killed(folder, settings.source, points[stage], share, *retrain)
            left = pl.DataFrame({"left": ["by a killed run"]})  # would be published, if it stayed
            Warehouse(folder / "warehouse.duckdb", settings=settings).write("marts.left_behind", left)
            shutil.rmtree(next(folder.glob("history/models/clv-*")))
        elif name == "rebuilt":
            for cache in CACHES:
                damage(folder / cache, seed=6)
        elif name == "blocked":
            (damaged,) = folder.glob("raw/customers/*/unreadable.parquet")
            pl.read_parquet(damaged).with_columns(_row_number=pl.lit(None, pl.Int64)).write_parquet(damaged)
            damaged.with_name(f".{damaged.name}.sha256").unlink()  # sealed as it is now: for SQL to find
        elif name == "erased":
            erased = clientele("erase", "c0001", "c0003", source=settings.source, data_dir=folder)
            assert erased.exit_code == 0, erased.stderr
        mirror = {
            "again": f"http://reader:{CANARY_WORD}@127.0.0.1:9",
            "rebuilt": f"sqlite:///{folder.parent}/mlflow.db",
        }
        variables = {"mlflow_uri": mirror[name]} if name in mirror else {}
        return clientele(*commands[name], "--json", source=settings.source, data_dir=folder, **variables)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(commands, pool.map(run, commands), strict=True))
