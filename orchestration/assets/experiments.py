"""Experiments: who is in which arm of which, and what came of them so far."""

import dagster as dg
import polars as pl

from ml.experiment_schemas import EXPERIMENT_RESULTS
from ml.experiments.analysis import analyse
from ml.experiments.moments import add_up, merged
from ml.schemas import empty
from orchestration.dbt.assets import OWNERS
from orchestration.models.experiment_outcomes import outcomes
from orchestration.models.experiments import assignments, declared, design, progress
from orchestration.privacy import consent
from orchestration.runs.run import Run

MARTS = ("dim_as_of", "dim_campaigns", "dim_customer_permissions", "dim_customers", "fct_campaign_contacts")
EVENTS = ("fct_interactions", "fct_transactions")


@dg.asset(
    key=["ml", "experiment_assignments"],
    deps=[
        *(["marts", name] for name in MARTS),
        *(["ml", name] for name in ("customer_features", "churn_scores", "clv_predictions")),
    ],
    group_name="experiments",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per experiment x customer: the arm, and the days whose outcomes count.",
)
def experiment_assignments(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Those on record, those who enter today by keyed hash, and those whom the data says were assigned."""
    found = assignments(run)
    rows = run.warehouse.write("ml.experiment_assignments", found)
    new = found.filter(pl.col("assigned_by") == "keyed_hash", pl.col("assigned_date") == run.as_of).height
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "newly_assigned_count": new,
        }
    )


@dg.asset(
    key=["ml", "experiment_results"],
    deps=[["ml", "experiment_assignments"], *(["marts", name] for name in (*MARTS, *EVENTS))],
    group_name="experiments",
    kinds={"scipy", "duckdb"},
    owners=OWNERS,
    description="One row per experiment x arm x metric: the mean, its difference from the control arm with intervals, "
    "and what may be concluded.",
)
def experiment_results(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Add up each experiment's outcomes bucket by bucket, and compare its arms."""
    as_of = run.as_of
    found, statuses = [empty(EXPERIMENT_RESULTS)], {}
    for name, one in declared(run.source).items():
        count = len(one.metrics)
        buckets = consent.map_customers(
            run,
            outcomes(name, one, as_of=as_of),
            lambda bucket, count=count: add_up(bucket, metrics=count),  # type: ignore[misc] # bound now
            purpose="analytics",
        )
        known = merged(buckets)
        assigned = run.warehouse.read(f"from ml.experiment_assignments where experiment_id = '{name}'")
        state = progress(one, assigned, as_of=as_of)
        found.append(analyse(design(name, one), state, known, as_of=as_of))
        statuses[name] = f"{state.status}: {state.reason}" if state.reason else state.status
    rows = run.warehouse.write("ml.experiment_results", pl.concat(found))
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, **statuses})


ASSETS = [experiment_assignments, experiment_results]
