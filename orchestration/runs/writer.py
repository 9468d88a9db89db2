"""The one writer of a data folder: its lock, and the record of the run that wrote last.

The same lock serves the command line and Dagster. Nothing here loads Dagster: `clientele status` answers at once.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from orchestration.errors import BusyError
from orchestration.settings import Settings


@dataclass(frozen=True)
class RunRecord:
    """What is remembered of the last run, for `clientele status`."""

    run_id: str
    process_id: int
    started_at: str
    finished_at: str | None = None
    outcome: str = "running"  # running, published, built aside, not published
    state: str | None = None  # what a published run left behind, as `news` sees it


FINISHED = ("published", "built aside")


@contextmanager
def writer_lock(settings: Settings, *, wait: bool) -> Iterator[None]:
    """Hold the one writer lock of a data folder; the same process may take it again.

    Raises:
        BusyError: another process holds it and `wait` is false.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    holder = settings.data_dir / "writer.pid"
    lock = FileLock(settings.data_dir / "writer.lock", is_singleton=True, thread_local=False)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        process = _living(holder)
        raise BusyError(
            f"Another run holds {settings.data_dir} (process {process}). Nothing was changed; try again later."
        ) from None
    try:
        holder.write_text(str(os.getpid()))
        yield
    finally:
        lock.release()


def _living(holder: Path) -> str:
    """The process that holds the lock; for an instant after it took it, the file still names the one before."""
    for _ in range(20):
        process = holder.read_text() if holder.exists() else ""
        if process and Path(f"/proc/{process}").exists():
            return process
        time.sleep(0.05)
    return process or "unknown"


def last_run(settings: Settings) -> RunRecord | None:
    """The record of the last run; one whose process is gone without an end `died`."""
    file = _record_file(settings)
    try:
        record = RunRecord(**json.loads(file.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    if record.outcome == "running" and not Path(f"/proc/{record.process_id}").exists():
        return replace(record, outcome="died")
    return record


def remember(settings: Settings, record: RunRecord) -> None:
    """Replace the record."""
    file = _record_file(settings)
    aside = file.with_name(f".{file.name}")
    aside.write_text(json.dumps(asdict(record)))
    aside.replace(file)


def _record_file(settings: Settings) -> Path:
    return settings.data_dir / "last_run.json"


def moment_now() -> str:
    """This moment in UTC, to the second, as records write it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
