"""Segments from day to day: what is on record stands, why customers moved, and a snapshot never changes."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ml.features import build_features
from ml.schemas import CHURN_SCORES, CLV_PREDICTIONS, empty
from ml.segment_schemas import PROFILE
from orchestration.assets import segmentation
from orchestration.errors import InputError
from orchestration.intake.source_file import load_source
from orchestration.models import segments
from orchestration.runs.run import Run
from orchestration.settings import Settings
from orchestration.storage.history import History
from orchestration.storage.segment_snapshots import freeze, kept
from orchestration.warehouse import Warehouse
from tests.commands import Finished, clientele
from tests.holder import another_run
from tests.ml.behaviours import AS_OF, shop
from tests.runs import run_on
from tests.shop import SOURCE

RULES = "segments:\n  rules: {ours: {big: monetary_amount > 1000, north: region = 'north'}}\n"


@pytest.fixture(scope="module")
def day_by_day(tmp_path_factory: pytest.TempPathFactory) -> dict[date, Run]:
    """Two days of one shop in one data folder, each in a warehouse of its own; the second day is fitted anew."""
    folder = tmp_path_factory.mktemp("days")
    (folder / "shop.yml").write_text(SOURCE + RULES)
    transactions, _ = shop(40, seed=4)
    runs = {}
    for number, as_of in enumerate((AS_OF - timedelta(days=8), AS_OF)):
        settings = Settings(data_dir=folder / "data", source=folder / "shop.yml")
        warehouse = Warehouse(folder / f"{as_of}.duckdb", settings=settings)
        known = transactions.filter(pl.col("transaction_date") <= as_of)
        features = build_features(known, as_of=as_of)
        people = features.select("customer_id").with_columns(
            pl.lit("north" if name == "region" else None, pl.String).alias(name) for name in (*PROFILE, "loyalty_tier")
        )
        warehouse.write("marts.dim_as_of", pl.DataFrame({"as_of_date": [as_of], "is_backfilled": [False]}))
        warehouse.write("marts.fct_transactions", known)
        warehouse.write("marts.dim_customers", people)
        allowed = pl.lit(True).alias("is_profiling_allowed"), pl.lit(True).alias("is_marketing_allowed")
        warehouse.write("marts.dim_customer_permissions", people.select("customer_id", *allowed))
        contacts = dict.fromkeys(("customer_id", "campaign_id"), pl.String) | {"is_control": pl.Boolean}
        moments = dict.fromkeys(("contacted_at", "responded_at"), pl.Datetime("us"))
        warehouse.write("marts.fct_campaign_contacts", pl.DataFrame(schema=contacts | moments))
        campaigns = {"campaign_id": pl.String, "started_at": pl.Datetime("us")}
        warehouse.write("marts.dim_campaigns", pl.DataFrame(schema=campaigns))
        warehouse.write("ml.customer_features", features)
        warehouse.write("ml.churn_scores", empty(CHURN_SCORES))
        warehouse.write("ml.clv_predictions", empty(CLV_PREDICTIONS))
        run = run_on(settings, run_id=f"run-{number}", warehouse=warehouse)
        for asset in segmentation.ASSETS:
            asset(run=run)
        history = History(settings.history_dir, source=run.source.name)
        history.keep("segments", as_of, warehouse.read("from ml.customer_segments"))
        history.keep("segment_changes", as_of, warehouse.read(segments.CHANGES))
        runs[as_of] = run
    return runs


@pytest.fixture(scope="module")
def today(day_by_day: dict[date, Run]) -> Run:
    return day_by_day[AS_OF]


def test_every_customer_has_one_segment_of_each_strategy_that_the_data_carries(today: Run) -> None:
    found = today.warehouse.read(
        "select strategy, count(*), count(distinct customer_id) from ml.customer_segments group by 1"
    )
    assert sorted(found.rows()) == [(name, 160, 160) for name in ("behavioural", "lifecycle", "ours", "rfm")]
    verdicts = today.warehouse.read(
        "select strategy, status, reason from ml.segment_strategies where status <> 'published'"
    )
    reasons = {strategy: reason for strategy, status, reason in verdicts.iter_rows() if status == "not_carried"}
    assert set(reasons) == {"value", "demographic", "geographic"}
    assert reasons["value"] == "nobody has a CLV prediction."


def test_the_first_day_everybody_is_new_and_the_next_their_way_is_told(day_by_day: dict[date, Run]) -> None:
    first, second = day_by_day.values()
    assert first.warehouse.read("select distinct change from ml.customer_segments")["change"].to_list() == ["new"]
    joined = second.warehouse.read("from ml.customer_segments").join(
        first.warehouse.read("select customer_id, strategy, segment as before from ml.customer_segments"),
        on=["customer_id", "strategy"],
    )
    assert joined.height == 4 * 160
    assert (joined["previous_segment"] == joined["before"]).all()
    moved = joined["segment"] != joined["previous_segment"]
    assert 0 < moved.sum() < joined.height
    assert (joined.filter(~moved)["change"] == "none").all()
    assert set(joined.filter(moved)["change"]) <= {"behaviour", "thresholds", "model"}
    since = {True: AS_OF, False: AS_OF - timedelta(days=8)}
    assert all(row[0] == since[row[1]] for row in zip(joined["segment_since"], moved, strict=True))


def test_every_entry_is_on_record(day_by_day: dict[date, Run]) -> None:
    first, second = day_by_day.values()
    changes = second.warehouse.read("select as_of_date, count(*) from ml.segment_changes group by 1 order by 1").rows()
    moved = second.warehouse.read("select count(*) from ml.customer_segments where change <> 'none'").item()
    assert changes == [(first.as_of, 4 * 160), (second.as_of, moved)]


def test_a_division_is_fitted_again_when_it_is_due_and_stands_until_then(day_by_day: dict[date, Run]) -> None:
    first, second = day_by_day.values()
    fitted = [
        run.warehouse.read("select distinct as_of_date from ml.segment_strategies").item() for run in (first, second)
    ]
    assert fitted == [first.as_of, second.as_of]
    next_day = segments.in_force(second, as_of=AS_OF + timedelta(days=1))
    assert next_day is not None
    assert segments.in_force(second, as_of=AS_OF + timedelta(days=7)) is None


def test_a_day_fitted_again_is_the_same(today: Run) -> None:
    before = [today.warehouse.read(f"from ml.{name}") for name in ("segment_definitions", "segment_evaluations")]
    again = segments.fit(today, as_of=AS_OF)
    assert again.definitions.equals(before[0])
    assert again.evaluations.equals(before[1])


def test_another_wish_in_the_source_file_is_fitted_at_once(today: Run, tmp_path: Path) -> None:
    file = tmp_path / "shop.yml"
    file.write_text(SOURCE + RULES.replace("1000", "2000"))
    other = replace(today, source=load_source(file))
    assert segments.in_force(today, as_of=AS_OF) is not None
    assert segments.in_force(other, as_of=AS_OF) is None


@pytest.fixture
def copied(first_run: Finished, tmp_path: Path) -> Settings:
    """A data folder of its own that sees what the first run published."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "published").symlink_to(first_run.settings.published_dir)
    return Settings(data_dir=tmp_path / "data", source=first_run.settings.source)


