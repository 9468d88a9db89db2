import io
import json
import re
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from orchestration.runs.pace import FILE, Pace
from orchestration.runs.progress import RunProgress
from tests.commands import Finished

RUN = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A data folder whose last refresh took 100 seconds: 20 to the marts, 60 more to the model, 20 to the end."""
    (tmp_path / FILE).write_text(json.dumps({"refresh": {"marts": 20.0, "model": 80.0, "published": 100.0}}))
    return tmp_path


def test_before_any_run_nobody_knows_how_long_is_left(tmp_path: Path) -> None:
    pace = Pace(tmp_path, "refresh")
    pace.passed("marts", at=10)
    assert pace.left(at=11) is None


def test_what_is_left_is_what_the_last_run_had_ahead_in_this_runs_pace(known: Path) -> None:
    pace = Pace(known, "refresh")
    assert pace.left(at=0) == 100
    pace.passed("marts", at=40)  # twice as slow
    assert pace.left(at=40) == 160
    assert pace.left(at=50) == 150
    pace.passed("model", at=160)
    assert pace.left(at=160) == 40
    assert pace.left(at=999) == 0


def test_a_part_that_is_left_out_takes_no_time(known: Path) -> None:
    pace = Pace(known, "refresh")
    pace.passed("model", at=8)  # trained already: ten times as quick so far, which nobody believes to the end
    assert pace.left(at=8) == 20 * 0.2


def test_another_job_has_a_pace_of_its_own_and_a_new_run_replaces_the_last(known: Path) -> None:
    retrain = Pace(known, "retrain")
    assert retrain.left(at=0) is None
    retrain.passed("published", at=300)
    retrain.keep()
    assert Pace(known, "retrain").left(at=0) == 300
    assert Pace(known, "refresh").left(at=0) == 100


@pytest.mark.parametrize("content", ["", "[]", "{", '{"refresh": 3}', '{"refresh": {"marts": "soon"}}', "\x00\xff"])
def test_a_broken_file_only_means_that_no_time_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert Pace(tmp_path, "refresh").left(at=0) is None


@dg.asset(key=["marts", "dim_customers"])
def mart() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"dagster/row_count": 1234})


@dg.asset(key=["ml", "churn_model"], deps=[mart])
def model() -> None:
    """An asset without rows."""


@dg.asset_check(asset=model)
def is_good() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)


def told(data_dir: Path, *, is_terminal: bool) -> str:
    """What a run of two assets tells."""
    console = Console(
        file=io.StringIO(), width=140, force_terminal=is_terminal, color_system="standard" if is_terminal else None
    )
    all_of_it = dg.Definitions([mart, model], asset_checks=[is_good], executor=dg.in_process_executor)
    job = all_of_it.resolve_implicit_global_asset_job_def()
    with RunProgress(console, pace=Pace(data_dir, "refresh")) as progress, dg.DagsterInstance.ephemeral() as instance:
        instance.add_event_listener(RUN, progress)
        job.execute_in_process(instance=instance, run_id=RUN)
    written: str = console.file.getvalue()  # type: ignore[attr-defined]
    return written


def test_a_piped_run_tells_stage_table_rows_and_time_left_in_plain_lines(known: Path) -> None:
    lines = [re.sub(r"^ *[0-9.]+ s  ", "", line) for line in told(known, is_terminal=False).splitlines()]
    assert re.fullmatch(r"marts\.dim_customers +1,234 rows", lines[0])
    assert lines[1].startswith("training and scoring, about ")
    assert lines[1].endswith("left")
    assert {line.strip() for line in lines[2:]} == {"ml.churn_model", "failed check is_good on ml.churn_model"}
    assert "\x1b" not in "".join(lines)


def test_a_terminal_gets_a_bar_in_colour_and_the_same_stage_and_rows(known: Path) -> None:
    drawn = told(known, is_terminal=True)
    assert "\x1b[" in drawn
    assert "training and scoring" in drawn
    assert "\x1b[31mfailed check" in drawn


def test_a_run_that_ended_well_is_what_the_next_one_is_measured_by(tmp_path: Path) -> None:
    told(tmp_path, is_terminal=False)
    assert json.loads((tmp_path / FILE).read_text())["refresh"].keys() == {"marts.dim_customers", "ml.churn_model"}


def test_a_run_on_record_kept_its_pace(first_run: Finished) -> None:
    marks = json.loads((first_run.settings.data_dir / FILE).read_text())["refresh"]
    assert {"raw.transactions", "marts.dim_customers", "ml.churn_model", "published.clientele"} <= marks.keys()
    assert "training and scoring" in first_run.stderr
    assert "\x1b" not in first_run.stderr + first_run.stdout
