"""Contacts as models of campaigns ask for them: who was contacted when, and what was known of each customer before.

What is made of it is `ml.campaigns`'. Whoever refuses profiling or marketing is in none of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import polars as pl

from ml.campaigns.contacts import CONTACTS, known_before
from ml.schemas import MONEY, TRANSACTIONS, Schema
from orchestration.intake.entities import ENTITIES
from orchestration.intake.experiments import Experiment
from orchestration.models.contracts import PROFILE
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.warehouse import literal, quoted

MADE: Final = """
    select
        contacts.customer_id,
        contacts.campaign_id,
        campaigns.kind as campaign_kind,
        cast(coalesce(
            contacts.contacted_at,
            campaigns.started_at,
            min(contacts.contacted_at) over (partition by contacts.campaign_id)
        ) as date) as contact_date,
        cast(contacts.responded_at as date) as response_date
    from marts.fct_campaign_contacts as contacts
    inner join marts.dim_campaigns as campaigns on contacts.campaign_id = campaigns.campaign_id
    where not contacts.is_control
"""
"""CONTACTS that were made; one without a day is that of its campaign's first, so that nothing after it is known."""

_SQL: Final = {
    pl.String: "varchar",
    pl.Int64: "bigint",
    pl.Float64: "double",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime("us"): "timestamp",
    MONEY: "decimal(18, 4)",
}
_PART: Final = "part_of_row"

Parts = Mapping[str, pl.DataFrame]
Made = Callable[[Parts], pl.DataFrame]


def are_known(run: Run) -> bool:
    """Whether anybody was contacted on a day that is known."""
    return not run.warehouse.read(f"select 1 as one from ({MADE}) where contact_date is not null limit 1").is_empty()


def kinds(run: Run, *, at_most: int) -> list[str | None]:
    """The kinds of campaigns with the most contacts."""
    found = run.warehouse.read(
        f"select campaign_kind, count(*) as contacts from ({MADE}) group by 1 order by 2 desc, 1 limit {at_most}"
    )
    return found["campaign_kind"].to_list()


def is_randomised(run: Run) -> bool:
    """Whether all who were contacted were by campaigns of declared random experiments."""
    listed = [
        campaign
        for one in run.source.experiments.values()
        if one.assigned_by == "data"
        for arm in one.arms.values()
        for campaign in arm.campaigns
    ]
    if not listed:
        return False
    of_experiments = ", ".join(literal(campaign) for campaign in listed)
    other = f"select 1 as one from ({MADE}) where campaign_id not in ({of_experiments}) limit 1"
    return run.warehouse.read(other).is_empty()


def attributes(run: Run, *, without: Sequence[str] = ()) -> list[str]:
    """Columns of marts.dim_customers that models of campaigns may look at."""
    refused = {*ENTITIES["customers"].private, *run.source.models.campaigns.without_attributes, *without}
    return [name for name in dict.fromkeys((*PROFILE, *run.source.attributes)) if name not in refused]


def outcome_attributes(experiments: Mapping[str, Experiment]) -> list[str]:
    """Attributes that are outcomes of experiments: no model may know them before."""
    return [metric.attribute for one in experiments.values() for metric in one.metrics if metric.attribute is not None]


def map_parts(
    run: Run,
    function: Made,
    *,
    units: tuple[str, Schema] | None = None,
    without: Sequence[str] = (),
    among: str | None = None,
    at_most: int | None = None,
) -> Iterator[pl.DataFrame]:
    """Apply `function` to everything about one bucket of customers after the other, by part.

    Parts are `transactions` (TRANSACTIONS), `contacts` (CONTACTS that were made), `customers` (their attributes as
    text) and, where asked for, `units`: the rows of a relation with a schema. `among` is SQL of ids: whose rows
    are looked at, and of whom `at_most` are taken.
    """
    known = attributes(run, without=(*without, *outcome_attributes(run.source.experiments)))
    texts: Schema = dict.fromkeys(("customer_id", *known), pl.String)
    parts: dict[str, tuple[str, Schema]] = {
        "transactions": ("marts.fct_transactions", {n: k for n, k in TRANSACTIONS.items() if n != "transaction_id"}),
        "contacts": (f"({MADE})", CONTACTS),
        "customers": ("marts.dim_customers", texts),
    }
    if units is not None:
        parts["units"] = units
    schemas = {name: schema for name, (_, schema) in parts.items()}
    return consent.map_customers(
        run,
        _stacked(parts),
        partial(_parted, function=function, schemas=schemas),
        purpose="profiling",
        where=consent.allowed("marketing") + (f" and customer_id in ({among})" if among else ""),
        at_most=at_most,
    )


def known(parts: Parts, asked: pl.DataFrame) -> pl.DataFrame:
    """KNOWN of the CONTACTS asked about, from the parts of their customers."""
    made = parts["contacts"].filter(pl.col("contact_date").is_not_null())
    return known_before(asked, transactions=parts["transactions"], history=made, attributes=parts["customers"])


def _stacked(parts: Mapping[str, tuple[str, Schema]]) -> str:
    """One relation of all parts, each with its own columns filled and those of the others null."""
    columns = [(part, name, kind) for part, (_, schema) in parts.items() for name, kind in schema.items()]
    columns = [column for column in columns if column[1] != "customer_id"]
    selects = []
    for part, (relation, _) in parts.items():
        values = [
            f"cast({quoted(name) if part == owner else 'null'} as {_SQL[kind]}) as {quoted(f'{owner}.{name}')}"
            for owner, name, kind in columns
        ]
        selects.append(f"select customer_id, {literal(part)} as {_PART}, {', '.join(values)} from {relation} as {part}")
    return f"(select * from ({' union all '.join(selects)}) as stacked where customer_id is not null)"


def _parted(bucket: pl.DataFrame, *, function: Made, schemas: Mapping[str, Schema]) -> pl.DataFrame:
    parts = {}
    for part, schema in schemas.items():
        own = {name: name if name == "customer_id" else f"{part}.{name}" for name in schema}
        rows = bucket.filter(pl.col(_PART) == part)
        parts[part] = rows.select(pl.col(column).cast(schema[name]).alias(name) for name, column in own.items())
    if "transactions" in parts:
        parts["transactions"] = parts["transactions"].with_columns(transaction_id=pl.lit(None, pl.String))
    return function(parts)
