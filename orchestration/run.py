"""What one run is about: its source, its day, its warehouse, and the lock that makes it the only writer.

The same lock serves the command line and Dagster. What the run does belongs in the assets.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from orchestration.errors import BusyError, InputError
from orchestration.instance import not_tried_again
from orchestration.intake.source_file import Source, load_source
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse


@dataclass(frozen=True)
class Run:
    """One run: everything an asset may ask about it."""

    run_id: str
    settings: Settings
    source: Source
    requested_as_of: date | None
    known_at: datetime
    retrain: bool | None  # none: when the models are due
    warehouse: Warehouse
    is_scratch: bool  # an earlier day than the published one: built aside, does not become current

    def as_of(self) -> date:
        """The day whose end the tables of this run describe; known once `marts.dim_as_of` is built."""
        day: date = self.warehouse.read("select as_of_date from marts.dim_as_of").item()
        return day


@dataclass(frozen=True)
class RunRecord:
    """What is remembered of the last run, for `clientele status`."""

    run_id: str
    process_id: int
    started_at: str
    finished_at: str | None = None
    outcome: str = "running"  # running, published, built aside, not published


RUN_CONFIG = {
    "source": dg.Field(
        dg.Noneable(str), default_value=None, description="Source file to run on; empty: the configured one."
    ),
    "as_of": dg.Field(
        dg.Noneable(str),
        default_value=None,
        description="Day to describe, as YYYY-MM-DD; empty: the last complete day in the data.",
    ),
    "retrain": dg.Field(
        dg.Noneable(bool),
        default_value=None,
        description="Train the models again (true), never (false), or when they are due (empty).",
    ),
}


def run_resource(settings: Settings) -> dg.ResourceDefinition:
    """The resource `run`: takes the lock for as long as the Dagster run lasts, waiting where another run holds it."""

    @dg.resource(config_schema=RUN_CONFIG, description="Source, day and the writer lock of this run.")
    def run(context: dg.InitResourceContext) -> Iterator[Run]:
        config = context.resource_config
        with not_tried_again(context):
            source = load_source(Path(config["source"]).absolute() if config["source"] else settings.source)
            if source.connections and source.path != settings.source:
                raise InputError(
                    f"{source.path.name} has connections: set CLIENTELE_SOURCE to it, so that they are assets."
                )
            as_of = parse_day(config["as_of"]) or source.as_of
        with writer_lock(settings, wait=True):
            is_scratch = as_of is not None and as_of < (published_day(settings) or date.min)
            file = settings.scratch_file if is_scratch else settings.warehouse_file
            record = RunRecord(context.run.run_id if context.run else "", os.getpid(), _now())
            _remember(settings, record)
            this = Run(
                run_id=context.run.run_id if context.run else "",
                settings=settings,
                source=source,
                requested_as_of=as_of,
                known_at=datetime.now(UTC).replace(tzinfo=None),
                retrain=config["retrain"],
                warehouse=Warehouse(file, settings=settings),
                is_scratch=is_scratch,
            )
            try:
                yield this
            finally:
                version = settings.published_dir / "versions" / this.run_id
                published = "built aside" if is_scratch else "published"
                outcome = published if version.is_dir() else "not published"
                _remember(settings, replace(record, finished_at=_now(), outcome=outcome))

    return run


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
        process = holder.read_text() if holder.exists() else "unknown"
        raise BusyError(
            f"Another run holds {settings.data_dir} (process {process}). Nothing was changed; try again later."
        ) from None
    try:
        holder.write_text(str(os.getpid()))
        yield
    finally:
        lock.release()


def parse_day(text: str | None) -> date | None:
    """A day written as YYYY-MM-DD.

    Raises:
        InputError: it is written otherwise.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"as-of date '{text}': write a day as YYYY-MM-DD, such as 2017-10-01.") from None


def published_day(settings: Settings) -> date | None:
    """The as-of date of what is published now; none before the first publication."""
    manifest = settings.published_dir / "current" / "manifest.json"
    return date.fromisoformat(json.loads(manifest.read_text())["as_of_date"]) if manifest.exists() else None


def last_run(settings: Settings) -> RunRecord | None:
    """The record of the last run; one whose process is gone without an end `died`."""
    file = _record_file(settings)
    if not file.exists():
        return None
    record = RunRecord(**json.loads(file.read_text()))
    if record.outcome == "running" and not Path(f"/proc/{record.process_id}").exists():
        return replace(record, outcome="died")
    return record


def _remember(settings: Settings, record: RunRecord) -> None:
    _record_file(settings).write_text(json.dumps(asdict(record)))


def _record_file(settings: Settings) -> Path:
    return settings.data_dir / "last_run.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
