"""Runs a job in this process, on the instance that the UI shows, and says how it went.

What the user sees of it belongs in `progress` and `summary`; what the job does, in the assets.
"""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from orchestration import preflight
from orchestration.definitions import build_definitions
from orchestration.errors import CheckError, ClienteleError, DamagedError, InputError, InterruptedRunError
from orchestration.settings import Settings

INSTANCE_SETTINGS = Path(__file__).with_name("dagster.yaml")
FOR_PEOPLE: Final = {kind.__name__: kind for kind in (InputError, CheckError, ClienteleError)}
PROCESS_TAG = "clientele/process"
FULL_DISK: Final = re.compile("No space left on device|disk is full|Could not write all bytes")
BROKEN_FILE: Final = re.compile("orrupt|checksum|not a valid DuckDB|Serialization Error|INTERNAL Error|invalidated")

Listener = Callable[[dg.EventLogEntry], None]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its id, and the error that a user can act on if there was one."""

    run_id: str
    error: Exception | None = None


def prepare_instance(settings: Settings) -> Path:
    """Put the shipped instance settings into the data folder's Dagster home and return it."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copy(INSTANCE_SETTINGS, settings.dagster_home / "dagster.yaml")
    return settings.dagster_home


def run_job(name: str, settings: Settings, *, config: dict[str, Any], listener: Listener) -> Outcome:
    """Run a job in this process; `listener` hears every event. The caller holds the writer lock.

    Where the working file turns out to be damaged, the job runs once more, on a new one.

    Raises:
        ClienteleError: the definitions cannot be built.
    """
    outcome = _run_once(name, settings, config=config, listener=listener)
    if isinstance(outcome.error, DamagedError):
        outcome = _run_once(name, settings, config=config, listener=listener)
    return outcome


def _run_once(name: str, settings: Settings, *, config: dict[str, Any], listener: Listener) -> Outcome:
    definitions = build_definitions(settings)
    home = prepare_instance(settings)
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.from_config(str(home)) as instance, _quiet(home / "console.log"):
        _close_dead_runs(instance)
        failures: list[Any] = []
        broken: list[dg.AssetCheckEvaluation] = []

        def hear(entry: dg.EventLogEntry) -> None:
            listener(entry)
            if not entry.is_dagster_event:
                return
            event = entry.get_dagster_event()
            if event.event_type_value == "STEP_FAILURE":
                failures.append(event.step_failure_data.error)
            elif event.event_type_value == "PIPELINE_FAILURE":  # such as of the run's own resource, before any step
                failures.append(event.job_failure_data.error)
            elif event.event_type_value == "ASSET_CHECK_EVALUATION" and not event.asset_check_evaluation_data.passed:
                broken.append(event.asset_check_evaluation_data)

        instance.add_event_listener(run_id, hear)
        try:
            result = definitions.resolve_job_def(name).execute_in_process(
                run_id=run_id,
                instance=instance,
                raise_on_error=False,
                tags={PROCESS_TAG: str(os.getpid())},
                run_config={
                    "resources": {"run": {"config": config}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
            )
        except (OSError, SQLAlchemyError) as error:  # Dagster could not write down what happened
            if not FULL_DISK.search(str(error)):
                raise
            return Outcome(run_id, preflight.full(settings))
    if result.success:
        return Outcome(run_id)
    if broken:
        return Outcome(run_id, _failed_checks(broken, definitions))
    return Outcome(run_id, _error(failures, settings, console=home / "console.log"))


def _failed_checks(broken: list[dg.AssetCheckEvaluation], definitions: dg.Definitions) -> CheckError:
    """Which checks failed on which table, in how many rows, and what to do."""
    graph = definitions.resolve_asset_graph()
    lines = ["Nothing was published; what was published before stays. Failed checks:"]
    for check in broken:
        spec = graph.get_check_spec(check.asset_check_key)
        rows = check.metadata.get("dagster_dbt/failed_row_count")
        count = f", {rows.value} rows" if rows is not None else ""
        table = ".".join(check.asset_key.path)
        lines.append(f"- {check.check_name} on {table}{count}. {spec.description or ''}".rstrip())
    return CheckError("\n".join(lines))


def _error(failures: list[Any], settings: Settings, *, console: Path) -> Exception:
    """The first failure as something a user can act on; anything else is a bug, and says where its traceback is."""
    for failure in failures:
        error = failure
        while error is not None:
            if error.cls_name == "DagsterExecutionInterruptedError":
                return InterruptedRunError(
                    "Interrupted. What was published before stays, and nothing kept is lost; run again when you like."
                )
            if FULL_DISK.search(error.message):
                return preflight.full(settings)
            if error.cls_name in FOR_PEOPLE:
                return FOR_PEOPLE[error.cls_name](error.message.partition(": ")[2].strip())
            if BROKEN_FILE.search(error.message):
                return DamagedError(
                    f"{settings.warehouse_file} is damaged. It holds nothing that is not kept elsewhere: run again "
                    "to build it anew. What was published before stays."
                )
            if error.cls_name == "DagsterDbtCliRuntimeError":
                return ClienteleError(
                    f"A check or a model in dbt failed, and nothing was published. {_dbt_lines(error)}"
                )
            error = error.cause
    return RuntimeError(f"The run failed unexpectedly; see {console}.")


def _dbt_lines(error: Any) -> str:
    lines = [line.strip() for line in error.message.splitlines() if " FAIL " in line or " ERROR " in line]
    return " ".join(lines[:5])


def _close_dead_runs(instance: dg.DagsterInstance) -> None:
    """End runs that a killed command line left open: they would stay started, and hold their slot, for ever."""
    open_runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING]))
    for run in open_runs:
        process = run.tags.get(PROCESS_TAG)
        if process and not Path(f"/proc/{process}").exists():
            instance.report_run_failed(run, message=f"The process {process} that ran it is gone.")


@contextlib.contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """What libraries print goes to a file: standard output is for results."""
    with log.open("w") as file, contextlib.redirect_stdout(file):
        yield
