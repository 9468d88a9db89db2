"""Dagster's event log in SQLite with its files kept open, so that an event costs two milliseconds and not twenty-five.

Dagster's own makes an engine and a connection for every statement: each statement is compiled again, and each close
writes the log of changes back into the file and waits for the disk. A run of ours has some thousand events; that was a
third of its time.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

OPEN_RUNS: Final = 1
"""Files of runs that stay open beside the index of all runs: that of the run which was touched last."""


class SteadyEventLogStorage(SqliteEventLogStorage):
    """The same files and rows as `SqliteEventLogStorage`, which may take over at any time and the other way round."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "SteadyEventLogStorage":
        """What Dagster calls with `config` of `dagster.yaml`."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection
            if shard != INDEX_SHARD_NAME:
                os.utime(self.path_for_shard(shard))  # the UI follows a run by the changes of this very file

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.pop(shard, None) or self._new_engine(shard)
        runs = [name for name in self._engines if name != INDEX_SHARD_NAME]
        if shard != INDEX_SHARD_NAME and len(runs) >= OPEN_RUNS:
            self._engines.pop(runs[0]).dispose()
        self._engines[shard] = engine
        return engine

    def _new_engine(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},  # `_db_lock` guards it
        )
        event.listen(engine, "connect", _sync_at_checkpoints)
        return engine

    def has_table(self, table_name: str) -> bool:
        """Whether the index has the table; asked once, where Dagster asks at every check."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def delete_events(self, run_id: str) -> None:
        """Delete the events of a run, and close its file: what SQLite keeps beside it goes with that."""
        super().delete_events(run_id)
        with self._db_lock:
            if engine := self._engines.pop(run_id, None):
                engine.dispose()

    def dispose(self) -> None:
        """Close what is open."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _sync_at_checkpoints(connection: Any, _record: Any) -> None:
    """A power cut may take the last events, never the file; what is published is synced by itself."""
    connection.execute("pragma synchronous = normal")
