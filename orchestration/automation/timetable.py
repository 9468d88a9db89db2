"""Which local day has which run: the daily refresh, and the weekly retrain that takes its place.

Every run that a schedule or a sensor starts for a day carries it as a tag, so that no day is run twice, whatever was
restarted in between. What a run does belongs in the assets; when Dagster is asked, in `jobs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorStatus
from dagster._utils.schedules import cron_string_iterator  # the very one that the daemon asks

from orchestration.settings import Settings

DAY_TAG = "clientele/day"
RETRAIN = {"retrain": True}


@dataclass(frozen=True)
class Timetable:
    """When a day's run starts: cron expressions that name one minute of the day, in one time zone."""

    refresh_cron: str
    retrain_cron: str
    zone: ZoneInfo

    @classmethod
    def of(cls, settings: Settings, *, timezone: str) -> "Timetable":
        """The timetable of these settings; `timezone` is the source's, where the settings name none."""
        return cls(settings.refresh_cron, settings.retrain_cron, ZoneInfo(settings.timezone or timezone))

    def day(self, moment: datetime) -> date:
        """The local day of a moment."""
        return moment.astimezone(self.zone).date()

    def retrain_days(self, after: date, until: date) -> list[date]:
        """The days in (after, until] on which the weekly retrain starts."""
        return [self.day(tick) for tick in self._ticks(self.retrain_cron, after + timedelta(days=1), until)]

    def due(self, now: datetime) -> tuple[date, datetime] | None:
        """The last day whose run should have started by now, and when; none where there was none for a year."""
        today = self.day(now)
        for back in range(367):
            day = today - timedelta(days=back)
            for cron in (self.retrain_cron, self.refresh_cron):  # on the day of a retrain, that is the run
                start = next(self._ticks(cron, day, day), None)
                if start is not None:
                    if start <= now:
                        return day, start
                    break
        return None

    def _ticks(self, cron: str, first: date, last: date) -> Iterator[datetime]:
        midnight = datetime.combine(first, time(), self.zone) - timedelta(hours=3)  # also where midnight does not exist
        ticks = cron_string_iterator(midnight.timestamp(), cron, self.zone.key)
        return (tick for tick in takewhile(lambda tick: self.day(tick) <= last, ticks) if self.day(tick) >= first)


def refresh_of(timetable: Timetable, day: date, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """What the daily schedule does on a day: nothing where the day has had its run or has a retrain, which includes it.

    A retrain of an earlier day that nobody ran, with the machine off, is made up for by this run.
    """
    if run := run_of(day, instance):
        return dg.SkipReason(f"{day} has had its run: {run.run_id}.")
    is_weekly_on = "retrain_schedule" not in stopped_schedules(instance)
    last = last_day(instance) or day - timedelta(days=1)
    retrains = timetable.retrain_days(last, day) if is_weekly_on else []
    if day in retrains:
        return dg.SkipReason(f"The retrain of {day} is the run of that day.")
    return request(day, retrain=bool(retrains))


def retrain_of(
    timetable: Timetable, day: date, instance: dg.DagsterInstance, *, now: datetime
) -> dg.RunRequest | dg.SkipReason:
    """What the weekly schedule does on a day: nothing where the day has had its run, or is over by now."""
    if run := run_of(day, instance):
        return dg.SkipReason(f"{day} has had its run: {run.run_id}.")
    due = timetable.due(now)
    if due and due[0] > day and "refresh_schedule" not in stopped_schedules(instance):
        return dg.SkipReason(f"{day} is over: the run of {due[0]} trains instead.")
    return request(day)


def missed(
    timetable: Timetable, instance: dg.DagsterInstance, *, now: datetime, published_at: datetime | None
) -> date | None:
    """The last day that is due and has neither a run nor anything published since it was; none if there is no such.

    A new data folder has missed nothing: its first run is the next one of a schedule, or one by hand.
    """
    due = timetable.due(now)
    if due is None or "refresh_schedule" in stopped_schedules(instance):
        return None
    day, start = due
    is_covered = run_of(day, instance) or (published_at and published_at >= start)
    is_new = published_at is None and last_day(instance) is None
    return None if is_covered or is_new else day


def request(day: date, *, retrain: bool = False) -> dg.RunRequest:
    """The run of a day."""
    return dg.RunRequest(
        run_key=f"{DAY_TAG} {day}", tags={DAY_TAG: day.isoformat()}, run_config=RETRAIN if retrain else {}
    )


def run_of(day: date, instance: dg.DagsterInstance) -> dg.DagsterRun | None:
    """The run that was started for a day, however it ended; a failed one is started again by hand or as a retry."""
    found = instance.get_runs(dg.RunsFilter(tags={DAY_TAG: day.isoformat()}), limit=1)
    return found[0] if found else None


def last_day(instance: dg.DagsterInstance) -> date | None:
    """The latest day that had a run; none where no schedule has started one yet."""
    days = instance.get_run_tags([DAY_TAG])
    return max((date.fromisoformat(day) for _, found in days for day in found), default=None)


def stopped_schedules(instance: dg.DagsterInstance) -> set[str]:
    """The schedules that somebody has switched off in the UI."""
    states = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
    return {state.instigator_name for state in states if state.status == InstigatorStatus.STOPPED}
