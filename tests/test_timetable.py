"""One run per local day: Dagster's own clockwork over leap days, year ends and both changes of the clock."""

from datetime import date, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import InstigatorStatus
from dagster._utils.schedules import schedule_execution_time_iterator
from pydantic import ValidationError

from orchestration.automation.jobs import schedules
from orchestration.automation.timetable import Timetable, missed, request
from orchestration.errors import InputError
from orchestration.settings import Settings
from tests.daemon import Daemon, daemon

DAYS = {  # zone: the days on which its clocks change, forward and back
    "Europe/Berlin": (date(2028, 3, 26), date(2028, 10, 29)),
    "America/New_York": (date(2028, 3, 12), date(2028, 11, 5)),
    "America/Santiago": (date(2028, 9, 3), date(2028, 4, 1)),  # midnight itself does not exist
    "Australia/Lord_Howe": (date(2028, 10, 1), date(2028, 4, 2)),  # by half an hour
    "Africa/Cairo": (date(2028, 4, 28), date(2028, 10, 26)),  # midnight again
    "Pacific/Chatham": (date(2028, 9, 24), date(2028, 4, 2)),  # at a quarter to three
}
SPECIAL = (date(2028, 2, 29), date(2028, 12, 31))
BERLIN = ZoneInfo("Europe/Berlin")


