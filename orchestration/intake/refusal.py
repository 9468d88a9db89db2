"""Rows that may not be kept: of erased customers, or older than the source file lets them grow; and pseudonymous ids.

Which customers those are is asked of whoever knows (`privacy.tombstones`); here is how rows are recognised by it, and
what is remembered of those left out: their count and money, per currency, and nothing of a person.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from orchestration.intake.entities import Entity
from orchestration.warehouse import Connection, literal, quoted

MONEY: Final = {"transactions": "amount", "subscriptions": "monthly_amount"}
EVENT_DAYS: Final = {
    "transactions": ("occurred_at",),
    "interactions": ("occurred_at",),
    "feedback": ("created_at",),
    "campaign_contacts": ("contacted_at", "responded_at"),
    "subscriptions": ("ended_at",),
}
"""The entities whose rows may age, and since when: a contract by its end; what is said of a customer lasts."""

KEPT: Final = "_row_number not in (select _row_number from refused)"
"""The condition of rows that stay, once they were judged."""

Tally = dict[str, Any]
"""What is remembered of refused rows: `currency` (none: the source's own), `row_count` and `amount` as text."""


def nobody(_ids: Iterable[str]) -> list[str]:
    """No id is refused."""
    return []


@dataclass(frozen=True)
class Rule:
    """What is refused: ids of erased customers and of their transactions, and rows of an entity before a day.

    A row that names no customer is refused by its transaction. `pseudonyms` gives what to keep instead of real ids.
    """

    customers: Callable[[Iterable[str]], list[str]] = nobody
    transactions: Callable[[Iterable[str]], list[str]] = nobody
    before: date | None = None
    pseudonyms: Callable[[Sequence[str]], dict[str, str]] | None = None

    @property
    def is_refusing(self) -> bool:
        """Whether any row can be refused by it."""
        return self.customers is not nobody or self.before is not None


def asked(entity: Entity) -> set[str]:
    """The columns by which rows of an entity are judged and tallied."""
    return {"customer_id", "transaction_id", "currency", MONEY.get(entity.name, ""), *EVENT_DAYS.get(entity.name, ())}


def judge(connection: Connection, relation: str, columns: Iterable[str], *, entity: Entity, rule: Rule) -> list[Tally]:
    """Make the table `refused`, the `_row_number` of each row that may not be kept; gives what it amounts to.

    `relation` is a query with `_row_number` and the contract's `columns`, as received.
    """
    has, present = dict.fromkeys(("customer_id", "transaction_id", "currency"), "null::varchar"), set(columns)
    has |= {name: _text(name) for name in has if name in present}
    days = [f"try_cast(left({_text(name)}, 10) as date)" for name in EVENT_DAYS.get(entity.name, ()) if name in present]
    money = MONEY.get(entity.name)
    amount = f"try_cast(cast({money} as varchar) as decimal(18, 4))" if money in present else "null::decimal(18, 4)"
    connection.execute(
        f"create or replace temp table judged as select _row_number, {has['customer_id']} as customer_id, "
        f"case when {has['customer_id']} is null then {has['transaction_id']} end as transaction_id, "
        f"upper({has['currency']}) as currency, {amount} as amount, "
        f"coalesce({', '.join([*days, 'null::date'])}) as day from ({relation})"
    )
    _keep_list(connection, "erased_customers", rule.customers(_distinct(connection, "customer_id")))
    _keep_list(connection, "erased_transactions", rule.transactions(_distinct(connection, "transaction_id")))
    before = f"day < date {literal(rule.before.isoformat())}" if rule.before else "false"
    connection.execute(
        "create or replace temp table tallied as select _row_number, currency, amount from judged "
        f"where customer_id in (from erased_customers) or transaction_id in (from erased_transactions) or {before}"
    )
    connection.execute("drop table judged")
    connection.execute("create or replace temp table refused as select _row_number from tallied")
    found = connection.execute(
        "select currency, count(*), sum(amount)::varchar from tallied group by currency order by currency"
    ).fetchall()
    return [{"currency": row[0], "row_count": int(row[1]), "amount": row[2]} for row in found]


def added(tallies: Iterable[Tally]) -> list[Tally]:
    """Tallies of the same rows' file as one per currency."""
    frame = pl.DataFrame(
        list(tallies), schema={"currency": pl.String, "row_count": pl.Int64, "amount": pl.String}, orient="row"
    ).with_columns(pl.col("amount").cast(pl.Decimal(38, 4)))
    summed = frame.group_by("currency").agg(
        pl.col("row_count").sum(),
        pl.when(pl.col("amount").is_not_null().any()).then(pl.col("amount").sum()).cast(pl.String),
    )
    return summed.sort("currency").to_dicts()


def rows_of_lookups(
    connection: Connection, keys: Mapping[str, str], files: Mapping[str, Iterable[tuple[str, Path]]]
) -> dict[Path, list[int]]:
    """Of each lookup's Parquet files the rows, from 1, that only refused rows use; `keys` are its key columns."""
    found = {}
    for name, key in keys.items():
        used = f"select {quoted(name)}.{quoted(key)}::varchar from received where"
        alone = f"{used} not ({KEPT}) except {used} {KEPT}"
        for _, path in files[name]:
            read = f"read_parquet({literal(str(path))}, hive_partitioning = false)"
            rows = f"select row_number() over () as number, {quoted(key)}::varchar as key from {read}"
            found[path] = numbers(connection, f"select number from ({rows}) where key in ({alone})")
    return found


def numbers(connection: Connection, query: str) -> list[int]:
    """The one column of a query."""
    return [int(row[0]) for row in connection.execute(query).fetchall()]


def under_pseudonyms(connection: Connection, query: str, rule: Rule) -> str:
    """A query of mapped rows with each `customer_id` replaced by its pseudonym, if the rule says so."""
    if rule.pseudonyms is None:
        return query
    connection.execute(
        f"create or replace temp table judged as select {_text('customer_id')} as customer_id from ({query})"
    )
    given = rule.pseudonyms(_distinct(connection, "customer_id"))
    frame = pl.DataFrame(
        {"real_id": list(given), "pseudonym": list(given.values())},
        schema=dict.fromkeys(("real_id", "pseudonym"), pl.String),
    )
    _keep(connection, "pseudonyms", frame)
    return (
        f"select mapped.* replace (pseudonyms.pseudonym as customer_id) from ({query}) as mapped "
        f"left join pseudonyms on {_text('mapped.customer_id')} = pseudonyms.real_id"
    )


def _text(column: str) -> str:
    """As staging reads it."""
    name = ".".join(quoted(part) for part in column.split("."))
    return f"nullif(trim(cast({name} as varchar)), '')"


def _distinct(connection: Connection, column: str) -> list[str]:
    rows = connection.execute(f"select distinct {column} from judged where {column} is not null").fetchall()
    return [row[0] for row in rows]


def _keep_list(connection: Connection, table: str, ids: Iterable[str]) -> None:
    _keep(connection, table, pl.DataFrame({"id": list(ids)}, schema={"id": pl.String}))


def _keep(connection: Connection, table: str, frame: pl.DataFrame) -> None:
    connection.register("given", frame)
    connection.execute(f"create or replace temp table {table} as from given")
    connection.unregister("given")
