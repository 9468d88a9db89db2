"""A source of one entity in a folder of its own, for tests of what ingest makes of files."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingest import ingest, register
from orchestration.intake.entities import ENTITIES
from orchestration.intake.loads import Load
from orchestration.intake.source_file import Source, load_source
from orchestration.settings import Settings

ENTITY = ENTITIES["transactions"]
COLUMNS = {"transaction_id": "id", "occurred_at": "date", "amount": "amount", "product_id": "product"}
HEADER = "id,date,amount,product"


class Inbox:
    """Files below `in/`, a source file that maps them, and what raw holds of them."""

    def __init__(
        self, folder: Path, *, files: str = "in/*", columns: dict[str, str] | None = None, **more: object
    ) -> None:
        self.inbox = folder / "in"
        self.inbox.mkdir(exist_ok=True)
        self.settings = Settings(data_dir=folder / "data", source=folder / "shop.yml")
        self.columns = columns or COLUMNS
        self.write([{"files": files, "columns": self.columns, **more}])

    def write(self, parts: list[dict[str, Any]]) -> None:
        """Write the source file."""
        document = {"name": "shop", "timezone": "UTC", "currency": "EUR", "entities": {"transactions": parts}}
        self.settings.source.write_text(json.dumps(document))

    @property
    def source(self) -> Source:
        """The source file as read."""
        return load_source(self.settings.source)

    def put(self, content: str | bytes, name: str = "a.csv") -> Path:
        """Put a file into the inbox."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def ingest(self) -> list[Load]:
        """Bring raw up to date."""
        return ingest(ENTITY, source=self.source, settings=self.settings)

    def raw(
        self,
        columns: str = "transaction_id, occurred_at, amount, product_id, _row_number, _defect",
        *,
        known_at: datetime | None = None,
    ) -> list[Any]:
        """The rows received, by then if a moment is given, and not superseded, by file and row."""
        with duckdb.connect() as connection:
            register(connection, ENTITY, source=self.source, settings=self.settings, known_at=known_at)
            query = (
                f"select {columns} from raw.transactions where not _is_superseded order by _source_file, _row_number"
            )
            return connection.execute(query).fetchall()
