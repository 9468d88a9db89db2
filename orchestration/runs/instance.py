"""The Dagster instance of a data folder: its settings, runs that died without saying so, and what is thrown away.

What runs when belongs in `automation.jobs`; running a job in this process, in `runner`.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.storage.tags import GRPC_INFO_TAG, MAX_RETRIES_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from orchestration.errors import ClienteleError, InputError
from orchestration.settings import Settings

INSTANCE_SETTINGS: Final = Path(__file__).with_name("dagster.yaml")
PROCESS_TAG: Final = "clientele/process"
OPEN: Final = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]
SQLITE: Final = """
event_log_storage:
  module: orchestration.runs.event_log
  class: SteadyEventLogStorage
  config:
    base_dir: {folder}
"""
POSTGRES: Final = """
storage:
  postgres:
    postgres_url:
      env: CLIENTELE_DAGSTER_POSTGRES_URL
"""


def prepare_instance(settings: Settings) -> Path:
    """Put the shipped instance settings into the data folder's Dagster home and return it.

    Raises:
        InputError: PostgreSQL is asked for, and its extra is not installed or its URL names no driver.
    """
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = INSTANCE_SETTINGS.read_text(encoding="utf-8")
    if settings.dagster_postgres_url is not None:
        if find_spec("dagster_postgres") is None:
            raise InputError(
                "CLIENTELE_DAGSTER_POSTGRES_URL needs the extra for PostgreSQL: `make postgres` installs it."
            )
        if not settings.dagster_postgres_url.get_secret_value().startswith("postgresql+psycopg2://"):
            raise InputError(
                "CLIENTELE_DAGSTER_POSTGRES_URL: write it as postgresql+psycopg2://user:password@host/database."
            )
        written += POSTGRES  # the URL itself stays in the environment
    else:
        written += SQLITE.format(folder=json.dumps(str(home.absolute() / "history" / "runs")))
    aside = home / f".dagster.yaml.{os.getpid()}"
    aside.write_text(written, encoding="utf-8")
    aside.replace(home / "dagster.yaml")
    return home


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """End the runs whose process is gone, after a kill or a power cut: they would hold their slot for ever.

    Returns their ids. What was published stays; the daemon starts the run of a day once more.
    """
    dead = [run for run in instance.get_runs(dg.RunsFilter(statuses=OPEN)) if not is_alive(run)]
    for run in dead:
        instance.report_run_failed(run, message="The process that ran it is gone; nothing was published by it.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in dead]


def is_alive(run: dg.DagsterRun) -> bool:
    """Whether the process behind an open run is there: the command line's own, or a code server that executes it."""
    if name := run.tags.get(PROCESS_TAG):
        return name == process_name(int(name.partition(" ")[0]))
    if GRPC_INFO_TAG not in run.tags:
        return True  # not started yet, or by somebody else: run monitoring ends it when its time is over
    place = json.loads(run.tags[GRPC_INFO_TAG])
    client = DagsterGrpcClient(host=place.get("host"), port=place.get("port"), socket=place.get("socket"))
    try:
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=5)
    except DagsterUserCodeUnreachableError:
        return False
    return deserialize_value(answer, CanCancelExecutionResult).can_cancel


@contextmanager
def not_tried_again(context: dg.InitResourceContext) -> Iterator[None]:
    """Mark a run that ends here by what it was given: to the daemon it would look like one whose process died."""
    try:
        yield
    except ClienteleError:
        if context.instance and context.run:
            context.instance.add_run_tags(context.run.run_id, {MAX_RETRIES_TAG: "0"})
        raise


def process_name(process: int) -> str | None:
    """A name that no process after it bears: its id, and when it started; none where there is no such process."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return f"{process} since {fields[19]}"


def prune_runs(instance: dg.DagsterInstance, settings: Settings, *, now: datetime, at_most: int = 200) -> int:
    """Delete runs, their events and their logs once older than the settings keep them; returns how many.

    The last success of each job stays, however old, so that every table still says when and how it was made.
    """
    before = now - timedelta(days=settings.keep_runs_days)
    finished = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    old = instance.get_runs(dg.RunsFilter(statuses=finished, created_before=before), limit=at_most, ascending=True)
    kept = {_last_success(instance, job) for job in {run.job_name for run in old}}
    gone = [run.run_id for run in old if run.run_id not in kept]
    for run_id in gone:
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
        (settings.dagster_home / "history" / "runs" / f"{run_id}.db").unlink(missing_ok=True)  # SQLite's, now empty
    return len(gone)


def _last_success(instance: dg.DagsterInstance, job: str) -> str | None:
    filters = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
    found = instance.get_runs(filters, limit=1)
    return found[0].run_id if found else None
