"""The event log that stays open: the same rows as Dagster's own, followed as it grows, and no more files than two."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orchestration.runs.event_log import SteadyEventLogStorage
from orchestration.runs.instance import prepare_instance
from orchestration.settings import Settings


@dg.asset
def customers() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"dagster/row_count": 3})


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    home = prepare_instance(Settings(data_dir=tmp_path))
    with dg.DagsterInstance.from_config(str(home)) as found:
        yield found


def folder(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory) / "history" / "runs"


def test_dagsters_own_storage_reads_what_was_written(instance: dg.DagsterInstance) -> None:
    run_id = dg.materialize([customers], instance=instance).run_id
    steady = [record.event_log_entry for record in instance.get_records_for_run(run_id).records]
    plain = SqliteEventLogStorage(str(folder(instance)))
    assert [record.event_log_entry for record in plain.get_records_for_run(run_id).records] == steady
    assert len(steady) > 5
    (row,) = plain.get_asset_records([customers.key])
    assert row.asset_entry.last_run_id == run_id


def test_whoever_watches_a_run_hears_of_its_events_while_it_is_open(instance: dg.DagsterInstance) -> None:
    run_id = dg.materialize([customers], instance=instance).run_id
    heard: list[str] = []
    plain = SqliteEventLogStorage(str(folder(instance)))  # as the web server of another process would
    plain.watch(run_id, None, lambda entry, _: heard.append(entry.message) and None)
    try:
        time.sleep(0.5)  # the observer starts in a thread of its own
        instance.report_engine_event("one more", dg.DagsterRun("customers", run_id=run_id))
        until = time.monotonic() + 20
        while "one more" not in heard and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        plain.dispose()
    assert "one more" in heard


def test_only_the_index_and_the_last_run_are_open(instance: dg.DagsterInstance) -> None:
    run_ids = [dg.materialize([customers], instance=instance).run_id for _ in range(3)]
    storage = SteadyEventLogStorage(str(folder(instance)))
    for run_id in run_ids:
        assert storage.get_records_for_run(run_id).records
    assert storage.get_asset_records([customers.key])
    opened = {file.resolve() for file in Path("/proc/self/fd").iterdir() if file.exists()}
    assert folder(instance) / f"{run_ids[2]}.db" in opened
    assert len({file for file in opened if file.parent == folder(instance) and file.suffix == ".db"}) <= 3
    storage.dispose()
