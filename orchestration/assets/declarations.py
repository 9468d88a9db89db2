"""What the source file declares beside files and columns, one table each for dbt: limits, model settings, rules.

They are written from the source file alone; what needs received rows first belongs in `raw`.
"""

from collections.abc import Callable

import dagster as dg
import polars as pl

from ml.schemas import Schema
from orchestration.dbt.assets import OWNERS
from orchestration.intake.source_file import Source
from orchestration.privacy.pseudonyms import kept_ids
from orchestration.runs.run import Run

MODEL_SETTINGS: Schema = {
    "model": pl.String,
    "horizon_days": pl.Int64,
    "active_window_days": pl.Int64,
    "minimum_history_days": pl.Int64,
    "maximum_training_cutoffs": pl.Int64,
    "minimum_customers": pl.Int64,
    "minimum_outcomes": pl.Int64,
}


def declared(
    table: str,
    rows: Callable[[Source], pl.DataFrame],
    *,
    description: str,
    is_shown: bool = False,
    has_customers: bool = False,
) -> dg.AssetsDefinition:
    """The asset of one table: what `rows` makes of the source file; the only row of it as metadata if `is_shown`.

    Where rows are of customers, their ids become those under which customers are kept.
    """

    @dg.asset(key=table.split("."), group_name="raw", kinds={"duckdb"}, owners=OWNERS, description=description)
    def declaration(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
        frame = rows(run.source)
        if has_customers:
            ids = kept_ids(run.settings, frame["customer_id"].to_list(), source=run.source)
            frame = frame.with_columns(pl.col("customer_id").replace_strict(ids, return_dtype=pl.String))
        count = run.warehouse.write(table, frame)
        shown = frame.row(0, named=True) if is_shown else {}
        return dg.MaterializeResult(metadata={"dagster/row_count": count, **shown})

    return declaration


def limits(source: Source) -> pl.DataFrame:
    """One row: a column per limit."""
    values = source.limits.model_dump()
    return pl.DataFrame([values], schema=dict.fromkeys(values, pl.Float64))


def model_settings(source: Source) -> pl.DataFrame:
    """One row per model x horizon, from which dbt says before any training whether this data can answer it."""
    churn, clv = source.models.churn, source.models.clv
    asked = [
        {"model": "churn"} | churn.model_dump(include=set(MODEL_SETTINGS)),
        *(
            {"model": "clv", "horizon_days": days} | clv.model_dump(include=set(MODEL_SETTINGS))
            for days in clv.horizons_days
        ),
    ]
    return pl.DataFrame(asked, schema=MODEL_SETTINGS)


ASSETS = [
    declared(
        "raw.limits",
        limits,
        description="One row: the shares and factors beyond which this source file lets no run publish.",
        is_shown=True,
    ),
    declared(
        "raw.model_settings",
        model_settings,
        description="One row per model x horizon: what the source file asks of it, and what a contest needs.",
    ),
    declared(
        "raw.holidays",
        lambda source: source.holidays.table(),
        description="One row per holiday of the country that the source file declares; none without.",
    ),
    declared(
        "raw.rule_non_products",
        lambda source: source.rules.tables()["raw.rule_non_products"],
        description="One row per product id, or beginning of one, that the source says is no product.",
    ),
    declared(
        "raw.rule_test_customers",
        lambda source: source.rules.tables()["raw.rule_test_customers"],
        description="One row per customer id that the source says is a test and no customer.",
        has_customers=True,
    ),
]
