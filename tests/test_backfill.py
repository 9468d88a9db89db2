"""A day is the same whether it was run on the day, afterwards or in a back-fill, and the history says which it was."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from orchestration.errors import InputError
from orchestration.publishing.generations import generations
from orchestration.runs.backfill import days_between
from orchestration.storage.history import History
from tests.commands import Finished, clientele, hashes
from tests.conftest import EARLIER
from tests.shop import AS_OF, Shop, write_shop

MARKS = {"marts.dim_as_of", "ml.score_outcomes"}
"""Tables that say whether the data had already gone beyond the day."""


def test_a_stretch_has_every_day_and_none_that_ends_before_it_begins() -> None:
    assert days_between(date(2028, 2, 28), date(2028, 3, 1)) == [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    with pytest.raises(InputError, match="--to 2028-01-01 is before --from 2028-01-02"):
        days_between(date(2028, 1, 2), date(2028, 1, 1))


def test_a_back_filled_day_is_the_day_as_a_run_describes_it(later_runs: dict[str, Finished]) -> None:
    earlier, backfilled = later_runs["earlier"], later_runs["backfilled"]
    assert backfilled.exit_code == 0, backfilled.stderr
    run_id = backfilled.summary["days"][0]["run_id"]
    versions = {run.settings.data_dir: run.settings.published_dir / "versions" for run in (earlier, backfilled)}
    found = hashes(versions[backfilled.settings.data_dir] / run_id)
    assert found == hashes(versions[earlier.settings.data_dir] / earlier.summary["run_id"])


def test_back_filled_days_are_marked_and_published_ones_stay(later_runs: dict[str, Finished]) -> None:
    settings = later_runs["backfilled"].settings
    history = History(settings.history_dir, source="tiny_shop")
    assert history.days("days") == [EARLIER, AS_OF]
    assert [history.read("days", day)["is_backfilled"].item() for day in (EARLIER, AS_OF)] == [True, False]
    assert history.days("segments") == history.days("scores/churn") == [EARLIER, AS_OF]
    assert history.read("scores/churn", EARLIER)["is_backfilled"].all()
    assert [generation.is_scratch for generation in generations(settings)] == [False, True]


@pytest.mark.full
@pytest.mark.parametrize("days", [3, 90])
def test_daily_runs_equal_one_back_fill(shop: Shop, tmp_path: Path, days: int) -> None:
    first = AS_OF - timedelta(days=days - 1)

    def day_by_day() -> list[int]:
        runs = (("run", "--json", "--as-of", str(day)) for day in days_between(first, AS_OF))
        return [clientele(*run, source=shop.source, data_dir=tmp_path / "daily").exit_code for run in runs]

    def at_once() -> int:
        stretch = ("--from", str(first), "--to", str(AS_OF))
        return clientele("backfill", *stretch, source=shop.source, data_dir=tmp_path / "at_once").exit_code

    with ThreadPoolExecutor() as both:
        daily, backfilled = both.submit(day_by_day), both.submit(at_once)
    assert daily.result() == [0] * days
    assert backfilled.result() == 0
    published = [tmp_path / name / "published" / "current" for name in ("daily", "at_once")]
    assert hashes(published[0]) == hashes(published[1])
    kept = [sorted((tmp_path / name / "history" / "segments").rglob("[!.]*.parquet")) for name in ("daily", "at_once")]
    assert len(kept[0]) == len(kept[1]) == days
    for one, other in zip(*kept, strict=True):
        assert pl.read_parquet(one).equals(pl.read_parquet(other)), one.name


@pytest.mark.full
def test_days_run_while_the_files_grew_equal_days_run_afterwards(tmp_path: Path) -> None:
    whole, growing = write_shop(tmp_path / "whole"), write_shop(tmp_path / "growing")
    days = [AS_OF - timedelta(days=number) for number in (2, 1, 0)]
    for day in days:
        for file in whole.source.parent.glob("transactions-*.csv"):
            rows = list(csv.DictReader(io.StringIO(file.read_text())))
            known = [row for row in rows if not row["sold_at"][:10] > str(day)]
            with (growing.source.parent / file.name).open("w", newline="") as grown:
                writer = csv.DictWriter(grown, list(rows[0]))
                writer.writeheader()
                writer.writerows(known)
        ran = clientele("run", "--json", "--as-of", str(day), source=growing.source, data_dir=tmp_path / "daily")
        assert ran.exit_code == 0, ran.stderr
    stretch = ("--from", str(days[0]), "--to", str(days[-1]))
    assert clientele("backfill", *stretch, source=whole.source, data_dir=tmp_path / "after").exit_code == 0
    daily, after = (hashes(tmp_path / name / "published" / "current") for name in ("daily", "after"))
    differing = {name for name in daily if daily[name] != after[name] and not name.startswith("quality.")}
    assert differing <= MARKS
