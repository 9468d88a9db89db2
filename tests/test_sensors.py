"""What Dagster's sensor daemon makes of files that arrive, of days without a run, and of runs that failed."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.storage.tags import WILL_RETRY_TAG

from orchestration.automation import alerts
from orchestration.automation.arrivals import arrived
from orchestration.automation.sensors import sensors
from orchestration.settings import Settings
from tests.daemon import Daemon, daemon
from tests.inbox import HEADER, Inbox
from tests.receiver import receiver

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2028, 3, 1, 12, tzinfo=BERLIN)
ROW = "1,2026-01-01,5,apple"


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """A source of one wildcard over an empty folder, which is the daemon's as well."""
    found = Inbox(tmp_path)
    given = {"SOURCE": found.settings.source, "DATA_DIR": found.settings.data_dir, "TIMEZONE": "Europe/Berlin"}
    for name, value in (given | {"FILE_SENSOR": "true"}).items():
        monkeypatch.setenv(f"CLIENTELE_{name}", str(value))
    return found


def age(path: Path, seconds: float) -> None:
    """Let a file look as if it had last been written so long ago; its status time cannot be set."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def in_minutes(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def test_a_file_has_arrived_until_a_run_has_received_it(inbox: Inbox) -> None:
    assert arrived(inbox.source, inbox.settings, now=in_minutes(5)).files == ()
    path = inbox.put(f"{HEADER}\n{ROW}\n")
    age(path, 60)
    time.sleep(2.1)  # only a file that was quiet for two seconds has a hash that is remembered
    assert arrived(inbox.source, inbox.settings, now=in_minutes(5)).files == (path,)
    inbox.ingest()
    assert arrived(inbox.source, inbox.settings, now=in_minutes(5)).files == ()
    inbox.put(f"{HEADER}\n{ROW}\n2,2026-01-02,7,pear\n")
    assert arrived(inbox.source, inbox.settings, now=in_minutes(5)).files == (path,)


def test_a_file_that_has_just_changed_may_still_be_growing(inbox: Inbox) -> None:
    path = inbox.put(f"{HEADER}\n")
    first = arrived(inbox.source, inbox.settings, now=in_minutes(0))
    assert (first.files, first.growing) == ((path,), (path,))
    with path.open("a") as file:
        file.write(ROW)
    later = arrived(inbox.source, inbox.settings, now=in_minutes(5))
    assert (later.files, later.growing) == ((path,), ())
    assert later.fingerprint != first.fingerprint


def test_wildcards_lookups_and_folders_are_watched_and_other_files_are_not(inbox: Inbox) -> None:
    lookup = {"files": "prices/**/*.csv", "key": "id", "by": "product"}
    inbox.write([{"files": "in/*.csv", "columns": inbox.columns, "lookups": {"prices": lookup}}])
    wanted = [inbox.put("x", "new.csv"), inbox.put("x", "../prices/2026/a.csv").resolve()]
    inbox.put("x", "notes.txt")
    found = arrived(inbox.source, inbox.settings, now=in_minutes(5)).files
    assert {path.resolve() for path in found} == set(wanted)


def file_runs(awake: Daemon) -> int:
    return len(awake.instance.get_runs(dg.RunsFilter(tags={"clientele/files": "1"})))


def test_a_new_file_starts_one_refresh_once_it_has_stopped_growing(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    monkeypatch.setenv("CLIENTELE_FILE_SETTLE_SECONDS", "150")
    with daemon(tmp_path / "home", now=in_minutes(0)) as awake:
        path = inbox.put(f"{HEADER}\n")
        for minutes in (0, 1, 2, 4, 6, 8):
            if minutes == 1:
                path.write_text(f"{HEADER}\n{ROW}\n")
            awake.now = in_minutes(minutes)
            awake.sense()
            counts.append(file_runs(awake))
        for run in awake.instance.get_runs():
            awake.instance.report_run_canceled(run)
        awake.now = in_minutes(10)
        awake.sense()
        assert file_runs(awake) == 1  # the same file is not taken twice, whatever became of its run
    assert counts == [0, 0, 0, 1, 1, 1]


def test_nothing_is_watched_unless_the_setting_asks_for_it(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENTELE_FILE_SENSOR", "false")
    with daemon(tmp_path / "home", now=in_minutes(0)) as awake:
        inbox.put(f"{HEADER}\n{ROW}\n")
        for minutes in (4, 6, 8):
            awake.now = in_minutes(minutes)
            awake.sense()
        assert awake.instance.get_runs() == []


def publish(settings: Settings, at: datetime) -> None:
    folder = settings.published_dir / "current"
    folder.mkdir(parents=True)
    made = {"published_at": at.isoformat(), "as_of_date": "2028-02-28"}
    manifest = {"run_id": "r1", "source": "shop", "tables": {}, **made}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_day_that_the_scheduler_lost_is_started_by_the_second_look(inbox: Inbox, tmp_path: Path) -> None:
    """Dagster's folder was deleted: its schedules begin anew, and know nothing of this morning."""
    publish(inbox.settings, NOON - timedelta(days=1))
    with daemon(tmp_path / "home", now=NOON) as awake:
        for minutes in range(0, 30, 6):
            awake.now = NOON + timedelta(minutes=minutes)
            awake.tick()
            awake.sense()
            assert len(awake.runs()) == (0 if minutes == 0 else 1)
        assert awake.runs() == [("2028-03-01", "refresh", False)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "PAUSES", (0.01,))


