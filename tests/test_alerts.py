"""Alerts, sent to a real receiver: what they say, that they come once, and what happens when nobody takes them."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from pydantic import SecretStr

from orchestration.automation import alerts
from orchestration.automation.alerts import Alert, Told, of_ages, of_failure, of_model_warnings, send
from orchestration.automation.freshness import ages
from orchestration.errors import BusyError, CheckError, InputError
from orchestration.intake.source_file import load_source
from orchestration.publishing.generations import DATABASE
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse
from tests.commands import Finished, clientele
from tests.receiver import Receiver, receiver
from tests.shop import SOURCE


@pytest.fixture
def listening() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "PAUSES", (0.01, 0.02))


@pytest.fixture
def shop_settings(tmp_path: Path, listening: Receiver) -> Settings:
    (tmp_path / "tiny_shop.yml").write_text(SOURCE)
    return Settings(data_dir=tmp_path / "data", source=tmp_path / "tiny_shop.yml", alerts=SecretStr(listening.url))


def publish(settings: Settings, *, at: datetime, as_of: date) -> None:
    """A published version of two tables, made by hand."""
    folder = settings.published_dir / "current"
    warning = {"as_of_date": [as_of], "model": ["churn"], "horizon_days": [30], "model_version": ["churn-1"]}
    rows = pl.DataFrame(warning | {"kind": ["drift"], "warning": ["churn: scores are far from those of training."]})
    Warehouse(folder / DATABASE, settings=settings).write("ml.model_warnings", rows)
    manifest = {
        "run_id": "r1",
        "source": "tiny_shop",
        "tables": {},
        "published_at": at.isoformat(),
        "as_of_date": as_of.isoformat(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_without_a_setting_nothing_is_sent(shop_settings: Settings, listening: Receiver) -> None:
    silent = shop_settings.model_copy(update={"alerts": None})
    assert not send(Alert("a", "failure", "title", "text"), silent)
    assert (listening.attempts, silent.data_dir.exists()) == (0, False)


def test_a_failed_run_says_what_which_day_what_is_published_and_what_to_do(
    shop_settings: Settings, listening: Receiver
) -> None:
    publish(shop_settings, at=datetime(2026, 7, 1, 4, tzinfo=UTC), as_of=date(2026, 6, 30))
    error = InputError("tiny_shop.yml: entities.transactions.files: no file matches 'x.csv'.")
    send(of_failure(error, shop_settings, run_id="run-1", day="2026-07-02"), shop_settings)
    (message,) = listening.received
    assert message["title"] == "Clientele tiny_shop: run failed"
    for words in ("no file matches", "Day: 2026-07-02. Run: run-1.", "tiny_shop as of 2026-06-30", "then run again"):
        assert words in message["message"]
    assert message["type"] == "failure"


def test_a_blocked_publication_is_called_so(shop_settings: Settings, listening: Receiver) -> None:
    error = CheckError("Nothing was published; what was published before stays. Failed checks:\n- unique on marts.x")
    send(of_failure(error, shop_settings, run_id="run-1", day=None), shop_settings)
    (message,) = listening.received
    assert message["title"].endswith("publication blocked")
    assert "- unique on marts.x" in message["message"]
    assert "Nothing is published yet." in message["message"]


def test_what_a_bug_says_of_itself_is_not_passed_on(shop_settings: Settings) -> None:
    error = KeyError("ada@canary.example")
    assert "canary" not in of_failure(error, shop_settings, run_id="1", day=None).text


def test_a_secret_is_masked_in_whatever_is_sent(shop_settings: Settings, listening: Receiver) -> None:
    told = shop_settings.model_copy(update={"connections": {"erp": SecretStr("postgresql://me:hunter2@db/shop")}})
    send(Alert("a", "failure", "title", "cannot reach postgresql://me:hunter2@db/shop"), told)
    assert listening.received[0]["message"] == "cannot reach ***"


def test_the_same_alert_is_sent_once(shop_settings: Settings, listening: Receiver) -> None:
    alert = Alert("a", "failure", "title", "text")
    assert [send(alert, shop_settings) for _ in range(3)] == [True, False, False]
    assert len(listening.received) == 1


def test_a_receiver_that_is_away_for_a_moment_is_asked_three_times(
    shop_settings: Settings, listening: Receiver
) -> None:
    listening.refusals = 2
    assert send(Alert("a", "failure", "title", "text"), shop_settings)
    assert (listening.attempts, len(listening.received)) == (3, 1)


def test_a_receiver_that_stays_away_is_a_warning_without_its_address(
    shop_settings: Settings, listening: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    listening.refusals = 99
    with caplog.at_level(logging.DEBUG):
        assert not send(Alert("a", "failure", "title", "text"), shop_settings)
    assert listening.attempts == 3
    assert "did not reach receiver 1 of CLIENTELE_ALERTS" in caplog.text
    assert "open-sesame" not in "".join(
        r.getMessage() for r in caplog.records if r.name.startswith(("apprise", "orch"))
    )


def test_of_two_receivers_the_one_that_took_it_gets_it_once(shop_settings: Settings, listening: Receiver) -> None:
    both = SecretStr(f"{listening.url} json://127.0.0.1:9/away")
    settings = shop_settings.model_copy(update={"alerts": both})
    alert = Alert("a", "failure", "title", "text")
    assert [send(alert, settings), send(alert, settings)] == [False, False]
    assert len(listening.received) == 1


def test_an_address_that_is_none_is_said_without_it(shop_settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    assert not send(Alert("a", "info", "t", "x"), shop_settings.model_copy(update={"alerts": SecretStr("no-url")}))
    assert "one is not known to apprise" in caplog.text
    assert "no-url" not in caplog.text


def test_model_warnings_are_told_once_a_week(shop_settings: Settings, listening: Receiver) -> None:
    for day in (date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 6)):
        publish(shop_settings, at=datetime(2026, 7, 1, tzinfo=UTC), as_of=day)
        for alert in of_model_warnings(shop_settings):
            send(alert, shop_settings)
    assert [m["title"] for m in listening.received] == ["Clientele tiny_shop: churn drift"] * 2
    assert "scores are far from those of training" in listening.received[0]["message"]


def test_what_grows_old_is_told_once_as_a_warning_and_once_as_stale(
    shop_settings: Settings, listening: Receiver
) -> None:
    start = datetime(2026, 7, 1, 4, tzinfo=UTC)
    publish(shop_settings, at=start, as_of=date(2026, 6, 30))
    source = load_source(shop_settings.source)
    for hours in range(0, 80, 5):
        for alert in of_ages(ages(shop_settings, source, now=start + timedelta(hours=hours)), shop_settings):
            send(alert, shop_settings)
    assert [m["type"] for m in listening.received] == ["warning", "failure"]
    assert "Published 35 hours ago, more than 30." in listening.received[0]["message"]
    assert "Published 55 hours ago, more than 54." in listening.received[1]["message"]


def test_another_run_at_work_is_no_news(shop_settings: Settings, listening: Receiver) -> None:
    with pytest.raises(BusyError), Told(shop_settings, day=None):
        raise BusyError("Another run holds it.")
    assert listening.attempts == 0


def test_a_command_that_fails_alerts_and_still_says_so_itself(tmp_path: Path, listening: Receiver) -> None:
    done = clientele("run", source=tmp_path / "none.yml", data_dir=tmp_path / "data", alerts=listening.url)
    assert done.exit_code == 2
    (message,) = listening.received
    assert "none.yml does not exist" in message["message"]
    assert "none.yml does not exist" in done.stderr
    assert "open-sesame" not in done.stderr + done.stdout


def test_a_blocked_run_of_the_command_line_alerts_once(later_runs: dict[str, Finished], listening: Receiver) -> None:
    """The run of the shared fixture had no receiver; its events are all that Dagster's sensor would go by."""
    from orchestration.runs.failures import error_of, is_telling

    settings = later_runs["blocked"].settings.model_copy(update={"alerts": SecretStr(listening.url)})
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        run = instance.get_runs(limit=1)[0]
        entries = instance.all_logs(run.run_id)
    events = [e for entry in entries if entry.is_dagster_event and is_telling(e := entry.get_dagster_event())]
    error = error_of(events, describe=lambda _: None, settings=settings)
    assert isinstance(error, CheckError)
    for _ in range(2):
        send(of_failure(error, settings, run_id=run.run_id, day=None), settings)
    (message,) = listening.received
    assert "grain_rejected_rows" in message["message"]
    assert "Still published: tiny_shop as of 2026-06-30" in message["message"]


def test_the_test_command_sends_and_says_so_and_fails_where_nobody_takes_it(
    tmp_path: Path, listening: Receiver
) -> None:
    places = {"source": tmp_path / "none.yml", "data_dir": tmp_path / "data"}
    sent = clientele("alert-test", **places, alerts=listening.url)
    assert (sent.exit_code, sent.stdout) == (0, "Sent.\n"), sent.stderr
    assert listening.received[0]["title"] == "Clientele: a test"
    unset = clientele("alert-test", **places, alerts="")
    assert unset.exit_code == 2
    assert "CLIENTELE_ALERTS is not set" in unset.stderr
