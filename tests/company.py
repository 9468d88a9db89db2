"""A company whose data lies in a database or behind an API: its source file, its data folder, and a small shop."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import sqlalchemy as sa

from orchestration.assets import raw
from orchestration.assets.landing import fetched_tables
from orchestration.ingest import register
from orchestration.intake.entities import ENTITIES
from orchestration.intake.source_file import load_source
from orchestration.runs.run import run_resource
from orchestration.settings import Settings
from tests.marts import QUIET

ORDERS = {
    "transaction_id": "id",
    "customer_id": "customer",
    "occurred_at": "ordered_at",
    "amount": "amount",
    "updated_at": "updated_at",
}


class Company:
    """A source file with one connection, its data folder, and runs of the assets up to raw."""

    def __init__(
        self, folder: Path, connection: dict[str, Any], url: str | None, entities: dict[str, Any], **more: Any
    ) -> None:
        document = {"name": "shop", "timezone": "UTC", "currency": "EUR", "entities": entities, **more}
        file = folder / "shop.yml"
        file.write_text(json.dumps(document | {"connections": {"erp": connection}}))
        given = {} if url is None else {"erp": url}
        self.settings = Settings(data_dir=folder / "data", source=file, connections=given)

    def refresh(self) -> dict[str, dict[str, Any]]:
        """Fetch and receive; the metadata of every asset."""
        source = load_source(self.settings.source)
        fetched, resources = fetched_tables(source, self.settings)
        with dg.DagsterInstance.ephemeral() as instance:
            try:
                result = dg.materialize(
                    [*fetched, *raw.assets(source)],
                    resources={"run": run_resource(self.settings), **resources},
                    instance=instance,
                    raise_on_error=True,
                    run_config=QUIET,
                )
            finally:
                (run,) = instance.get_runs()
                self.retries = len(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY))
        events = result.get_asset_materialization_events()
        found = [event.step_materialization_data.materialization for event in events]
        return {".".join(one.asset_key.path): {k: v.value for k, v in one.metadata.items()} for one in found}

    def raw(self, entity: str, columns: str) -> list[tuple[Any, ...]]:
        """What raw holds now, superseded rows left out."""
        with duckdb.connect() as connection:
            source = load_source(self.settings.source)
            register(connection, ENTITIES[entity], source=source, settings=self.settings)
            query = f"select {columns} from raw.{entity} where not _is_superseded order by all"
            return connection.execute(query).fetchall()


def seed(url: str) -> sa.Engine:
    """A small shop in a database: orders with times of change, customers without."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                'create table orders (id integer primary key, customer varchar(20), "ordered_at" timestamp, '
                "amount numeric(12, 4), updated_at timestamp)"
            )
        )
        connection.execute(sa.text('create table "Kunden" ("KundenNr" varchar(20) primary key, email text)'))
        connection.execute(
            sa.text(
                "insert into orders values (1, 'ada', '2026-01-01 10:00:00', 10.5, '2026-01-01 10:00:00'), "
                "(2, 'bob', '2026-01-02 11:30:00', 20, '2026-01-02 11:30:00')"
            )
        )
        connection.execute(sa.text("insert into \"Kunden\" values ('ada', 'ada@canary.example'), ('bob', null)"))
    return engine


def of_database(folder: Path, url: str, *, privacy: dict[str, Any] | None = None, **connection: Any) -> Company:
    """The shop's source file: orders by what changed, customers whole."""
    tables = {"orders": {"cursor": "updated_at"}, "customers": {"table": "Kunden"}}
    entities = {
        "transactions": {"files": "landing:erp/orders", "columns": ORDERS},
        "customers": {"files": "landing:erp/customers", "columns": {"customer_id": "KundenNr", "email": "email"}},
    }
    return Company(folder, {"tables": tables, **connection}, url, entities, privacy=privacy or {})
