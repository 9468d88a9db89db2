"""Damaged files: caches and models are made anew by a plain run, kept files are named, and nothing is guessed."""

import random
import shutil
from pathlib import Path

import pytest

from tests.commands import Finished, clientele, hashes
from tests.faults.damage import CACHES, damage


def kept_files(folder: Path) -> list[Path]:
    kept = [file for place in ("raw", "vault", "history") for file in (folder / place).rglob("[!.]*") if file.is_file()]
    return sorted(file for file in kept if file.name != "model.skops")


def test_a_kept_file_that_broke_is_named_and_nothing_is_changed(first_run: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(first_run.settings.data_dir, folder, symlinks=True)
    broken = next(folder.glob("raw/transactions/*/rows.parquet"))
    damage(broken, seed=1)
    done = clientele("run", "--json", source=first_run.settings.source, data_dir=folder)
    assert (done.exit_code, done.stdout) == (1, "")
    assert str(broken) in done.stderr
    assert "Nothing is guessed" in done.stderr
    assert "Traceback" not in done.stderr
    assert hashes(folder / "published" / "current") == hashes(first_run.settings.published_dir / "current")


@pytest.mark.full
@pytest.mark.parametrize("number", range(50))
def test_fifty_damaged_files_are_healed_or_named(first_run: Finished, tmp_path: Path, number: int) -> None:
    folder, expected = tmp_path / "data", hashes(first_run.settings.published_dir / "current")
    shutil.copytree(first_run.settings.data_dir, folder, symlinks=True)
    chance = random.Random(number)  # noqa: S311 - repeatable
    models = sorted(folder.glob("history/models/*/model.skops"))
    groups = [[folder / CACHES[number % len(CACHES)]], models, kept_files(folder)]
    file = chance.choice(groups[number % len(groups)])
    kind = damage(file, seed=number)
    done = clientele("run", "--json", source=first_run.settings.source, data_dir=folder)
    is_healed = done.exit_code == 0 and hashes(folder / "published" / "current") == expected
    is_named = done.exit_code == 1 and str(file) in done.stderr and "Traceback" not in done.stderr
    assert is_healed or is_named, (kind, file, done.stderr)
    assert is_healed == (number % len(groups) != 2), (kind, file, done.stderr)
    shutil.rmtree(folder)
