"""How old is too old: in hours since the publication, in days of the data, and for Dagster's own daemon."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState

from orchestration.automation.freshness import ages
from orchestration.automation.freshness_policies import WATCHED, policy, with_policy
from orchestration.errors import InputError
from orchestration.intake.source_file import Source, load_source
from orchestration.publishing.generations import PUBLIC_SCHEMAS
from orchestration.settings import Settings
from tests.commands import Finished, clientele
from tests.daemon import daemon
from tests.shop import SOURCE

MADE = datetime(2026, 7, 1, 3, 30, tzinfo=UTC)


def shop(folder: Path, **windows: float) -> tuple[Settings, Source]:
    """The shop's source file with freshness windows, over a publication of 1 July about 30 June."""
    folder.mkdir(exist_ok=True)
    (folder / "tiny_shop.yml").write_text(f"{SOURCE}freshness: {json.dumps(windows)}\n")
    settings = Settings(data_dir=folder / "data", source=folder / "tiny_shop.yml")
    current = settings.published_dir / "current"
    current.mkdir(parents=True, exist_ok=True)
    manifest = {
        "run_id": "r1",
        "source": "tiny_shop",
        "tables": {},
        "published_at": MADE.isoformat(),
        "as_of_date": "2026-06-30",
    }
    (current / "manifest.json").write_text(json.dumps(manifest))
    return settings, load_source(settings.source)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(0, []), (30, []), (30.1, ["warning"]), (54, ["warning"]), (54.1, ["stale"]), (1000, ["stale"])],
)
def test_a_publication_grows_old_by_the_hour(tmp_path: Path, hours: float, expected: list[str]) -> None:
    settings, source = shop(tmp_path)
    assert [age.level for age in ages(settings, source, now=MADE + timedelta(hours=hours))] == expected


@pytest.mark.parametrize(("days", "expected"), [(1.9, []), (2.1, ["warning"]), (5.1, ["stale"])])
def test_data_grows_old_from_the_end_of_its_day_in_the_zone_of_the_source(
    tmp_path: Path, days: float, expected: list[str]
) -> None:
    settings, source = shop(
        tmp_path, data_warn_after_days=2, data_fail_after_days=5, warn_after_hours=1000, fail_after_hours=2000
    )
    end = datetime(2026, 6, 30, 22, tzinfo=UTC)  # midnight in Berlin
    found = ages(settings, source, now=end + timedelta(days=days))
    assert [(age.about, age.level) for age in found] == [("data", level) for level in expected]
    assert all("The newest data is of 2026-06-30" in age.sentence for age in found)


def test_nothing_published_is_not_old(tmp_path: Path) -> None:
    settings, source = shop(tmp_path)
    (settings.published_dir / "current" / "manifest.json").unlink()
    assert ages(settings, source, now=MADE + timedelta(days=900)) == []


@pytest.mark.parametrize(
    "windows",
    [{"warn_after_hours": 54}, {"data_warn_after_days": 5, "data_fail_after_days": 5}, {"fail_after_hours": 0}],
)
def test_windows_that_make_no_sense_are_refused(tmp_path: Path, windows: dict[str, float]) -> None:
    with pytest.raises(InputError, match="freshness"):
        shop(tmp_path, **windows)


def test_every_table_that_comes_in_or_goes_out_has_the_policy_of_the_source_file(tmp_path: Path) -> None:
    _, source = shop(tmp_path, warn_after_hours=3, fail_after_hours=4)
    keys = [["raw", "transactions"], ["staging", "stg_x"], ["marts", "dim_customers"], ["published", "clientele"]]
    assets = [dg.asset(key=key)(lambda: None) for key in keys]
    found = {
        key: spec.freshness_policy for one in with_policy(assets, source) for key, spec in one.specs_by_key.items()
    }
    assert [bool(found[dg.AssetKey(key)]) for key in keys] == [True, False, True, True]
    assert found[dg.AssetKey(keys[0])] == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=4), warn_window=timedelta(hours=3)
    )
    assert set(PUBLIC_SCHEMAS) < WATCHED
    assert policy(None) == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=54), warn_window=timedelta(hours=30)
    )


def test_dagsters_own_daemon_calls_a_table_fresh_then_old_then_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENTELE_DATA_DIR", str(tmp_path / "data"))
    key = dg.AssetKey(["published", "clientele"])
    seen = []
    with daemon(tmp_path / "home", now=datetime.now(UTC)) as awake:
        awake.instance.report_runless_asset_event(dg.AssetMaterialization(key))
        for hours in (1, 31, 55):
            awake.now = datetime.now(UTC) + timedelta(hours=hours)
            awake.freshen()
            seen.append(awake.instance.get_freshness_state_records([key])[key].freshness_state)
    assert seen == [FreshnessState.PASS, FreshnessState.WARN, FreshnessState.FAIL]


def test_status_says_that_the_data_is_stale(first_run: Finished, tmp_path: Path) -> None:
    (tmp_path / "tiny_shop.yml").write_text(f"{SOURCE}freshness: {{data_fail_after_days: 3}}\n")
    places = {"source": tmp_path / "tiny_shop.yml", "data_dir": first_run.settings.data_dir}
    shown = clientele("status", **places)
    assert "Stale: The newest data is of 2026-06-30" in shown.stdout
    (found,) = clientele("status", "--json", **places).summary["too_old"]
    assert (found["about"], found["level"], found["run_id"]) == ("data", "stale", first_run.summary["run_id"])
