"""Many starts at once on one data folder: one writer, who is named; command lines leave, Dagster's runs queue."""

import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from orchestration.runs.runner import prepare_instance
from orchestration.settings import PROJECT_DIR, Settings
from tests.commands import CLIENTELE, Finished, environment, hashes
from tests.holder import another_run

BIN = Path(sys.executable).parent
PATIENCE = 1800  # seconds for runs that queue


def started(settings: Settings) -> "subprocess.Popen[str]":
    given = environment(source=settings.source, data_dir=settings.data_dir)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([CLIENTELE, "run", "--json"], env=given, text=True, **pipes)


def test_every_command_line_leaves_and_names_who_holds_the_lock(settings: Settings, tmp_path: Path) -> None:
    busy = Settings(source=settings.source, data_dir=tmp_path / "data")
    with another_run(busy) as holder:
        ended = [(process, process.communicate()[1]) for process in [started(busy) for _ in range(4)]]
    assert [process.returncode for process, _ in ended] == [75] * 4
    assert all(f"process {holder.pid}" in told for _, told in ended)


@pytest.mark.full
def test_of_eight_starts_one_writes_at_a_time_and_what_dagster_queued_succeeds(
    first_run: Finished, tmp_path: Path
) -> None:
    settings = Settings(source=first_run.settings.source, data_dir=tmp_path / "data", schedules=False)
    home = prepare_instance(settings)
    variables = settings.environment() | {"DAGSTER_HOME": str(home)}
    workspace = str(PROJECT_DIR / "workspace.yaml")
    with (tmp_path / "daemon.log").open("w") as log:
        daemon = subprocess.Popen(
            [BIN / "dagster-daemon", "run", "-w", workspace], env=variables, stdout=log, stderr=log, cwd=PROJECT_DIR
        )
        try:
            for number in range(20):
                _one_round(settings, variables, workspace, number)
                assert hashes(settings.published_dir / "current") == hashes(
                    first_run.settings.published_dir / "current"
                )
        finally:
            daemon.terminate()
            daemon.wait(60)


def _one_round(settings: Settings, variables: dict[str, str], workspace: str, number: int) -> None:
    launch = [BIN / "dagster", "job", "launch", "-w", workspace, "-j", "refresh"]
    launches = [subprocess.Popen(launch, env=variables, cwd=PROJECT_DIR) for _ in range(2)]
    begun = time.monotonic()
    lines = [started(settings) for _ in range(6)]
    left = []
    for process in lines:
        _, told = process.communicate()
        assert process.returncode in (0, 75), told
        if process.returncode == 75:
            left.append(told)
    assert len(left) >= 5, "two command lines wrote"
    assert all("process " in told for told in left)
    assert [launch.wait(PATIENCE) for launch in launches] == [0, 0]
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        while any(not run.is_finished for run in instance.get_runs()):
            assert time.monotonic() - begun < PATIENCE, f"round {number}"
            time.sleep(1)
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
