"""The tiny shop's experiments as they were published: who is in them, what was kept, and nobody who refused."""

from pathlib import Path

import polars as pl

from orchestration.settings import Settings
from tests.commands import Finished, hashes
from tests.shop import AS_OF, REFUSED


def table(published: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(published / "parquet" / f"{name}.parquet")


def test_those_who_are_eligible_and_not_held_out_are_in_the_experiment(published: Path) -> None:
    assigned = table(published, "ml/experiment_assignments")
    features = table(published, "ml/customer_features")
    held = assigned.filter(experiment_id="global_control", arm="control")["customer_id"]
    winback = assigned.filter(experiment_id="winback")
    permissions = table(published, "marts/dim_customer_permissions")
    willing = permissions.filter("is_marketing_allowed", "is_profiling_allowed", "is_analytics_allowed")["customer_id"]
    eligible = features.filter(pl.col("recency_days") > 60)["customer_id"]
    assert set(winback["customer_id"]) == set(eligible) & set(willing) - set(held)
    assert 10 < len(held) < 70  # 5 % of 700
    assert set(winback["assigned_date"]) == {AS_OF}
    assert not {REFUSED[name] for name in ("marketing", "analytics")} & set(winback["customer_id"])


def test_the_report_has_every_arm_and_no_outcome_before_it_is_time(published: Path) -> None:
    report = table(published, "reports/rpt_experiments")
    assert set(report["experiment_id"]) == {"global_control", "winback", "spring"}
    winback = report.filter(experiment_id="winback")
    assert winback.height == 6
    assert set(winback["status"]) == {"running"}
    assert winback["mean"].null_count() == winback["conclusion"].null_count() == 6
    assert winback["assigned_count"].null_count() == 0
    spring = report.filter(experiment_id="spring")
    assert set(spring["status"]) == {"final"}
    # 5 of 40 were controls: too few to tell of, and too few to compare with.
    assert spring.filter("is_control")["customer_count"].to_list() == [None, None]
    assert spring.filter(~pl.col("is_control"), metric="response")["effect"].to_list() == [None]


def test_assignments_are_kept_by_their_day_and_a_past_day_assigns_nobody(
    settings: Settings, published: Path, later_runs: dict[str, Finished]
) -> None:
    (kept,) = (settings.history_dir / "experiment_assignments" / "tiny_shop").glob("[!.]*.parquet")
    assigned = table(published, "ml/experiment_assignments").filter(assigned_by="keyed_hash")
    assert kept.stem == str(AS_OF)
    assert pl.read_parquet(kept).equals(assigned)
    earlier = later_runs["earlier"]
    aside = earlier.settings.published_dir / "versions" / earlier.summary["run_id"]
    assert table(aside, "ml/experiment_assignments").filter(assigned_by="keyed_hash").is_empty()


def test_an_erased_customer_is_in_no_experiment(later_runs: dict[str, Finished]) -> None:
    erased = later_runs["erased"]
    assert erased.exit_code == 0, erased.stderr
    assert "reports.rpt_experiments" in hashes(erased.settings.published_dir / "current")
    files = [
        *(erased.settings.history_dir / "experiment_assignments").rglob("*.parquet"),
        *erased.settings.published_dir.glob("current/parquet/ml/experiment_assignments.parquet"),
    ]
    assert len(files) == 2
    for file in files:
        assert not {"c0001", "c0003"} & set(pl.read_parquet(file)["customer_id"])
