"""What the tests of sources share: a source file taken to its marts, without models, and a look at the result."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from orchestration.automation.jobs import TO_MARTS
from orchestration.definitions import build_definitions
from orchestration.settings import Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # a failure is read, not searched for


def build_marts(source: Path, *, data_dir: Path, is_anew: bool = True, as_of: date | None = None) -> Path:
    """Run ingest and dbt, with every data test, on a source file; returns its warehouse, kept beside the source.

    Anew: without the working file of the last build.
    """
    settings = Settings(source=source, data_dir=data_dir, schedules=False)
    definitions = build_definitions(settings)
    job = definitions.resolve_implicit_global_asset_job_def()
    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    wanted = TO_MARTS.resolve(definitions.resolve_asset_graph()) & keys
    if is_anew:
        settings.warehouse_file.unlink(missing_ok=True)
    asked = QUIET | {"resources": {"run": {"config": {"as_of": str(as_of) if as_of else None}}}}
    with dg.DagsterInstance.ephemeral(tempdir=str(data_dir)) as instance:
        result = job.execute_in_process(asset_selection=sorted(wanted), instance=instance, run_config=asked)
    assert result.success
    return Path(shutil.copy(settings.warehouse_file, source.parent))


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query over a warehouse."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(query).fetchall()
