"""Databases and APIs as sources: what is fetched, what is new, and what an error says."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import sqlalchemy as sa

from orchestration.assets import landing as assets_landing
from orchestration.assets import raw
from orchestration.assets.landing import fetched_tables
from orchestration.errors import InputError
from orchestration.ingest import register
from orchestration.intake import landing
from orchestration.intake.entities import ENTITIES
from orchestration.intake.source_file import load_source
from orchestration.run import run_resource
from orchestration.settings import Settings
from tests import postgres
from tests.marts import QUIET

pytest.importorskip("dlt", reason="the extra for databases is not installed")

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


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database."""
    folder = tmp_path_factory.mktemp("database")
    if request.param == "sqlite":
        yield f"sqlite:///{folder / 'shop.db'}"
    elif postgres.BIN is None:
        pytest.skip(postgres.LACK)
    else:
        with postgres.server(folder) as url:
            yield url


def test_a_database_is_fetched_once_and_then_what_changed(tmp_path: Path, database: str) -> None:
    engine, shop = seed(database), of_database(tmp_path, database)
    first = shop.refresh()
    assert first["landing.erp_orders"]["dagster/row_count"] == 2
    assert first["raw.transactions"]["new_row_count"] == 2
    columns = "transaction_id::varchar, occurred_at::varchar, amount::decimal(18, 4)::varchar"
    assert shop.raw("transactions", columns) == [
        ("1", "2026-01-01 10:00:00", "10.5000"),
        ("2", "2026-01-02 11:30:00", "20.0000"),
    ]

    again = shop.refresh()
    assert again["raw.transactions"]["new_row_count"] == 0
    assert again["raw.customers"]["unchanged_file_count"] == 1

    with engine.begin() as connection:
        connection.execute(sa.text("update orders set amount = 99, updated_at = '2026-02-01 09:00:00' where id = 1"))
        connection.execute(sa.text("insert into orders values (3, 'ada', '2026-02-02', 5, '2026-02-02')"))
        connection.execute(sa.text('delete from "Kunden" where "KundenNr" = \'bob\''))
    later = shop.refresh()
    assert later["raw.transactions"]["new_row_count"] == 2  # the cost of a day is that day's rows
    assert later["raw.customers"]["new_row_count"] == 1  # the whole table replaces what it was
    assert shop.raw("customers", "customer_id") == [("ada",)]
    assert [row[0] for row in shop.raw("transactions", "transaction_id")] == [1, 1, 2, 3]
    engine.dispose()


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets_landing, "PAUSES", (0.2, 0.4))


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("is_let_go", [True, False])
def test_a_locked_database_is_waited_for_and_not_for_ever(
    tmp_path: Path, is_let_go: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    seed(url).dispose()
    shop = of_database(tmp_path, f"{url}?timeout=0.1")
    with sqlite3.connect(tmp_path / "shop.db", check_same_thread=False) as holder:
        holder.execute("begin exclusive")
        if is_let_go:
            may_pass = landing.may_pass
            monkeypatch.setattr(landing, "may_pass", lambda error: (holder.rollback(), may_pass(error))[1])
            assert shop.refresh()["raw.transactions"]["new_row_count"] == 2
            assert shop.retries == 1
        else:
            with pytest.raises(InputError, match="database is locked"):
                shop.refresh()
            assert shop.retries == 2


@pytest.mark.usefixtures("no_pauses")
def test_a_table_that_is_not_there_is_asked_for_once(tmp_path: Path) -> None:
    shop = of_database(tmp_path, f"sqlite:///{tmp_path / 'shop.db'}")
    with pytest.raises(InputError, match=r"connections\.erp"):
        shop.refresh()
    assert shop.retries == 0


@pytest.mark.parametrize(
    ("said", "is_passing"),
    [
        ('connection to server at "db", port 5432 failed: Connection refused', True),
        ("FATAL: the database system is starting up", True),
        ("(1040, 'Too many connections')", True),
        ('FATAL: password authentication failed for user "shop"', False),
        ('relation "orders" does not exist', False),
        ("permission denied for table orders", False),
    ],
)
def test_trouble_that_passes_is_told_from_trouble_that_stays(said: str, is_passing: bool) -> None:
    error = ValueError("dlt's own")
    error.__cause__ = RuntimeError(said)
    assert landing.may_pass(error) == is_passing
    assert landing.may_pass(ConnectionResetError())


def test_what_identifies_a_person_stays_in_the_vault(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    seed(url).dispose()
    shop = of_database(tmp_path, url)
    shop.refresh()
    holding = {file for file in shop.settings.data_dir.rglob("*") if file.is_file() and b"canary" in file.read_bytes()}
    assert holding
    assert {file.relative_to(shop.settings.data_dir).parts[0] for file in holding} == {"vault"}
    assert shop.settings.vault_dir.stat().st_mode & 0o077 == 0
    open_shop = of_database(tmp_path, url, privacy={"publishable": ["customers.email"]})
    open_shop.refresh()
    assert open_shop.raw("customers", "customer_id, email") == [("ada", "ada@canary.example"), ("bob", None)]


def test_an_api_is_fetched_with_its_secret_and_then_what_is_new(tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    class Helpdesk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization")))
            since = self.path.rpartition("since=")[2][:10]
            rows = [
                {"id": day, "who": {"no": "ada"}, "stars": day % 5, "at": f"2026-01-0{day}T08:00:00Z"}
                for day in (1, 2, 3, *([4] if len(asked) > 1 else []))
                if f"2026-01-0{day}" > since or since < "2026"
            ]
            body = json.dumps({"items": rows}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Not to the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Helpdesk)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = {
        "path": "tickets",
        "data_selector": "items",
        "paginator": "single_page",
        "params": {"since": "{incremental.start_value}"},
        "incremental": {"cursor_path": "at", "initial_value": "2025-01-01"},
    }
    api = {"base_url": f"http://127.0.0.1:{server.server_port}/", "auth": {"type": "bearer"}}
    columns = {"feedback_id": "id", "customer_id": "who ->> 'no'", "created_at": "at", "rating": "stars"}
    shop = Company(
        tmp_path,
        {"api": api, "tables": {"tickets": {"endpoint": endpoint}}},
        "open-sesame",
        {"feedback": {"files": "landing:erp/tickets", "columns": columns}},
    )
    try:
        assert shop.refresh()["raw.feedback"]["new_row_count"] == 3
        assert shop.refresh()["raw.feedback"]["new_row_count"] == 1
    finally:
        server.shutdown()
        server.server_close()
    assert [secret for _, secret in asked] == ["Bearer open-sesame"] * 2
    assert shop.raw("feedback", "feedback_id, customer_id") == [(day, "ada") for day in (1, 2, 3, 4)]
    kept = [file for file in shop.settings.data_dir.rglob("*") if file.is_file()]
    assert [file for file in kept if b"sesame" in file.read_bytes()] == []


@pytest.mark.skipif(postgres.BIN is None, reason=postgres.LACK)
def test_a_refused_password_is_told_and_not_repeated(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with postgres.server(tmp_path_factory.mktemp("database")) as url:
        seed(url).dispose()
        shop = of_database(tmp_path, url.replace("sesame", "sessame"))
        with pytest.raises(InputError, match=r"connections\.erp: .*password authentication failed") as raised:
            shop.refresh()
        assert "sessame" not in str(raised.value)
        unknown = of_database(tmp_path, url, schema="warehouse")
        with pytest.raises(InputError, match=r"connections\.erp: .*orders"):
            unknown.refresh()


@pytest.mark.parametrize(
    ("connection", "files", "url", "words"),
    [
        ({"tables": {"orders": None}}, "landing:erp/order", "sqlite://", "did you mean 'landing:erp/orders'"),
        ({"tables": {"orders": None}}, "landing:erp/orders", None, "set CLIENTELE_CONNECTIONS__ERP"),
        ({"tables": {"orders": None}, "url": "x"}, "landing:erp/orders", "sqlite://", "connections.*url: unknown key"),
        ({"tables": {"orders": {"endpoint": {}}}}, "landing:erp/orders", "sqlite://", "is for an API"),
        (
            {
                "api": {"base_url": "x", "auth": {"type": "bearer", "token": "y"}},
                "tables": {"orders": {"endpoint": {}}},
            },
            "landing:erp/orders",
            "z",
            "a secret does not belong in a source file",
        ),
    ],
)
def test_a_connection_that_cannot_work_is_told_before_anything_is_fetched(
    tmp_path: Path, connection: dict[str, Any], files: str, url: str | None, words: str
) -> None:
    shop = Company(tmp_path, connection, url, {"transactions": {"files": files, "columns": ORDERS}})
    with pytest.raises(InputError, match=words):
        shop.refresh()
    assert not shop.settings.data_dir.exists()
