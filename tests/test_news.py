"""A run without news publishes the same tables again at once, and whatever is news is noticed."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from orchestration.intake.source_file import load_source
from orchestration.publishing.generations import current, generations, verify
from orchestration.runs import news
from orchestration.runs.news import unchanged_since
from orchestration.runs.writer import RunRecord, last_run
from orchestration.settings import Settings
from tests.commands import Finished, hashes, metadata

OF_A_RUN = ("run_id", "published_at", "unchanged_since", "database", "since_last_run")
"""What a summary says of the run itself, not of the tables."""


@pytest.fixture(scope="module")
def after(later_runs: dict[str, Finished]) -> Settings:
    """The data folder of a run that found no news."""
    run = later_runs["unchanged"]
    assert run.exit_code == 0, run.stderr
    return run.settings


@pytest.fixture
def folder(first_run: Finished, tmp_path: Path) -> Settings:
    """A copy of the first run's data folder and of its source file, to change."""
    source = Path(shutil.copy(first_run.settings.source, tmp_path))
    data_dir = shutil.copytree(first_run.settings.data_dir, tmp_path / "data", symlinks=True)
    return Settings(source=source, data_dir=data_dir)


def found(settings: Settings, *, last: RunRecord | None = None, as_of: date | None = None) -> str | None:
    """The run whose tables stand for another one now, if there is no news."""
    source = load_source(settings.source)
    unchanged = unchanged_since(last or last_run(settings), source=source, requested_as_of=as_of, settings=settings)
    return unchanged.run_id if unchanged else None


def test_without_news_the_tables_are_published_again_as_those_of_the_new_run(
    first_run: Finished, later_runs: dict[str, Finished], after: Settings
) -> None:
    before, run = first_run.summary, later_runs["unchanged"].summary
    assert run["unchanged_since"] == before["run_id"] != run["run_id"]
    assert {**run, **dict.fromkeys(OF_A_RUN)} == {**before, **dict.fromkeys(OF_A_RUN)}
    assert [version.run_id for version in generations(after)] == [before["run_id"], run["run_id"]]
    now = current(after)
    assert now is not None
    assert now.run_id == run["run_id"]
    verify(now)
    assert hashes(now.folder) == hashes(first_run.settings.published_dir / "current")


def test_without_news_nothing_is_computed_and_every_published_table_counts_as_fresh(
    first_run: Finished, later_runs: dict[str, Finished], after: Settings
) -> None:
    run_id = later_runs["unchanged"].summary["run_id"]
    with dg.DagsterInstance.from_config(str(after.dagster_home)) as instance:
        skipped = {one.step_key for one in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_SKIPPED)}
    assert {"dbt_marts", "ml__churn_model", "ml__churn_scores", "dbt_reports", "published__clientele"} <= skipped
    made = metadata(after, run_id)
    tables = {*hashes(after.published_dir / "current"), "published.clientele"}
    assert tables <= made.keys()
    assert {made[name]["unchanged_since"] for name in tables} == {first_run.summary["run_id"]}


def test_a_second_run_without_news_names_the_run_that_made_the_tables(after: Settings) -> None:
    record = last_run(after)
    assert record is not None
    assert found(after) == record.run_id  # the copy of its tables stands for the next run as well


def changed_file(pattern: str) -> Callable[[Settings], None]:
    def change(settings: Settings) -> None:
        file = next(file for file in sorted(settings.data_dir.glob(pattern)) if file.is_file())
        file.write_bytes(file.read_bytes() + b" ")

    return change


def without_transactions(settings: Settings) -> None:
    file = settings.published_dir / "current" / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["tables"]["marts.fct_transactions"]["row_count"] = 0
    file.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(changed_file("raw/*/*/rows.parquet"), id="a file received"),
        pytest.param(changed_file("vault/*/*/*.parquet"), id="a file of the vault"),
        pytest.param(changed_file("history/days/*/*.parquet"), id="a day of the history"),
        pytest.param(changed_file("history/models/*/model.skops"), id="a model"),
        pytest.param(changed_file("published/current/clientele.duckdb"), id="the published file"),
        pytest.param(changed_file("published/current/parquet/ml/*.parquet"), id="a published mirror"),
        pytest.param(changed_file("../tiny_shop.yml"), id="the source file"),
        pytest.param(lambda settings: settings.warehouse_file.unlink(), id="no working file"),
        pytest.param(lambda settings: shutil.rmtree(settings.published_dir), id="nothing published"),
        pytest.param(without_transactions, id="tables that follow from the clock"),
    ],
)
def test_news_is_noticed(folder: Settings, change: Callable[[Settings], None]) -> None:
    assert found(folder)
    change(folder)
    assert found(folder) is None


def test_another_day_and_other_code_are_news(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(settings)
    assert found(settings, as_of=date(2026, 5, 31)) is None
    (tmp_path / "model.sql").write_text("select 1")
    monkeypatch.setattr(news, "CODE", (*news.CODE, tmp_path))
    assert found(settings) is None


def test_only_what_the_last_run_published_stands_for_the_next(settings: Settings) -> None:
    last = last_run(settings)
    assert last is not None
    assert found(settings, last=replace(last, run_id="another")) is None
    assert found(settings, last=replace(last, state=None)) is None
