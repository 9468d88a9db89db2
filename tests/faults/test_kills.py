"""SIGKILL at seeded points: what is published stays whole, nothing outlives the run, and a plain run heals."""

import random
import shutil
import signal
from pathlib import Path

import pytest

from tests.commands import Finished, clientele, hashes
from tests.faults.disturbed import disturbed, killed, left_behind
from tests.faults.undisturbed import stages

CHAINED = 5  # kills on one folder before a run is let through: each begins on what the one before left


def test_runs_that_were_killed_leave_nothing_that_a_plain_run_does_not_heal(
    first_run: Finished, later_runs: dict[str, Finished]
) -> None:
    again = later_runs["again"]  # after kills in dbt, in a training and while publishing
    assert again.exit_code == 0, again.stderr
    found, expected = (hashes(run.settings.published_dir / "current") for run in (again, first_run))
    assert found == expected


def test_an_interrupted_run_says_so_and_leaves_what_was_published(first_run: Finished, tmp_path: Path) -> None:
    folder, source = tmp_path / "data", first_run.settings.source
    shutil.copytree(first_run.settings.data_dir, folder, symlinks=True)
    marts = next(stage for stage in stages(first_run.stderr) if stage.name == "marts")
    ended = disturbed(
        source=source,
        data_dir=folder,
        stage=marts,
        share=0.1,
        strike=lambda process: process.send_signal(signal.SIGINT),
    )
    assert (ended.exit_code, ended.stdout) == (130, "")
    assert "Interrupted. What was published before stays" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert left_behind(folder) == []
    assert hashes(folder / "published" / "current") == hashes(first_run.settings.published_dir / "current")


@pytest.mark.full
@pytest.mark.parametrize("batch", range(200 // CHAINED))
def test_two_hundred_kills_in_every_stage_of_first_and_later_runs(
    first_run: Finished, tmp_path: Path, batch: int
) -> None:
    chance, points = random.Random(batch), stages(first_run.stderr)  # noqa: S311 - repeatable
    folder, source = tmp_path / "data", first_run.settings.source
    if batch % 2:  # every other time a folder in which something is published already
        shutil.copytree(first_run.settings.data_dir, folder, symlinks=True)
    for number in range(CHAINED):
        stage = points[(batch * CHAINED + number) % len(points)]
        killed(folder, source, stage, chance.random(), *(["--retrain"] if batch % 4 == 3 else []))
    healed = clientele("run", "--json", source=source, data_dir=folder)
    assert healed.exit_code == 0, healed.stderr
    assert hashes(folder / "published" / "current") == hashes(first_run.settings.published_dir / "current")
    shutil.rmtree(folder)
