"""Runs a job in this process, on the instance that the UI shows, and says how it went.

What the user sees of it belongs in `progress` and `summary`; what the job does, in the assets.
"""

import contextlib
import io
import logging
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from orchestration.definitions import build_definitions
from orchestration.errors import DamagedError
from orchestration.runs import preflight
from orchestration.runs.failures import error_of, is_of_full_disk, is_telling
from orchestration.runs.instance import PROCESS_TAG, close_dead_runs, prepare_instance, process_name, prune_runs
from orchestration.settings import Settings

Listener = Callable[[dg.EventLogEntry], None]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its id, and the error that a user can act on if there was one."""

    run_id: str
    error: Exception | None = None


def run_job(name: str, settings: Settings, *, config: dict[str, Any], listener: Listener) -> Outcome:
    """Run a job in this process; `listener` hears every event. The caller holds the writer lock.

    Where the working file turns out to be damaged, the job runs once more, on a new one.

    Raises:
        ClienteleError: the definitions cannot be built, or the disk is full before the run begins.
    """
    try:
        outcome = _run_once(name, settings, config=config, listener=listener)
        if isinstance(outcome.error, DamagedError):
            outcome = _run_once(name, settings, config=config, listener=listener)
    except (OSError, SQLAlchemyError) as error:  # before there was a run that could be told of
        if not is_of_full_disk(str(error), settings):
            raise
        raise preflight.full(settings) from error
    return outcome


def _run_once(name: str, settings: Settings, *, config: dict[str, Any], listener: Listener) -> Outcome:
    definitions = dg.Definitions.merge(build_definitions(settings), dg.Definitions(loggers={"console": SILENT}))
    home = prepare_instance(settings)
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.from_config(str(home)) as instance, _quiet(home / "console.log"):
        close_dead_runs(instance)
        prune_runs(instance, settings, now=datetime.now(UTC))
        told: list[dg.DagsterEvent] = []

        def hear(entry: dg.EventLogEntry) -> None:
            listener(entry)
            if entry.is_dagster_event and is_telling(event := entry.get_dagster_event()):
                told.append(event)

        instance.add_event_listener(run_id, hear)
        try:
            result = definitions.resolve_job_def(name).execute_in_process(
                run_id=run_id,
                instance=instance,
                raise_on_error=False,
                tags={PROCESS_TAG: process_name(os.getpid()) or ""},
                run_config=config,
            )
        except (OSError, SQLAlchemyError) as error:  # Dagster could not write down what happened
            if not is_of_full_disk(str(error), settings):
                raise
            return Outcome(run_id, preflight.full(settings))
    if result.success:
        return Outcome(run_id)
    graph = definitions.resolve_asset_graph()
    return Outcome(
        run_id, error_of(told, describe=lambda key: graph.get_check_spec(key).description, settings=settings)
    )


def _silent(_context: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("clientele", level=logging.CRITICAL)
    logger.addHandler(logging.NullHandler())
    return logger


SILENT = dg.LoggerDefinition(_silent, description="Writes no event to the console: a listener shows what there is.")


class _ConsoleLog(io.TextIOBase):
    """What libraries print, in a file, as long as there is room: a full disk is told once, by the run's own error."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write what can be written."""
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Bring it to the file, if there is room."""
        with contextlib.suppress(OSError):
            self._file.flush()


@contextlib.contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """What libraries print goes to a file: standard output is for results, standard error for what we have to say."""
    file = log.open("w")
    console = _ConsoleLog(file)
    try:
        with contextlib.redirect_stdout(console), contextlib.redirect_stderr(console):
            yield
    finally:
        with contextlib.suppress(OSError):
            file.close()
