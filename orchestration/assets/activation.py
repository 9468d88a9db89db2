"""Activations as a table for systems that read instead of being told: who belongs to each, and what changed when."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from ml.schemas import empty
from orchestration.activation.audience import candidates, chosen
from orchestration.activation.changes import guard
from orchestration.activation.feed import CHANGES, SUBJECT, continued, told
from orchestration.dbt.assets import OWNERS
from orchestration.errors import DeliveryError
from orchestration.intake.activations import CUSTOMERS, Activation
from orchestration.runs.run import Run
from orchestration.storage.history import History


@dg.asset(
    key=["activation", "changes"],
    deps=[
        CUSTOMERS.split("."),
        *(["marts", name] for name in ("dim_customers", "dim_customer_permissions")),
        *(["ml", name] for name in ("experiment_assignments", "experiment_results")),
    ],
    group_name="activation",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per activation x customer ever in it: the last change, its day, and what is told of them.",
    check_specs=[
        dg.AssetCheckSpec(
            "audiences_have_not_shrunk",
            asset=["activation", "changes"],
            description="No more customers leave an activation on one day than its shrink_share allows. Where more "
            "would, the activation stays as it was: look for missing files, or raise shrink_share for one run.",
        )
    ],
)
def activation_changes(run: dg.ResourceParam[Run]) -> Iterator[dg.MaterializeResult[None]]:
    """Go on from the day before; an audience that shrank suspiciously stays as it was, and the check says so."""
    history, as_of = History(run.settings.history_dir, source=run.source.name), run.as_of
    last = history.before(SUBJECT, as_of)
    before = history.read(SUBJECT, last) if last else empty(CHANGES)
    found, stopped = [empty(CHANGES)], {}
    for name, one in sorted(run.source.actions.activations.items()):
        standing = before.filter(activation=name)
        audience = _audience(run, one)
        try:
            guard(audience, told(standing), shrink_share=one.shrink_share)
        except DeliveryError as error:
            stopped[name] = str(error)
            found.append(standing.with_columns(as_of_date=pl.lit(as_of)))
        else:
            found.append(continued(name, audience, before, as_of=as_of))
    rows = run.warehouse.write("activation.changes", pl.concat(found))
    yield dg.MaterializeResult(
        metadata={"dagster/row_count": rows},
        check_results=[
            dg.AssetCheckResult(
                check_name="audiences_have_not_shrunk",
                asset_key=["activation", "changes"],
                passed=not stopped,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=stopped,
            )
        ],
    )


def _audience(run: Run, one: Activation) -> pl.DataFrame:
    own = run.warehouse.read(f"select column_name from (describe {CUSTOMERS})")["column_name"].to_list()
    return chosen(run.warehouse.read(candidates(one, own)), one)


ASSETS = [activation_changes]
