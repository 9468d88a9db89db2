"""What one run is about: its source, its day, its warehouse, held by the one writer of the data folder.

The lock and the record of the last run belong in `writer`; what the run does, in the assets.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import dagster as dg

from orchestration.engines.spark import open_warehouse
from orchestration.errors import InputError
from orchestration.intake.source_file import Source, load_source
from orchestration.publishing.generations import current, read_manifest, versions_dir
from orchestration.runs import news, preflight
from orchestration.runs.instance import not_tried_again
from orchestration.runs.writer import FINISHED, RunRecord, last_run, moment_now, remember, writer_lock
from orchestration.settings import Settings
from orchestration.storage import kept_files
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
    is_scratch: bool  # an earlier day or moment than the published one: built aside, does not become current
    known_until: datetime | None = None  # what was received later takes no part
    is_backfill: bool = False  # the day goes into the history even if it was built aside
    before: RunRecord | None = None  # the run before a plain one from the files to the published version

    @cached_property
    def as_of(self) -> date:
        """The day whose end the tables of this run describe; known once `marts.dim_as_of` is built."""
        day: date = self.warehouse.read("select as_of_date from marts.dim_as_of").item()
        return day


FOUNDATION = (("raw", "source_settings"), ("raw", "transactions"), ("published", "clientele"))
"""What a run from the files on makes, whatever else: steps bear the names of their assets."""

RUN_CONFIG: Final = {
    "source": dg.Field(
        dg.Noneable(str),
        default_value=None,
        description="Source file to run on, such as sources/online_retail.yml; empty: that of CLIENTELE_SOURCE.",
    ),
    "as_of": dg.Field(
        dg.Noneable(str),
        default_value=None,
        description="Day whose end the tables describe, as YYYY-MM-DD; empty: the last complete day in the data. A day "
        "before the published one is built aside, and BI goes on reading what it reads.",
    ),
    "known_at": dg.Field(
        dg.Noneable(str),
        default_value=None,
        description="What was received later takes no part, as YYYY-MM-DDTHH:MM:SS in UTC; empty: everything does.",
    ),
    "retrain": dg.Field(
        dg.Noneable(bool),
        default_value=None,
        description="Whether models are trained: true, always; false, never; empty, those that are due.",
    ),
    "is_backfill": dg.Field(
        bool,
        default_value=False,
        description="Whether the day goes into the history, marked as back-filled, unless it was really published.",
    ),
}
"""What a run can be asked for; the launchpad shows these fields with their descriptions."""


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
            known_until = parse_moment(config["known_at"])
        run_id = context.run.run_id if context.run else ""
        is_whole = _is_whole(context.run) and known_until is None and not config["is_backfill"]
        state = partial(news.state, source=source, requested_as_of=as_of, settings=settings) if is_whole else None
        with writer_lock(settings, wait=True), _recorded(settings, run_id, state) as last:
            with not_tried_again(context):
                _look_first(settings)
            published = current(settings)
            is_earlier = as_of is not None and published is not None and as_of < published.as_of
            is_scratch = is_earlier or (published is not None and known_until is not None)
            file = settings.scratch_file if is_scratch else settings.warehouse_file
            warehouse = open_warehouse(file, settings=settings)
            if starts_anew(last, context.run):
                warehouse.discard()
            else:
                warehouse.discard_if_broken()
            with warehouse.kept_open():
                yield Run(
                    run_id=run_id,
                    settings=settings,
                    source=source,
                    requested_as_of=as_of,
                    known_at=known_until or datetime.now(UTC).replace(tzinfo=None),
                    known_until=known_until,
                    retrain=config["retrain"],
                    warehouse=warehouse,
                    is_scratch=is_scratch,
                    is_backfill=config["is_backfill"],
                    before=last if is_whole and not config["retrain"] else None,
                )

    return run


def _look_first(settings: Settings) -> None:
    """What must hold before anything is written: room, permission, and kept files that are what was kept.

    A model file is not among them: one that broke is trained anew.
    """
    preflight.check(settings)
    kept_files.verify(
        (settings.raw_dir, settings.vault_dir, settings.history_dir),
        without=(settings.landing_dir, *(settings.history_dir / "models").glob("*/model.skops")),
    )


@contextmanager
def _recorded(settings: Settings, run_id: str, state: Callable[[], str | None] | None) -> Iterator[RunRecord | None]:
    """Keep the record of a run from begin to end, with the state that it leaves; gives that of the run before."""
    last, record = last_run(settings), RunRecord(run_id, os.getpid(), moment_now())
    remember(settings, record)
    try:
        yield last
    finally:
        built = read_manifest(versions_dir(settings) / run_id) or {}
        outcome = ("built aside" if built["is_scratch"] else "published") if built else "not published"
        left = state() if state and outcome == "published" else None
        with suppress(OSError):  # a full disk: the record then says that the run died
            remember(settings, replace(record, finished_at=moment_now(), outcome=outcome, state=left))


def _is_whole(run: dg.DagsterRun | None) -> bool:
    """Whether a run goes from the files to the published version, with nothing left out, and repeats no other run."""
    if run is None or run.asset_selection or run.parent_run_id is not None:
        return False
    return run.job_name in ("refresh", "retrain")


def starts_anew(last: RunRecord | None, run: dg.DagsterRun | None) -> bool:
    """Whether a run from the files on begins after one that did not end: what that one left is thrown away.

    A part of the graph, or the rest of a failed run, builds on what is there.
    """
    if run is None or last is None or last.outcome in FINISHED:
        return False
    if run.step_keys_to_execute is not None:
        return {"__".join(key) for key in FOUNDATION} <= set(run.step_keys_to_execute)
    return not run.asset_selection or {dg.AssetKey(key) for key in FOUNDATION} <= set(run.asset_selection)


def parse_day(text: str | None) -> date | None:
    """A day written as YYYY-MM-DD, if there is one.

    Raises:
        InputError: it is written otherwise.
    """
    return required_day(text) if text else None


def required_day(text: str) -> date:
    """A day written as YYYY-MM-DD.

    Raises:
        InputError: it is written otherwise.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"as-of date '{text}': write a day as YYYY-MM-DD, such as 2017-10-01.") from None


def parse_moment(text: str | None) -> datetime | None:
    """A moment in ISO 8601, if there is one, in UTC.

    Raises:
        InputError: it is written otherwise.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"known-at '{text}': write a moment such as 2017-10-02T06:00:00, in UTC.") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
