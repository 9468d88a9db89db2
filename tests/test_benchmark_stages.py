"""Every stage that `make bench` measures does its work on the folder that a run has left behind."""

import shutil
from pathlib import Path

import pytest

from benchmarks.stages import STAGES
from tests.commands import Finished
from tests.shop import Shop

BY_DBT = {"start_dbt", "clean", "aggregate"}  # a process each: that their words are right is enough here
ELSEWHERE = {"ingest", "purchase_model"}  # start from nothing, and from what a bare script leaves


@pytest.fixture(scope="module")
def left_behind(shop: Shop, first_run: Finished, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The tiny shop under the name that benchmarks give theirs, and a copy of its data folder."""
    folder = tmp_path_factory.mktemp("measured")
    named = shutil.copytree(shop.folder, folder / "shop")
    (named / shop.source.name).rename(named / "shop.yml")
    return named, shutil.copytree(first_run.settings.data_dir, folder / "data", symlinks=True)


@pytest.mark.parametrize("name", sorted(STAGES.keys() - ELSEWHERE))
def test_a_stage_does_its_work(name: str, left_behind: tuple[Path, Path]) -> None:
    work = STAGES[name](*left_behind)
    if name not in BY_DBT:
        told = work() or {"rows": 1}
        assert told["rows"] > 0
