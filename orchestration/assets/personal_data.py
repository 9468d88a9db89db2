"""The last look before publishing, with the registry as a table: every column declared, nobody used against their will.

Python asks what SQL cannot: dbt's own declarations, beside the tables that really are there.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from ml.schemas import Schema
from orchestration.dbt.assets import OWNERS
from orchestration.privacy import consent
from orchestration.privacy.registry import Registry, load_registry
from orchestration.publishing.generations import PUBLIC_SCHEMAS
from orchestration.runs.run import Run
from orchestration.warehouse import literal

KEY = dg.AssetKey(["quality", "personal_data"])
PERSONAL_DATA: Schema = {
    "schema_name": pl.String,
    "table_name": pl.String,
    "column_name": pl.String,
    "personal": pl.String,
    "purpose": pl.String,
    "retention": pl.String,
    "is_key": pl.Boolean,
}
BUILT = f"""
    select table_schema, table_name, column_name from information_schema.columns
    where table_catalog = current_database() and table_schema in ({", ".join(map(literal, PUBLIC_SCHEMAS))})
    order by table_schema, table_name, ordinal_position
"""
DECLARED, CONSENTED = "every_published_column_is_declared", "nobody_is_used_against_their_will"
CHECKS = [
    dg.AssetCheckSpec(
        DECLARED,
        asset=KEY,
        blocking=True,
        description="A column does not say what it tells of people. Look at quality.personal_data in the working file "
        "for rows without `personal`, and declare them in the YAML of the dbt project: docs/privacy.md says how.",
    ),
    dg.AssetCheckSpec(
        CONSENTED,
        asset=KEY,
        blocking=True,
        description="A table says something of customers who do not allow what it is for. This is a bug in the model "
        "or asset that writes it; the check's metadata in the UI name its columns.",
    ),
]


def personal_data(tables: Sequence[dg.AssetKey], manifest: Path) -> dg.AssetsDefinition:
    """The asset that looks at all `tables` about to be published, with what dbt's manifest declares of them."""

    @dg.asset(
        key=KEY,
        deps=tables,
        check_specs=CHECKS,
        group_name="publish",
        kinds={"polars", "duckdb"},
        owners=OWNERS,
        description="One row per published table x column: what it says of people, what for, with what it goes.",
    )
    def registry_of_tables(run: dg.ResourceParam[Run]) -> Iterator[dg.MaterializeResult[None]]:
        registry = load_registry(manifest, source=run.source)
        run.warehouse.write(".".join(KEY.path), pl.DataFrame(schema=PERSONAL_DATA))  # it is one of the tables itself
        frame = declared(registry, run.warehouse.read(BUILT))
        rows = run.warehouse.write(".".join(KEY.path), frame)
        with run.warehouse.connect() as connection:
            misused = consent.used_against_will(connection, registry)
        silent = frame.filter(pl.col("personal").is_null())
        undeclared = silent.select(pl.concat_str("schema_name", "table_name", "column_name", separator="."))
        yield dg.MaterializeResult(
            metadata={"dagster/row_count": rows},
            check_results=[_result(DECLARED, undeclared.to_series().to_list()), _result(CONSENTED, misused)],
        )

    return registry_of_tables


def declared(registry: Registry, built: pl.DataFrame) -> pl.DataFrame:
    """PERSONAL_DATA: the columns that are built, each with what is declared of it, or nulls."""
    rows: list[dict[str, Any]] = []
    for schema, table, column in built.iter_rows():
        known = registry.tables.get(f"{schema}.{table}")
        said = known.column(column) if known else None
        rows.append(
            {
                "schema_name": schema,
                "table_name": table,
                "column_name": column,
                "personal": said.personal if said else None,
                "purpose": said.purpose if said else None,
                "retention": said.retention if said else None,
                "is_key": known is not None and known.key == column,
            }
        )
    return pl.DataFrame(rows, schema=PERSONAL_DATA)


def _result(name: str, columns: list[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=not columns, check_name=name, asset_key=KEY, metadata={"columns": columns})
