"""What Dagster watches between runs: files that arrive, a day without its run, what to tell, what to throw away.

Each sensor asks a function that lives elsewhere; only when to ask, and what was seen last time, is decided here.
"""

import json
from datetime import timedelta

import dagster as dg
from dagster._core.storage.tags import WILL_RETRY_TAG
from dagster._time import get_current_datetime  # the clock that the daemon goes by

from orchestration.automation import alerts, freshness, timetable
from orchestration.automation.arrivals import arrived
from orchestration.automation.timetable import DAY_TAG, Timetable
from orchestration.errors import ClienteleError
from orchestration.intake.source_file import load_source
from orchestration.runs.failures import error_of, is_telling
from orchestration.runs.instance import prune_runs
from orchestration.settings import Settings

GRACE = timedelta(minutes=15)  # after its time, a day's run is the scheduler's to start
MINUTE = 60
AT_WORK = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def sensors(settings: Settings, *, timezone: str, is_told_elsewhere: bool = False) -> list[dg.SensorDefinition]:
    """Every sensor; those of files, of days and of alerts are on where the settings ask for what they serve."""
    return [
        _new_files(settings),
        _missed_day(settings, Timetable.of(settings, timezone=timezone)),
        *_alerts(settings),
        _old_runs(settings),
        *([_published(settings)] if is_told_elsewhere else []),
    ]


def _status(is_on: bool) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if is_on else dg.DefaultSensorStatus.STOPPED


def _new_files(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="new_files_sensor",
        job_name="refresh",
        minimum_interval_seconds=MINUTE,
        default_status=_status(settings.file_sensor),
        description="Starts a refresh when files of the source are new or have changed, and none is still growing.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            found = arrived(load_source(settings.source), settings, now=get_current_datetime())
        except ClienteleError as error:
            return dg.SkipReason(str(error))
        if context.instance.get_runs(dg.RunsFilter(statuses=AT_WORK), limit=1):
            return dg.SkipReason("A run is at work; it may be receiving them.")
        before, seen = context.cursor, found.fingerprint
        context.update_cursor(seen)
        if not found.files:
            return dg.SkipReason("No file is new.")
        if found.growing or seen != before:
            return dg.SkipReason(f"{len(found.files)} files are new; they may still be growing.")
        return dg.RunRequest(run_key=f"files {seen}", tags={"clientele/files": str(len(found.files))})

    return sensor


def _missed_day(settings: Settings, days: Timetable) -> dg.SensorDefinition:
    @dg.sensor(
        name="missed_day_sensor",
        job_name="refresh",
        minimum_interval_seconds=5 * MINUTE,
        default_status=_status(settings.schedules),
        description="Starts the run of a day that the schedules should have started and did not.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = get_current_datetime() - GRACE
        day = timetable.missed(days, context.instance, now=now, published_at=freshness.published_at(settings))
        before = context.cursor
        context.update_cursor(str(day or ""))
        if day is None:
            return dg.SkipReason("No day is missing.")
        if before != str(day):  # the scheduler, just started, may be about to catch up
            return dg.SkipReason(f"{day} has no run yet.")
        return timetable.request(day)

    return sensor


def _published(settings: Settings) -> dg.SensorDefinition:
    @dg.asset_sensor(
        asset_key=dg.AssetKey(["published", "clientele"]),
        name="sync_sensor",
        job_name="sync",
        minimum_interval_seconds=MINUTE,
        default_status=_status(settings.schedules),
        description="Tells every destination what changed, after each publication.",
    )
    def sensor(context: dg.SensorEvaluationContext, event: dg.EventLogEntry) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{context.cursor} {event.run_id}")

    return sensor


def _alerts(settings: Settings) -> list[dg.SensorDefinition]:
    """What the command line sends of its own runs, these send of Dagster's: no run is heard of twice."""
    status = _status(settings.alerts is not None)

    @dg.run_failure_sensor(
        name="failure_alert_sensor", default_status=status, description="Sends an alert for every run that failed."
    )
    def failed(context: dg.RunFailureSensorContext) -> None:
        run = context.instance.get_run_by_id(context.dagster_run.run_id) or context.dagster_run
        if run.tags.get(WILL_RETRY_TAG) == "true":
            return  # if that fails as well, it will be told
        kinds = {
            dg.DagsterEventType.STEP_FAILURE,
            dg.DagsterEventType.RUN_FAILURE,
            dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        }
        entries = context.instance.all_logs(run.run_id, of_type=kinds)
        events = [event for entry in entries if is_telling(event := entry.get_dagster_event())]
        error = error_of(events, describe=lambda _: None, settings=settings)
        alerts.send(alerts.of_failure(error, settings, run_id=run.run_id, day=run.tags.get(DAY_TAG)), settings)

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="warning_alert_sensor",
        default_status=status,
        description="Sends an alert for every warning about a model that a run published.",
    )
    def published(context: dg.RunStatusSensorContext) -> None:
        if context.dagster_run.job_name in ("refresh", "retrain"):
            for alert in alerts.of_model_warnings(settings):
                alerts.send(alert, settings)

    @dg.sensor(
        name="stale_alert_sensor",
        minimum_interval_seconds=10 * MINUTE,
        default_status=status,
        description="Sends an alert when what is published grows older than the source file lets it.",
    )
    def stale(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            found = freshness.ages(settings, load_source(settings.source), now=get_current_datetime())
        except ClienteleError as error:
            return dg.SkipReason(str(error))
        sent = [alert.key for alert in alerts.of_ages(found, settings) if alerts.send(alert, settings)]
        return dg.SkipReason(f"Sent: {json.dumps(sent)}.")

    return [failed, published, stale]


def _old_runs(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="old_runs_sensor",
        minimum_interval_seconds=60 * MINUTE,
        default_status=_status(True),
        description="Deletes runs, their events and logs when they are older than CLIENTELE_KEEP_RUNS_DAYS.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        count = prune_runs(context.instance, settings, now=get_current_datetime(), at_most=50)
        return dg.SkipReason(f"{count} runs were older than {settings.keep_runs_days} days.")

    return sensor
