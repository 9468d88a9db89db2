"""Dagster's own scheduler and sensor daemon, moved by hand through days that a test chooses: nothing is executed.

The code location holds the project's jobs, schedules and sensors over one small asset; settings come from the
environment, as they do for a real one. Runs stay queued: what a run does is tested elsewhere.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import (
    InProcessTestWorkspaceLoadTarget,
    create_test_daemon_workspace_context,
    freeze_time,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.freshness import FreshnessDaemon
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import launch_scheduled_runs

from orchestration.automation import jobs
from orchestration.automation.freshness_policies import with_policy
from orchestration.automation.sensors import sensors
from orchestration.automation.timetable import DAY_TAG
from orchestration.runs.run import run_resource
from orchestration.settings import Settings

LOG = logging.getLogger("tests.daemon")


@dg.asset(key=["published", "clientele"], required_resource_keys={"run"})
def only() -> None:
    """One asset, for jobs need one."""


@dg.definitions
def definitions() -> dg.Definitions:
    """The project's automation with next to nothing to automate."""
    settings = Settings()
    return dg.Definitions(
        assets=with_policy([only], None),
        jobs=[job for job in jobs.jobs() if job.name in ("refresh", "retrain")],
        schedules=jobs.schedules(settings, timezone="UTC"),
        sensors=sensors(settings, timezone="UTC"),
        resources={"run": run_resource(settings)},
        executor=dg.in_process_executor,
    )


class Daemon:
    """The daemon of one data folder at a moment that only moves forward."""

    def __init__(self, context: WorkspaceProcessContext, now: datetime) -> None:
        self._context = context
        self.now = now
        self.instance = context.instance
        self._iterations: dict[str, Any] = {}  # what a daemon remembers until it is restarted
        self.tick()

    def tick(self) -> None:
        """What the scheduler does at this moment."""
        with freeze_time(self.now.astimezone(UTC)):
            now = self.now.astimezone(UTC)
            errors = [error for error in launch_scheduled_runs(self._context, LOG, now, self._iterations) if error]
        assert errors == []

    def sense(self) -> None:
        """What the sensors do at this moment."""
        with freeze_time(self.now.astimezone(UTC)):
            errors = [error for error in execute_sensor_iteration(self._context, LOG, None, None) if error]
        assert errors == []

    def freshen(self) -> None:
        """What the freshness daemon does at this moment."""
        with freeze_time(self.now.astimezone(UTC)):
            list(FreshnessDaemon().run_iteration(self._context))

    def until(self, end: datetime, *, step: timedelta = timedelta(hours=1)) -> None:
        """Stay awake until a moment, looking at the clock at every step."""
        while self.now < end:
            self.now = (self.now.astimezone(UTC) + step).astimezone(self.now.tzinfo)
            self.tick()

    def asleep_until(self, end: datetime) -> None:
        """Switched off until a moment, and on again."""
        self.now = end
        self.tick()

    def runs(self) -> list[tuple[str, str, bool]]:
        """Every run so far, the first one first: its day, its job, and whether it trains whatever is due or not."""
        found = reversed(self.instance.get_runs())
        return [(run.tags.get(DAY_TAG, ""), run.job_name, bool(run.run_config.get("retrain"))) for run in found]


@contextmanager
def daemon(home: Path, *, now: datetime) -> Iterator[Daemon]:
    """The daemon over an instance in `home`, which may be there already: then it was restarted."""
    origin = LoadableTargetOrigin(module_name="tests.daemon", attribute="definitions")
    target = InProcessTestWorkspaceLoadTarget([InProcessCodeLocationOrigin(origin, location_name="clientele")])
    home.mkdir(exist_ok=True, parents=True)
    with (
        dg.DagsterInstance.local_temp(str(home), overrides={"telemetry": {"enabled": False}}) as instance,
        create_test_daemon_workspace_context(target, instance) as context,
    ):
        yield Daemon(context, now)
