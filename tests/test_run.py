import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import dagster as dg
import pytest

from orchestration.errors import BusyError, InputError
from orchestration.runs.run import parse_day, starts_anew
from orchestration.runs.writer import RunRecord, last_run, writer_lock
from orchestration.settings import Settings
from tests.commands import Finished, clientele, metadata
from tests.holder import another_run


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def test_a_second_run_ends_at_once_and_names_the_process_that_holds_the_lock(empty: Settings) -> None:
    with another_run(empty) as other, pytest.raises(BusyError) as error, writer_lock(empty, wait=False):
        pass
    assert f"(process {other.pid}). Nothing was changed; try again later." in str(error.value)


def test_the_command_line_says_so_with_exit_code_75(settings: Settings, tmp_path: Path) -> None:
    busy = settings.model_copy(update={"data_dir": tmp_path / "data"})
    with another_run(busy) as other:
        done = clientele("run", "--json", source=busy.source, data_dir=busy.data_dir)
    assert (done.exit_code, done.stdout) == (75, "")
    assert f"process {other.pid}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_may_wait_goes_on_when_the_other_has_ended(empty: Settings) -> None:
    with another_run(empty) as other:
        threading.Timer(0.5, other.kill).start()
        with writer_lock(empty, wait=True):
            assert other.wait(10) == -signal.SIGKILL


def test_a_killed_process_leaves_no_lock_behind(empty: Settings) -> None:
    with another_run(empty) as other:
        other.kill()
        other.wait(10)
        with writer_lock(empty, wait=False):
            assert (empty.data_dir / "writer.pid").read_text() == str(os.getpid())


def test_the_same_process_may_take_the_lock_again(empty: Settings) -> None:
    with writer_lock(empty, wait=False), writer_lock(empty, wait=False):
        pass
    with another_run(empty):
        pass  # let go by both


def test_the_last_run_is_on_record(first_run: Finished, settings: Settings) -> None:
    record = last_run(settings)
    assert record is not None
    assert (record.run_id, record.outcome) == (first_run.summary["run_id"], "published")
    assert record.finished_at is not None
    assert record.finished_at >= record.started_at


def test_what_a_run_came_to_is_on_record(later_runs: dict[str, Finished]) -> None:
    records = {name: last_run(run.settings) for name, run in later_runs.items()}
    assert {name: record.outcome for name, record in records.items() if record} == {
        "unchanged": "published",
        "again": "published",
        "rebuilt": "published",
        "earlier": "built aside",
        "backfilled": "built aside",
        "blocked": "not published",
        "erased": "published",
    }


@pytest.mark.parametrize(("is_alive", "outcome"), [(True, "running"), (False, "died")])
def test_a_run_without_an_end_is_running_or_has_died(empty: Settings, is_alive: bool, outcome: str) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    record = {"run_id": "1", "process_id": os.getpid() if is_alive else gone.pid, "started_at": "2026-01-01"}
    empty.data_dir.mkdir()
    (empty.data_dir / "last_run.json").write_text(json.dumps(record))
    found = last_run(empty)
    assert found is not None
    assert found.outcome == outcome


WHOLE = ["raw__transactions", "raw__source_settings", "dbt_marts", "published__clientele"]


@pytest.mark.parametrize(
    ("outcome", "steps", "is_doubtful"),
    [
        ("died", WHOLE, True),
        ("not published", WHOLE, True),
        ("not published", None, True),
        ("not published", ["dbt_reports", "published__clientele"], False),  # the rest of a run, or a part of the graph
        ("published", WHOLE, False),
        ("built aside", None, False),
    ],
)
def test_after_a_run_that_did_not_end_one_from_the_files_on_begins_anew(
    outcome: str, steps: list[str] | None, is_doubtful: bool
) -> None:
    last = RunRecord("1", 1, "2026-01-01", outcome=outcome)
    run = dg.DagsterRun(job_name="refresh", run_id="2", step_keys_to_execute=steps)
    assert starts_anew(last, run) == is_doubtful


def test_before_the_first_run_there_is_no_record(empty: Settings) -> None:
    assert last_run(empty) is None


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "01.02.2026", "2026-02-30"])
def test_a_day_that_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(InputError, match="write a day as YYYY-MM-DD"):
        parse_day(text)


def test_the_ui_shows_the_run_its_rows_its_checks_and_its_pictures(first_run: Finished, settings: Settings) -> None:
    run_id = first_run.summary["run_id"]
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        run = instance.get_run_by_id(run_id)
        events = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    assert run is not None
    assert (run.job_name, run.status) == ("refresh", dg.DagsterRunStatus.SUCCESS)
    checks = [entry.get_dagster_event().asset_check_evaluation_data for entry in events]
    assert [check.check_name for check in checks if not check.passed] == []
    assert {check.asset_key.path[0] for check in checks} >= {"staging", "marts", "quality", "ml", "reports"}
    assert len(checks) > 80
    seen = metadata(settings, run_id)
    models = {f"ml.{name}_model" for name in ("churn", "clv", "feedback", "recommendation")}
    assert [name for name, shown in seen.items() if "dagster/row_count" not in shown and name not in models] == []
    assert "data:image/png;base64," in seen["ml.churn_model"]["calibration_plot"]
    pictures = {
        "ml.customer_segments": "rfm_heat_map",
        "reports.rpt_cohort_retention": "cohort_triangle",
        "reports.rpt_segment_profiles": "segment_map",
        "reports.rpt_purchase_times": "purchase_times",
    }
    for table, name in pictures.items():
        assert "data:image/png;base64," in seen[table][name], table
    assert isinstance(seen["ml.churn_model"]["auc_recency"], float)
    assert isinstance(seen["ml.clv_model"]["normalised_gini"], float)
    assert isinstance(seen["ml.recommendation_model"]["recall_at_10_buy_again"], float)
