"""Databases and APIs as sources: what is fetched, what is new, and what an error says."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from orchestration.errors import InputError
from tests import postgres
from tests.company import ORDERS, Company, of_database, seed

pytest.importorskip("dlt", reason="the extra for databases is not installed")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shop.db'}"
    elif postgres.BIN is None:
        pytest.skip(postgres.LACK)
    else:
        with postgres.server() as url:
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
def test_a_refused_password_is_told_and_not_repeated(tmp_path: Path) -> None:
    with postgres.server() as url:
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
