"""All strategies on many customers, through the same assets as a run: seconds of each, and the most memory taken.

`python -m benchmarks.segments 1000000` asks for a million customers.
"""

import resource
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.clock import timed
from benchmarks.shop import AS_OF, shop
from ml.schemas import CHURN_SCORES, CLV_PREDICTIONS, conform
from ml.segment_schemas import PROFILE
from orchestration.assets import features, segmentation
from orchestration.intake.source_file import load_source
from orchestration.runs.run import Run
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.warehouse import Warehouse


def prepared(folder: Path, customers: int) -> Run:
    """A run whose marts hold a simulated shop, with features, made-up scores, people and places."""
    settings = Settings(data_dir=folder, source=PROJECT_DIR / "sources" / "complete_journey.yml")
    warehouse = Warehouse(settings.warehouse_file, settings=settings)
    now = datetime.now(UTC).replace(tzinfo=None)
    run = Run("bench", settings, load_source(settings.source), None, now, None, warehouse, is_scratch=False)
    warehouse.write("marts.dim_as_of", pl.DataFrame({"as_of_date": [AS_OF], "is_backfilled": [False]}))
    warehouse.write("marts.fct_transactions", shop(customers))
    features.customer_features(run=run)
    ids = warehouse.read("select as_of_date, customer_id from ml.customer_features order by customer_id")
    random = np.random.default_rng(0)
    groups = {
        "region": [f"region {n}" for n in range(12)],
        "age_band": ["18-34", "35-49", "50-64", "65+"],
        "gender": ["f", "m"],
    }
    drawn = {name: random.choice(values, ids.height) for name, values in groups.items()}
    lacking = [pl.lit(None, pl.String).alias(name) for name in (*PROFILE, *run.source.attributes) if name not in groups]
    warehouse.write("marts.dim_customers", ids.select("customer_id").with_columns(*lacking, **drawn))
    scores = ids.with_columns(
        pl.lit(None).alias(name) for name in {*CHURN_SCORES, *CLV_PREDICTIONS} - set(ids.columns)
    ).with_columns(
        horizon_days=90,
        churn_probability=random.uniform(size=ids.height),
        expected_amount=random.gamma(1, 90, ids.height),
    )
    warehouse.write("ml.churn_scores", conform(scores, CHURN_SCORES))
    warehouse.write("ml.clv_predictions", conform(scores, CLV_PREDICTIONS))
    contacts: dict[str, pl.DataType] = {
        "customer_id": pl.String(),
        "campaign_id": pl.String(),
        "is_control": pl.Boolean(),
    }
    moments: dict[str, pl.DataType] = {name: pl.Datetime("us") for name in ("contacted_at", "responded_at")}
    warehouse.write("marts.fct_campaign_contacts", pl.DataFrame(schema=contacts | moments))
    campaigns = {"campaign_id": pl.String(), "started_at": pl.Datetime("us")}
    warehouse.write("marts.dim_campaigns", pl.DataFrame(schema=campaigns))
    return run


def main(customers: int = 50_000) -> None:
    """Print seconds of each asset, and peak memory before and after them."""
    with tempfile.TemporaryDirectory() as folder:
        run = prepared(Path(folder), customers)
        before = _peak()
        total = 0.0
        print(f"\nsegments of {customers:,} customers")
        for asset in segmentation.ASSETS:
            seconds, _ = timed(partial(asset, run=run))
            total += seconds
            print(f"{'.'.join(asset.key.path):<58}{seconds:>8.1f} s", flush=True)
        print(f"{'all':<58}{total:>8.1f} s, {_peak():.1f} GiB at most ({before:.1f} before)")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
