"""The Dagster instance of a data folder: what it ships with, what it heals, what it forgets, and PostgreSQL."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import GRPC_INFO_TAG, RETRY_STRATEGY_TAG, WILL_RETRY_TAG
from pydantic import SecretStr

from orchestration.automation import jobs
from orchestration.errors import InputError
from orchestration.runs.instance import (
    PROCESS_TAG,
    close_dead_runs,
    prepare_instance,
    process_name,
    prune_runs,
)
from orchestration.runs.run import run_resource
from orchestration.settings import Settings
from tests import postgres

LATER = datetime.now(UTC) + timedelta(days=91)


@dg.op
def say() -> None:
    """Leave something in the logs."""
    sys.stdout.write("said\n")


@dg.job
def speech() -> None:
    """A job of one step."""
    say()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(prepare_instance(settings))) as found:
        yield found


def started(instance: dg.DagsterInstance, **tags: str) -> str:
    run = instance.create_run_for_job(speech, tags={name.replace("__", "/"): value for name, value in tags.items()})
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name="speech"), run_id=run.run_id
    )
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_the_shipped_settings_are_in_force(instance: dg.DagsterInstance) -> None:
    assert not instance.telemetry_enabled
    assert not instance.nux_enabled
    assert instance.run_monitoring_enabled
    assert instance.freshness_enabled
    assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 1)
    assert not instance.run_retries_retry_on_asset_or_op_failure
    assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
    assert instance.scheduler.max_tick_retries == 3


def test_a_run_whose_process_is_gone_is_closed_and_one_that_lives_is_not(instance: dg.DagsterInstance) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    name = process_name(gone.pid)
    assert name is not None
    dead, alive = (
        started(instance, **{PROCESS_TAG: name}),
        started(instance, **{PROCESS_TAG: process_name(os.getpid())}),
    )
    assert close_dead_runs(instance) == []
    gone.communicate()
    assert close_dead_runs(instance) == [dead]
    assert [status(instance, run) for run in (dead, alive)] == [
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.STARTED,
    ]


def test_after_a_restart_of_the_machine_another_process_may_bear_the_number(instance: dg.DagsterInstance) -> None:
    dead = started(instance, **{PROCESS_TAG: f"{os.getpid()} since 1"})
    assert close_dead_runs(instance) == [dead]


def test_a_run_of_the_daemon_whose_code_server_is_gone_is_closed_and_will_be_tried_again(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    place = f'{{"host": "localhost", "socket": "{tmp_path}/gone"}}'
    dead, not_begun = started(instance, **{GRPC_INFO_TAG: place}), started(instance)
    assert close_dead_runs(instance) == [dead]
    assert status(instance, not_begun) == dg.DagsterRunStatus.STARTED
    run = instance.get_run_by_id(dead)
    assert run is not None
    assert run.tags[WILL_RETRY_TAG] == "true"


@pytest.mark.parametrize("trouble", ["a source file that is none", "a step that fails"])
def test_what_cannot_pass_by_itself_is_not_tried_again(
    instance: dg.DagsterInstance, settings: Settings, trouble: str
) -> None:
    @dg.op(required_resource_keys={"run"} if "source" in trouble else set())
    def fail() -> None:
        raise InputError("entities.transactions: a.csv: no column 'amount'")

    nowhere = settings.model_copy(update={"source": settings.data_dir / "none.yml"})
    job = dg.job(resource_defs={"run": run_resource(nowhere)}, name="refresh")(lambda: fail() and None)
    run_id = job.execute_in_process(instance=instance, raise_on_error=False).run_id
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert (run.status, run.tags[WILL_RETRY_TAG]) == (dg.DagsterRunStatus.FAILURE, "false")


def test_a_run_that_is_tried_again_begins_anew() -> None:
    """What others wrote between its death and its second life, half a run would not know."""
    assert {job.name: (job.tags or {}).get(RETRY_STRATEGY_TAG) for job in jobs.jobs()} == dict.fromkeys(
        ("refresh", "retrain", "check", "evaluate"), "ALL_STEPS"
    )


def test_old_runs_go_with_their_events_and_logs_and_the_last_success_stays(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    first, last = (speech.execute_in_process(instance=instance).run_id for _ in range(2))
    assert prune_runs(instance, settings, now=LATER - timedelta(days=2)) == 0
    assert prune_runs(instance, settings, now=LATER) == 1
    assert instance.get_run_by_id(first) is None
    assert instance.get_run_by_id(last) is not None
    assert instance.all_logs(last)
    left = [str(path) for path in settings.dagster_home.rglob("*")]
    assert not [path for path in left if first in path]
    assert [path for path in left if last in path]


@pytest.mark.skipif(postgres.BIN is None, reason=postgres.LACK)
def test_the_same_instance_keeps_its_records_in_postgresql(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dagster_postgres", reason="the extra for PostgreSQL is not installed")
    with postgres.server() as url:
        monkeypatch.setenv("CLIENTELE_DAGSTER_POSTGRES_URL", url)
        there = settings.model_copy(update={"dagster_postgres_url": SecretStr(url)})
        home = prepare_instance(there)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            first, last = (speech.execute_in_process(instance=instance).run_id for _ in range(2))
            dead = started(instance, **{PROCESS_TAG: "1 since 0"})
            assert close_dead_runs(instance) == [dead]
            assert prune_runs(instance, there, now=LATER) == 2
            assert [run.run_id for run in instance.get_runs()] == [last]
            assert instance.all_logs(first) == []
        assert not list(home.rglob("*.db"))
        written = [path for path in there.data_dir.rglob("*") if path.is_file()]
        assert not [path for path in written if b"sesame" in path.read_bytes()]


def test_a_url_that_another_driver_would_take_is_refused_without_its_password(settings: Settings) -> None:
    wrong = settings.model_copy(update={"dagster_postgres_url": SecretStr("postgresql://me:hunter2@db/records")})
    with pytest.raises(InputError, match=r"write it as postgresql\+psycopg2://") as error:
        prepare_instance(wrong)
    assert "hunter2" not in str(error.value)