def test_a_snapshot_holds_who_was_in_a_segment_and_never_changes(copied: Settings, first_run: Finished) -> None:
    allowing = dict(first_run.summary["segments"]["lifecycle"])["active"] - 1  # one of them refuses marketing
    asked = ("freeze", "spring", "--strategy", "lifecycle", "--segment", "active")
    done = clientele(*asked, source=copied.source, data_dir=copied.data_dir)
    assert (done.exit_code, done.stdout) == (
        0,
        f"spring: {allowing:,} customers of lifecycle active are kept.\n",
    )
    (taken,) = kept(copied, source=load_source(copied.source).name)
    assert taken["customer_id"].n_unique() == allowing
    again = clientele(*asked, source=copied.source, data_dir=copied.data_dir)
    assert (again.exit_code, "a snapshot never changes" in again.stderr) == (2, True)


def test_while_a_run_or_an_erasure_is_at_work_no_snapshot_is_taken(copied: Settings) -> None:
    with another_run(copied) as other:
        asked = ("freeze", "spring", "--strategy", "lifecycle", "--segment", "active")
        done = clientele(*asked, source=copied.source, data_dir=copied.data_dir)
    assert (done.exit_code, done.stdout) == (75, "")
    assert f"process {other.pid}" in done.stderr
    assert kept(copied, source=load_source(copied.source).name) == []


def test_a_snapshot_of_nobody_or_without_a_name_is_refused(copied: Settings) -> None:
    now = datetime(2026, 7, 1)  # noqa: DTZ001 - UTC
    with pytest.raises(InputError, match=r"Nobody is in rfm nobody. There are: .*rfm champions"):
        freeze(copied, name="spring", strategy="rfm", segment="nobody", now=now)
    with pytest.raises(InputError, match="is no name of a snapshot"):
        freeze(copied, name="../spring", strategy="rfm", segment="champions", now=now)