def midnight(day: date, zone: str = "Europe/Berlin") -> datetime:
    return datetime.combine(day, datetime.min.time(), ZoneInfo(zone))


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLIENTELE_TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("CLIENTELE_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize("zone", DAYS)
def test_clocks_change_on_the_days_that_are_tested(zone: str) -> None:
    for day in DAYS[zone]:
        start, end = (midnight(day + timedelta(days=plus), zone) for plus in (0, 1))
        assert start.utcoffset() != end.utcoffset(), day


@pytest.mark.parametrize("cron", ["30 5 * * *", "30 2 * * *", "45 2 * * *", "0 3 * * *", "0 0 * * *", "30 0 * * *"])
@pytest.mark.parametrize("zone", DAYS)
def test_a_cron_of_one_minute_a_day_ticks_once_on_every_local_day(
    zone: str, cron: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour that does not exist, or comes twice, is no reason to refuse it: Dagster keeps it right."""
    monkeypatch.setenv("CLIENTELE_TIMEZONE", zone)
    monkeypatch.setenv("CLIENTELE_REFRESH_CRON", cron)
    schedule, _ = schedules(Settings(), timezone="UTC")
    start, end = midnight(date(2027, 12, 30), zone), midnight(date(2029, 1, 3), zone)
    ticks = schedule_execution_time_iterator(start.timestamp(), schedule.cron_schedule, schedule.execution_timezone)
    days = [tick.astimezone(ZoneInfo(zone)).date() for tick in takewhile(lambda tick: tick < end, ticks)]
    assert days == [date(2027, 12, 30) + timedelta(days=number) for number in range(370)]


def walk(zone: str, day: date, home: Path) -> list[str]:
    """The days that had runs while the daemon was awake from the day before to the day after, the last run first."""
    with daemon(home, now=midnight(day - timedelta(days=1), zone)) as awake:
        awake.until(midnight(day + timedelta(days=2), zone), step=timedelta(hours=3))
        return [day for day, _, _ in awake.runs()]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param(
            zone,
            day,
            marks=[] if (zone, day) in {("America/Santiago", DAYS["America/Santiago"][0])} else pytest.mark.full,
        )
        for zone, days in DAYS.items()
        for day in (*SPECIAL, *days)
    ],
)
def test_the_daemon_runs_every_local_day_once(
    zone: str, day: date, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENTELE_TIMEZONE", zone)
    expected = [(day + timedelta(days=plus)).isoformat() for plus in (-1, 0, 1)]
    assert walk(zone, day, tmp_path / "home") == expected


def test_on_monday_the_retrain_is_the_run_of_the_day(tmp_path: Path) -> None:
    with daemon(tmp_path / "home", now=midnight(date(2028, 2, 27))) as awake:
        awake.until(midnight(date(2028, 3, 1)), step=timedelta(hours=6))
        assert awake.runs() == [
            ("2028-02-27", "refresh", False),
            ("2028-02-28", "retrain", False),
            ("2028-02-29", "refresh", False),
        ]


def test_days_with_the_machine_off_are_made_up_for_by_one_run_which_trains_if_a_monday_was_among_them(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with daemon(home, now=midnight(date(2028, 2, 25))) as awake:
        awake.until(midnight(date(2028, 2, 26)), step=timedelta(hours=6))
    with daemon(home, now=datetime(2028, 3, 1, 12, tzinfo=BERLIN)) as again:
        assert again.runs()[1:] == [("2028-03-01", "refresh", True)]
        again.until(midnight(date(2028, 3, 3)), step=timedelta(hours=6))
        assert again.runs()[2:] == [("2028-03-02", "refresh", False)]


def test_a_morning_with_the_machine_off_is_made_up_for_on_the_same_day(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with daemon(home, now=midnight(date(2028, 2, 27))) as awake:
        awake.until(midnight(date(2028, 2, 28)), step=timedelta(hours=6))
    with daemon(home, now=datetime(2028, 2, 28, 20, tzinfo=BERLIN)) as monday:
        assert monday.runs()[1:] == [("2028-02-28", "retrain", False)]


def test_a_day_is_not_run_twice_when_its_hour_is_changed_and_everything_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with daemon(home, now=midnight(date(2028, 2, 25))) as awake:
        awake.until(datetime(2028, 2, 25, 7, tzinfo=BERLIN), step=timedelta(hours=2))
    monkeypatch.setenv("CLIENTELE_REFRESH_CRON", "0 9 * * *")
    with daemon(home, now=datetime(2028, 2, 25, 8, tzinfo=BERLIN)) as again:
        again.until(datetime(2028, 2, 26, 10, tzinfo=BERLIN), step=timedelta(hours=2))
        assert [day for day, _, _ in again.runs()] == ["2028-02-25", "2028-02-26"]


def off(awake: Daemon, schedule: str) -> None:
    """Switch a schedule off as the UI does, and let the daemon do nothing for it."""
    (state,) = [s for s in awake.instance.all_instigator_state() if s.instigator_name == schedule]
    awake.instance.update_instigator_state(state.with_status(InstigatorStatus.STOPPED))


def test_with_the_weekly_schedule_off_monday_has_its_refresh(tmp_path: Path) -> None:
    with daemon(tmp_path / "home", now=midnight(date(2028, 2, 28))) as awake:
        off(awake, "retrain_schedule")
        awake.until(datetime(2028, 2, 28, 12, tzinfo=BERLIN), step=timedelta(hours=6))
        assert awake.runs() == [("2028-02-28", "refresh", False)]


def test_a_day_that_no_schedule_started_is_missed_until_it_has_a_run_or_a_publication(tmp_path: Path) -> None:
    days = Timetable("30 5 * * *", "30 6 * * 1", BERLIN)
    noon = datetime(2028, 3, 1, 12, tzinfo=BERLIN)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yesterday = noon - timedelta(days=1)
        assert missed(days, instance, now=noon, published_at=None) is None  # a new folder
        assert missed(days, instance, now=noon, published_at=yesterday) == date(2028, 3, 1)
        assert missed(days, instance, now=noon.replace(hour=5), published_at=yesterday) is None
        assert missed(days, instance, now=noon, published_at=noon.replace(hour=6)) is None
        assert missed(days, instance, now=noon.replace(day=6, hour=6), published_at=noon) == date(2028, 3, 5)
        instance.create_run_for_job(dg.job(name="refresh")(lambda: None), tags=dict(request(date(2028, 3, 1)).tags))
        assert missed(days, instance, now=noon, published_at=yesterday) is None


@pytest.mark.parametrize(
    "cron", ["*/5 5 * * *", "0 6,18 * * *", "0 * * * *", "5", "61 5 * * *", "0 24 * * *", "@daily"]
)
def test_a_cron_of_several_minutes_a_day_is_refused(cron: str) -> None:
    with pytest.raises(ValidationError, match="does not name one minute of the day"):
        Settings(refresh_cron=cron)


def test_a_cron_that_dagster_does_not_understand_is_refused() -> None:
    with pytest.raises(InputError, match="CLIENTELE_REFRESH_CRON"):
        schedules(Settings(retrain_cron="30 6 * * someday"), timezone="UTC")


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no IANA time zone"):
        Settings(timezone="Europe/Atlantis")
