"""A company whose published customers a test writes: a version as BI reads it, without a run."""

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from pydantic import SecretStr

from orchestration.intake.activations import columns as columns_of_customers
from orchestration.intake.source_file import Source, load_source
from orchestration.publishing.generations import MANIFEST, columns, current_link, swap, versions_dir
from orchestration.publishing.publish import build
from orchestration.settings import Settings
from tests.crm import SECRET
from tests.shop import SOURCE

DAY = date(2026, 6, 30)
PLAIN = SOURCE.partition("experiments:")[0]
"""The shop without its experiments."""


class Company:
    """Its source file with activations, its settings, and what is published of it."""

    def __init__(self, folder: Path, activations: str, *, url: str = "http://127.0.0.1:9/away", more: str = "") -> None:
        file = folder / "shop.yml"
        file.write_text(f"{PLAIN}actions:\n  activations:\n    {activations}\n{more}")
        given = {"crm_url": SecretStr(url), "crm_secret": SecretStr(SECRET.decode())}
        self.settings = Settings(data_dir=folder / "data", source=file, connections=given, privacy_key="k" * 32)

    @property
    def source(self) -> Source:
        """The source as its file says now."""
        return load_source(self.settings.source)

    def publish(
        self,
        customers: dict[str, dict[str, Any]],
        *,
        refusing: tuple[str, ...] = (),
        control: tuple[str, ...] = (),
        is_held_out: bool = True,
        run_id: str = "run-1",
    ) -> None:
        """Publish customers, each with some columns of the 360; `tier` is a declared attribute."""
        schema = columns_of_customers(())
        rows = [
            {"customer_id": one, "is_marketing_allowed": one not in refusing, **told} for one, told in customers.items()
        ]
        everybody = pl.DataFrame(
            [{**dict.fromkeys(schema), **row} for row in rows], schema_overrides=schema, orient="row"
        )
        people = pl.DataFrame(
            {"customer_id": list(customers), "loyalty_tier": [told.get("tier") for told in customers.values()]},
            schema={"customer_id": pl.String, "loyalty_tier": pl.String},
        )
        arms = {one: "control" if one in control else "reached" for one in customers} if is_held_out else {}
        tables = {
            "reports.rpt_customer_360": everybody.select(*schema),
            "marts.dim_customers": people,
            "marts.dim_customer_permissions": everybody.select("customer_id", "is_marketing_allowed"),
            "marts.fct_transactions": people.select("customer_id"),
            "ml.experiment_assignments": pl.DataFrame(
                [("global_control", one, arm) for one, arm in arms.items()],
                schema=dict.fromkeys(("experiment_id", "customer_id", "arm"), pl.String),
                orient="row",
            ),
            "ml.experiment_results": pl.DataFrame(
                {
                    "experiment_id": ["global_control"] * 2,
                    "arm": ["control", "reached"],
                    "is_control": [True, False],
                    "status": ["running"] * 2,
                }
            ),
        }
        self._write(run_id, tables)

    def _write(self, run_id: str, tables: dict[str, pl.DataFrame]) -> None:
        folder = versions_dir(self.settings) / run_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with duckdb.connect() as connection:
            for name, frame in tables.items():
                connection.execute(f"create schema if not exists {name.partition('.')[0]}")
                connection.register("given", frame)
                connection.execute(f"create table {name} as from given")
                connection.unregister("given")
            found = build(connection, {name: name for name in tables}, folder=folder, comments={})
            told = {
                name: {"row_count": count, "hash": digest, "columns": columns(connection, name)}
                for name, (count, digest) in found.items()
            }
        manifest = {
            "run_id": run_id,
            "published_at": datetime.now(UTC).isoformat(),
            "source": "tiny_shop",
            "as_of_date": DAY.isoformat(),
            "is_scratch": False,
            "schema_version": 1,
            "tables": told,
        }
        (folder / MANIFEST).write_text(json.dumps(manifest))
        swap(current_link(self.settings), folder)
