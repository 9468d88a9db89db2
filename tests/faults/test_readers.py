"""Whoever reads while versions change reads one version, whole, and never waits or fails."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from orchestration.publishing.generations import current_link, swap
from orchestration.publishing.publish import publish
from orchestration.runs.run import Run
from tests.runs import shop_run

TABLES = ("marts.dim_customers", "ml.churn_scores", "reports.rpt_kpis_daily")
READER = f"""
import json, sys, threading
from pathlib import Path
import duckdb
current, ended, reads, mixed, errors, seen = Path(sys.argv[1]), threading.Event(), 0, 0, [], set()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
print("ready", flush=True)
while not ended.is_set():
    try:
        with duckdb.connect(str(current / "clientele.duckdb"), read_only=True) as connection:
            found = [connection.execute(f"select min(version), max(version) from {{table}}").fetchall()[0]
                     for table in {TABLES}]
        reads, mixed = reads + 1, mixed + (len({{value for row in found for value in row}}) > 1)
        seen.add(found[0][0])
    except Exception as error:
        errors.append(repr(error))
print(json.dumps({{"reads": reads, "mixed": mixed, "errors": errors, "versions": len(seen)}}))
"""


def publish_version(run: Run, number: int) -> None:
    for table in TABLES:
        run.warehouse.write(table, pl.DataFrame({"version": [number] * 20_000}))
    publish(replace(run, run_id=f"run-{number}"), as_of=date(2026, 6, 30), comments={})


@pytest.mark.parametrize(("readers", "publications"), [(4, 8), pytest.param(20, 100, marks=pytest.mark.full)])
def test_no_reader_fails_or_sees_two_versions_at_once(tmp_path: Path, readers: int, publications: int) -> None:
    run = shop_run(tmp_path)
    publish_version(run, 0)
    command = [sys.executable, "-c", READER, str(current_link(run.settings))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    reading = [subprocess.Popen(command, text=True, **pipes) for _ in range(readers)]
    for process in reading:
        assert process.stdout is not None
        process.stdout.readline()
    for number in range(1, publications + 1):
        publish_version(run, number)
    told = [json.loads(process.communicate()[0]) for process in reading]
    assert [error for reader in told for error in reader["errors"]] == []
    assert sum(reader["mixed"] for reader in told) == 0
    assert all(reader["reads"] for reader in told)
    assert max(reader["versions"] for reader in told) > 2


@pytest.mark.full
def test_the_swap_takes_at_most_fifty_milliseconds_in_ninety_nine_of_a_hundred(tmp_path: Path) -> None:
    run = shop_run(tmp_path)
    publish_version(run, 0)
    publish_version(run, 1)
    link, seconds = current_link(run.settings), []
    for number in range(1000):
        begun = time.perf_counter()
        swap(link, link.parent / "versions" / f"run-{number % 2}")
        seconds.append(time.perf_counter() - begun)
    assert sorted(seconds)[989] < 0.05
