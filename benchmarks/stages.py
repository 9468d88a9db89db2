"""Every stage of the pipeline by itself, on the data folder that a whole run has left behind, in its own process.

`python -m benchmarks.stages features SHOP DATA` does one and prints its seconds. The same assets and the same dbt
models as a run; Dagster around them is in the whole run only. The least that the same work takes is in `floors`.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.clock import alone

if TYPE_CHECKING:
    from orchestration.runs.run import Run

Work = Callable[[], dict[str, Any] | None]
CLEANING = ("+stg_transactions_classified",)
AGGREGATION = ("fct_transaction_lines", "fct_transactions", "dim_customers", "rpt_kpis_daily")


def of_run(shop: Path, data: Path) -> "Run":
    """A run as the assets know it, whose marts, features and models are there."""
    from orchestration.intake.source_file import load_source
    from orchestration.runs.run import Run
    from orchestration.settings import Settings
    from orchestration.warehouse import Warehouse

    settings = Settings(data_dir=data, source=shop / "shop.yml")
    warehouse = Warehouse(settings.warehouse_file, settings=settings)
    known_at = datetime.now(UTC).replace(tzinfo=None)
    return Run("benchmark", settings, load_source(settings.source), None, known_at, None, warehouse, is_scratch=True)


def start(shop: Path, data: Path) -> Work:
    """What every run does before its first step: imports, and the code location."""

    def work() -> None:
        from orchestration.definitions import build_definitions
        from orchestration.runs.runner import run_job  # noqa: F401 - its import is part of the start

        build_definitions(of_run(shop, data).settings)

    return work


def ingest(shop: Path, data: Path) -> Work:
    """Every file as a delivery, in a data folder of its own that goes afterwards."""
    from orchestration.ingest import ingest as received
    from orchestration.intake.entities import ENTITIES

    aside = data.with_name(f"{data.name}.ingest")
    shutil.rmtree(aside, ignore_errors=True)
    run = of_run(shop, aside)

    def work() -> None:
        for entity in ENTITIES.values():
            received(entity, source=run.source, settings=run.settings)
        shutil.rmtree(aside)

    return work


def dbt(shop: Path, data: Path, *, select: Sequence[str]) -> Work:
    """dbt's models without their tests; starting dbt is part of it."""
    from orchestration.dbt.assets import command

    run = of_run(shop, data)
    words = command(
        "run", "--select", *select, settings=run.settings, warehouse=run.warehouse.file, target=data / "dbt" / "bench"
    )

    def work() -> None:
        subprocess.run(words, check=True, stdout=sys.stderr)  # noqa: S603 - our own words

    return work


def start_dbt(shop: Path, data: Path) -> Work:
    """One small view: what starting dbt costs."""
    return dbt(shop, data, select=("stg_limits",))


def clean(shop: Path, data: Path) -> Work:
    """Staging of transactions: typed, judged, classified."""
    return dbt(shop, data, select=CLEANING)


def aggregate(shop: Path, data: Path) -> Work:
    """Lines, transactions, customers and days."""
    return dbt(shop, data, select=AGGREGATION)


def asset(shop: Path, data: Path, *, module: str, name: str) -> Work:
    """One asset of Python's; what it imports when it is asked is imported before."""
    from importlib import import_module

    for needed in ("ml.churn.scoring", "ml.churn.reasons", "ml.clv.scoring", "ml.clv.leveling", "sklearn.ensemble"):
        import_module(needed)
    run = of_run(shop, data)
    found = getattr(import_module(f"orchestration.assets.{module}"), name)

    def work() -> dict[str, Any]:
        with run.warehouse.kept_open():  # as in a run
            made = found(run=run)
        return {"rows": made.metadata["dagster/row_count"]}

    return work


def snapshots(shop: Path, data: Path, *, days: int) -> Work:
    """Features of all customers at several past days, by bucket, with the labels that training needs."""
    import polars as pl

    from ml.backtest import build_snapshots
    from orchestration.privacy import consent

    run = of_run(shop, data)
    cutoffs = [run.as_of - timedelta(days=30 * step) for step in range(days)]

    def built(bucket: pl.DataFrame) -> pl.DataFrame:
        return build_snapshots(bucket, cutoffs=cutoffs, horizon_days=30)

    def work() -> dict[str, Any]:
        return {"rows": sum(frame.height for frame in consent.map_transactions(run, built, purpose="profiling"))}

    return work


def purchase_model(_shop: Path, place: Path) -> Work:
    """Our fit of BG/NBD; `place` holds the transactions of the bare script."""
    from benchmarks.histories import histories
    from ml.btyd.bg_nbd import BgNbd

    X = histories(place / "transactions.parquet")

    def work() -> dict[str, Any]:
        model = BgNbd().fit(X)
        return {"customers": len(X)} | {name: getattr(model, f"{name}_") for name in ("r", "alpha", "a", "b")}

    return work


def publish(shop: Path, data: Path) -> Work:
    """The published tables as a version aside: built, verified, and thrown away."""
    from orchestration.publishing.publish import publish as published

    run = of_run(shop, data)
    as_of = run.as_of

    def work() -> None:
        shutil.rmtree(published(run, as_of=as_of, comments={}).folder)

    return work


STAGES: dict[str, Callable[[Path, Path], Work]] = {
    "start": start,
    "start_dbt": start_dbt,
    "ingest": ingest,
    "clean": clean,
    "aggregate": aggregate,
    **{
        name: partial(asset, module=module, name=name)
        for module, name in (
            ("features", "customer_features"),
            ("churn", "churn_scores"),
            ("churn", "churn_reasons"),
            ("clv", "clv_predictions"),
            ("segmentation", "customer_segments"),
        )
    },
    "one_day": partial(snapshots, days=1),
    "six_days": partial(snapshots, days=6),
    "purchase_model": purchase_model,
    "publish": publish,
}

if __name__ == "__main__":
    name, *paths = sys.argv[1:]
    alone(STAGES[name](*map(Path, paths)))
