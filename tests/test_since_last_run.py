"""What changed since the last run, on two published versions that differ in what a test planted."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from orchestration.answers import summary
from orchestration.answers.since_last_run import changes
from orchestration.publishing.generations import DATABASE, MANIFEST, swap, versions_dir
from orchestration.settings import Settings
from tests.browser import copied
from tests.commands import Finished

PLANTED = """
    delete from marts.dim_customers where customer_id = 'c0001';
    update quality.reconciliation set accepted = accepted + 12.5, received = received + 12.5
        where entity = 'transactions' and measure = 'amount';
    update quality.reconciliation set received = received + 3, rejected = rejected + 1
        where entity = 'transactions' and measure = 'rows';
    update ml.customer_segments set segment = 'moved_here' where strategy = 'rfm' and customer_id in
        (select customer_id from ml.customer_segments where strategy = 'rfm' order by customer_id limit 5);
    update reports.rpt_model_health set candidate = 'recency', served_by = 'rule', model_version = 'churn-new'
        where model = 'churn';
    insert into ml.model_warnings select as_of_date, 'churn', 30, 'v', 'drift', 'scores have [moved]'
        from marts.dim_as_of;
"""


@pytest.fixture(scope="module")
def later(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Path]:
    """A data folder with the first run's version and a later one that became current, and that one's folder."""
    shown = copied(settings, tmp_path_factory.mktemp("later"))
    first = (shown.published_dir / "current").resolve()
    second = Path(shutil.copytree(first, versions_dir(shown) / "second-run"))
    with duckdb.connect(str(second / DATABASE)) as connection:
        connection.execute(PLANTED)
    manifest = json.loads((second / MANIFEST).read_text())
    manifest |= {"run_id": "second-run", "published_at": datetime.now(UTC).isoformat()}
    (second / MANIFEST).write_text(json.dumps(manifest))
    swap(shown.published_dir / "current", second)
    return shown, second


def test_a_first_run_has_nothing_to_be_compared_with(first_run: Finished) -> None:
    assert first_run.summary["since_last_run"] is None


def test_rows_customers_and_money_are_told_as_differences(later: tuple[Settings, Path], first_run: Finished) -> None:
    found = changes(*later)
    assert found is not None
    assert found["run_id"] == first_run.summary["run_id"]
    assert found["totals"] == {
        "received_row_count": 3,
        "rejected_row_count": 1,
        "customer_count": -1,
        "net_amount": pytest.approx(12.5),
    }


def test_who_moved_between_segments_is_counted_by_way(later: tuple[Settings, Path]) -> None:
    found = changes(*later)
    assert found is not None
    moves = found["segments"]["rfm"]
    assert moves["moved_count"] == sum(way["customer_count"] for way in moves["ways"]) == 5
    assert {way["segment"] for way in moves["ways"]} == {"moved_here"}
    assert {moves["moved_count"] for strategy, moves in found["segments"].items() if strategy != "rfm"} == {0}


def test_people_read_who_serves_instead_of_whom_and_what_warns(later: tuple[Settings, Path]) -> None:
    shown, second = later
    with Console(width=200) as console, console.capture() as captured:
        summary.show(summary.of_version(shown, second), console)
    told = captured.get()
    for words in ("-1 customers", "+3 rows received", "+12.50 net amount", "Moved (rfm)", "5 of ", "to moved here"):
        assert words in told
    assert "recency (rule) serves instead of" in told
    assert "New warning" in told
    assert "CHURN, 30 days: scores have [moved]" in told


def test_versions_of_another_source_or_built_aside_are_not_compared(later: tuple[Settings, Path]) -> None:
    shown, second = later
    kept = (second / MANIFEST).read_text()
    for change in ({"source": "another"}, {"is_scratch": True}):
        (second / MANIFEST).write_text(json.dumps(json.loads(kept) | change))
        assert changes(shown, second) is None
    (second / MANIFEST).write_text(kept)