@pytest.mark.usefixtures("quick")
def test_a_failed_run_of_dagster_is_told_once_and_neither_one_of_the_command_line_nor_one_that_is_tried_again(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as server:
        monkeypatch.setenv("CLIENTELE_ALERTS", server.url)
        with daemon(tmp_path / "home", now=NOON.replace(hour=5)) as awake:
            awake.sense()
            awake.until(NOON.replace(day=2, hour=7), step=timedelta(hours=3))
            second, first = awake.instance.get_runs()
            awake.instance.add_run_tags(second.run_id, {WILL_RETRY_TAG: "true"})  # the daemon tries it once more
            theirs = awake.instance.create_run_for_job(dg.job(name="refresh")(lambda: None))
            for run in (first, second, theirs):
                awake.instance.report_run_failed(run)
            for minutes in (1, 2, 3):
                awake.now += timedelta(minutes=minutes)
                awake.sense()
        (message,) = server.received
    assert f"Day: 2028-03-01. Run: {first.run_id}." in message["message"]
    assert message["message"].startswith("The run ended with its process")
    assert "open-sesame" not in message["message"]


@pytest.mark.usefixtures("quick")
def test_what_grows_old_is_told_by_dagster_too(inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(inbox.settings, NOON - timedelta(hours=31))
    with receiver() as server:
        monkeypatch.setenv("CLIENTELE_ALERTS", server.url)
        monkeypatch.setenv("CLIENTELE_SCHEDULES", "false")
        with daemon(tmp_path / "home", now=NOON) as awake:
            for hours in (0, 1, 2, 24, 25):
                awake.now = NOON + timedelta(hours=hours)
                awake.sense()
        assert [message["type"] for message in server.received] == ["warning", "failure"]


@pytest.mark.parametrize(
    ("given", "running"),
    [
        ({}, {"missed_day_sensor", "old_runs_sensor"}),
        ({"schedules": False}, {"old_runs_sensor"}),
        ({"schedules": False, "file_sensor": True}, {"old_runs_sensor", "new_files_sensor"}),
        (
            {"schedules": False, "alerts": "json://127.0.0.1:9"},
            {"old_runs_sensor", "failure_alert_sensor", "warning_alert_sensor", "stale_alert_sensor"},
        ),
    ],
)
def test_a_sensor_is_on_where_the_settings_ask_for_what_it_serves(given: dict[str, object], running: set[str]) -> None:
    found = sensors(Settings(**given), timezone="UTC")  # type: ignore[arg-type]
    assert len({sensor.name for sensor in found}) == 6
    assert {sensor.name for sensor in found if sensor.default_status == dg.DefaultSensorStatus.RUNNING} == running
