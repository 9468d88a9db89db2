"""Contracts as churn asks for them: whether there are any, their rows with the customers' attributes, and snapshots.

What is known of a contract on a day is `ml.contracts`'; training and scoring belong to the assets.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Final

import polars as pl

from ml.backtest import Cutoffs
from ml.contracts import build_contract_snapshots
from ml.schemas import CONTRACT_FEATURES, CONTRACT_LABELS, CONTRACTS
from orchestration.intake.entities import ENTITIES
from orchestration.models.training import Question
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.warehouse import quoted

PROFILE: Final = (
    "age_band",
    "gender",
    "income_band",
    "household_size",
    "city",
    "region",
    "country",
    "acquisition_channel",
)
"""Columns of `marts.dim_customers` that a model may look at, beside declared attributes; totals know the future."""

FIRST_DATE: Final = """
    select
        case
            when min(ended_at) is not null
                then greatest(
                    min(cast(started_at as date)), min(cast(ended_at as date)) - cast({horizon_days} as integer)
                )
        end
    from marts.fct_subscriptions
    where customer_id is not null
"""
"""From when on ends are on record; before that, contracts that ended may be missing, and who stayed tells nothing."""

Rows = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]


def are_known(run: Run) -> bool:
    """Whether churn is about contracts: a contract of a known customer was accepted."""
    found = run.warehouse.read("select count(customer_id) > 0 from marts.fct_subscriptions")
    return bool(found.item())


def map_contracts(run: Run, function: Rows, *, at_most: int | None = None) -> Iterator[pl.DataFrame]:
    """Apply `function(contracts, attributes)` to one bucket of customers after the other; see `Warehouse`."""
    taken = {*CONTRACTS, *CONTRACT_FEATURES, *CONTRACT_LABELS}
    private = ENTITIES["customers"].private
    attributes = [name for name in (*PROFILE, *run.source.attributes) if name not in {*taken, *private}]
    columns = [f"contracts.{name}" for name in CONTRACTS] + [f"customers.{quoted(name)}" for name in attributes]
    relation = (
        f"(select {', '.join(columns)} from marts.fct_subscriptions as contracts "
        "left join marts.dim_customers as customers on contracts.customer_id = customers.customer_id "
        "where contracts.customer_id is not null)"
    )

    def mapped(bucket: pl.DataFrame) -> pl.DataFrame:
        customers = bucket.select("customer_id", *attributes).unique("customer_id")
        return function(bucket.select(*CONTRACTS).cast(CONTRACTS), customers)  # type: ignore[arg-type] # by name

    return consent.map_customers(run, relation, mapped, purpose="profiling", at_most=at_most)


def snapshots(
    run: Run, question: Question, cutoffs: Cutoffs | None, *, as_of: date, extra: Iterable[date] = ()
) -> pl.DataFrame:
    """Labelled snapshots of running contracts, on the same days and of as many customers as those of purchases."""
    past = cutoffs.all if cutoffs else (as_of - timedelta(days=question.horizon_days),)
    days = (*past, as_of, *extra)
    frames = map_contracts(
        run,
        lambda rows, attributes: build_contract_snapshots(
            rows, attributes, cutoffs=days, horizon_days=question.horizon_days
        ),
        at_most=question.maximum_customers,
    )
    return pl.concat(frames).sort("as_of_date", "customer_id")
