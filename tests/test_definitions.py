import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.automation.jobs import schedules
from orchestration.definitions import build_definitions
from orchestration.settings import PROJECT_DIR, Settings


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> dg.Definitions:
    return build_definitions(settings)


def test_the_daily_refresh_and_the_weekly_retrain_are_on_in_the_zone_of_the_source(definitions: dg.Definitions) -> None:
    found = {name: definitions.resolve_schedule_def(f"{name}_schedule") for name in ("refresh", "retrain")}
    assert {name: schedule.cron_schedule for name, schedule in found.items()} == {
        "refresh": "30 5 * * *",
        "retrain": "30 6 * * 1",
    }
    for name, schedule in found.items():
        assert schedule.job_name == name
        assert schedule.execution_timezone == "Europe/Berlin"
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
        assert 4 <= int(schedule.cron_schedule.split()[1]) <= 23  # an hour that exists on every day of the year


def test_a_setting_switches_the_schedules_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENTELE_SCHEDULES", "false")
    stopped = schedules(Settings(), timezone="UTC")
    assert [schedule.default_status for schedule in stopped] == [dg.DefaultScheduleStatus.STOPPED] * 2


def test_a_setting_moves_the_schedules_to_another_zone_and_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENTELE_TIMEZONE", "Asia/Tokyo")
    monkeypatch.setenv("CLIENTELE_REFRESH_CRON", "0 7 * * *")
    refresh, retrain = schedules(Settings(), timezone="UTC")
    assert (refresh.execution_timezone, retrain.execution_timezone) == ("Asia/Tokyo", "Asia/Tokyo")
    assert refresh.cron_schedule == "0 7 * * *"


def test_both_jobs_run_every_asset_and_only_retrain_forces_training(definitions: dg.Definitions) -> None:
    refresh, retrain = (definitions.resolve_job_def(name) for name in ("refresh", "retrain"))
    everything = {key for key in definitions.resolve_asset_graph().get_all_asset_keys() if key.path[0] != "sync"}
    for job in (refresh, retrain):
        assert set(job.asset_layer.selected_asset_keys) == everything
        assert job.executor_def.name == "in_process"
    assert (_trains(refresh), _trains(retrain)) == (None, True)


def _trains(job: dg.JobDefinition) -> bool | None:
    """What a run of the job is told about training where nobody says anything."""
    assert job.config_mapping is not None
    given = dg.validate_run_config(job, {})
    trains: bool | None = given["resources"]["run"]["config"]["retrain"]
    return trains


def test_a_run_is_asked_for_by_a_form_of_explained_fields(definitions: dg.Definitions) -> None:
    for name in ("refresh", "retrain", "check", "evaluate"):
        mapping = definitions.resolve_job_def(name).config_mapping
        assert mapping is not None
        fields = mapping.config_schema.config_type.fields  # type: ignore[union-attr]
        assert set(fields) == {"source", "as_of", "known_at", "retrain", "is_backfill"}
        assert all(len(field.description or "") > 40 and not field.is_required for field in fields.values()), name


def test_evaluate_trains_anew_and_neither_scores_nor_publishes(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("evaluate")
    keys = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert {"ml/churn_model", "ml/clv_model", "ml/recommendation_model", "ml/response_model"} <= keys
    assert {"ml/model_evaluations", "ml/model_comparisons"} <= keys
    assert not keys & {
        "ml/churn_scores",
        "ml/clv_predictions",
        "ml/product_recommendations",
        "ml/offers",
        "published/clientele",
    }
    assert _trains(job)


def test_importing_the_definitions_does_no_work() -> None:
    code = "import sys, orchestration.definitions; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"dbt", "dbt_common", "sklearn"} & set(done.stdout.split())


def test_the_workspace_that_is_shipped_loads(settings: Settings) -> None:
    dagster = str(Path(sys.executable).with_name("dagster"))
    done = subprocess.run(
        [dagster, "definitions", "validate", "-w", str(PROJECT_DIR / "workspace.yaml")],
        env=dict(os.environ) | settings.environment(),
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "All code locations passed validation" in done.stdout + done.stderr
