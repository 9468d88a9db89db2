"""What dbt's incremental models look at: the deliveries that came, changed or went since their tables were built.

Transactions that such a delivery names are judged anew, whatever their day: nothing comes too late. Tables are built
whole where it is not sure that the last ones follow from the same code and source file, and once a week, so that rows
lie by customer again. What becomes of a row is decided in `dbt_project`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from orchestration.intake.deliveries import current_deliveries, read_deliveries, received_by
from orchestration.runs import news
from orchestration.runs.run import Run
from orchestration.warehouse import MissingTable, literal

TABLE: Final = "staging.stg_transactions_classified"
"""Its comment tells what it and the tables of transactions follow from: it goes where the table goes."""
ENTITIES: Final = ("transactions", "exchange_rates", "products")
"""What lines of transactions are made of."""
WHOLE_AFTER: Final = timedelta(days=7)
LARGEST_SHARE: Final = 0.2
"""Of all rows; where more are new, to build whole is cheaper."""
MOST_NAMES: Final = 500
"""Deliveries and files that a command line can hold, however long their names."""


@dataclass(frozen=True)
class Increment:
    """What is told to dbt: deliveries by their arrival, and files of which rows may be gone."""

    deliveries: list[str]
    files: list[str]
    has_new_exchange_rates: bool
    has_new_products: bool


@dataclass(frozen=True)
class Origin:
    """What tables follow from: the rules, when they were last built whole, and deliveries by entity and arrival.

    Of a delivery: its file, revision, number of rows and whether it stands for a file now.
    """

    rules: str
    whole_at: str
    deliveries: dict[str, dict[str, list[Any]]]


@contextmanager
def building(run: Run, *, is_whole: bool) -> Iterator[Increment | None]:
    """What dbt has to look at within the block, none where it builds whole; at its end the next run may build on it.

    Until then no table counts as built. `is_whole` says that all is to be built, whatever happened.
    """
    before, now = _before(run), _now(run)
    _keep(run, None)
    increment = None if before is None or is_whole else since(before, now)
    yield increment
    if not is_whole:
        _keep(run, replace(now, whole_at=before.whole_at) if increment and before else now)


def _before(run: Run) -> Origin | None:
    if run.settings.dbt_target != "duckdb":
        return None
    told = run.warehouse.read(f"select comment from duckdb_tables() where schema_name || '.' || table_name = '{TABLE}'")
    kept = told["comment"].to_list()
    return Origin(**json.loads(kept[0])) if kept and kept[0] else None


def _keep(run: Run, origin: Origin | None) -> None:
    kept = literal(json.dumps(asdict(origin))) if origin else "null"
    with run.warehouse.connect() as connection, suppress(*MissingTable):
        connection.execute(f"comment on table {TABLE} is {kept}")


def _now(run: Run) -> Origin:
    rules = hashlib.sha256(f"{sorted(news.software().items())}".encode())
    for part in (*news.code(), run.source.path.read_bytes()):
        rules.update(hashlib.sha256(part).digest())
    deliveries: dict[str, dict[str, list[Any]]] = {}
    for entity in ENTITIES:
        known = read_deliveries(run.settings.raw_dir / entity, source=run.source.name)
        known = received_by(known, run.known_until)
        current = {one.received_at for one in current_deliveries(known).values()}
        deliveries[entity] = {
            one.received_at: [one.source_file, one.revision, one.row_count, one.received_at in current] for one in known
        }
    return Origin(rules.hexdigest(), run.known_at.isoformat(), deliveries)


def since(before: Origin, now: Origin) -> Increment | None:
    """What came, changed or went in between; none where all has to be built whole."""
    is_old = datetime.fromisoformat(now.whole_at) - datetime.fromisoformat(before.whole_at) >= WHOLE_AFTER
    if before.rules != now.rules or is_old:
        return None
    changed = {name: _changed(before.deliveries[name], now.deliveries[name]) for name in ENTITIES}
    rows = now.deliveries["transactions"]
    new = sorted(changed["transactions"] & set(rows))
    if sum(rows[one][2] for one in new) > LARGEST_SHARE * sum(one[2] for one in rows.values()):
        return None
    kept = before.deliveries["transactions"]
    files = sorted({kept[one][0] for one in changed["transactions"] & set(kept)})
    if len(new) + len(files) > MOST_NAMES:
        return None
    return Increment(new, files, bool(changed["exchange_rates"]), bool(changed["products"]))


def _changed(before: Mapping[str, list[Any]], now: Mapping[str, list[Any]]) -> set[str]:
    return {arrival for arrival in {*before, *now} if before.get(arrival) != now.get(arrival)}
