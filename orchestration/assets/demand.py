"""Demand: what each group of products will sell in the next weeks, and how every forecaster did on past ones."""

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from ml.action_schemas import DEMAND_EVALUATIONS, DEMAND_FORECASTS, DEMAND_WEEKS
from ml.schemas import Schema, conform
from orchestration.dbt.assets import OWNERS
from orchestration.runs.run import Run

if TYPE_CHECKING:
    from ml.demand.weeks import Weeks

INPUTS = [["marts", name] for name in ("fct_transaction_lines", "dim_products", "dim_as_of")]
WEEKS = 104  # of history, at most


@dg.asset(
    key=["ml", "demand_weeks"],
    deps=INPUTS,
    group_name="demand",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per product group x past week: what was sold, as forecasts are made from it.",
)
def demand_weeks(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Count what every group sold by week."""
    from ml.demand.weeks import sold

    weeks, unit = _weekly(run)
    return _written(run, "ml.demand_weeks", sold(weeks, unit=unit), DEMAND_WEEKS)


@dg.asset(
    key=["ml", "demand_forecasts"],
    deps=INPUTS,
    group_name="demand",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per product group x week ahead: the demand to be expected, with an 80 % interval.",
)
def demand_forecasts(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Forecast every group by whoever did best on its past weeks."""
    forecasts, _ = _forecast(run)
    return _written(run, "ml.demand_forecasts", forecasts, DEMAND_FORECASTS)


@dg.asset(
    key=["ml", "demand_evaluations"],
    deps=INPUTS,
    group_name="demand",
    kinds={"polars", "duckdb"},
    owners=OWNERS,
    description="One row per product group x forecaster x test: models beside seasonal-naive on past weeks.",
)
def demand_evaluations(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[None]:
    """Grade every forecaster at the rolling origins."""
    _, evaluations = _forecast(run)
    overall = evaluations.filter(product_group="all groups", test="latest origin")
    grades = {f"wape_{name}": wape for name, wape in overall.select("candidate", "wape").iter_rows()}
    return _written(run, "ml.demand_evaluations", evaluations, DEMAND_EVALUATIONS, **grades)


def _forecast(run: Run) -> tuple[pl.DataFrame, pl.DataFrame]:
    from ml.demand.forecasting import Plan, forecast

    config = run.source.models.demand
    weeks, unit = _weekly(run)
    return forecast(weeks, Plan(config.horizon_weeks, config.origins, config.minimum_weeks, unit))


def _weekly(run: Run) -> tuple["Weeks", str]:
    """Demand by group and week, and its unit: made again by each asset, which takes less than to keep it."""
    from ml.demand.weeks import weekly

    config, as_of = run.source.models.demand, run.as_of
    lines = f"""
        from marts.fct_transaction_lines as lines
        inner join marts.dim_products as products on lines.product_id = products.product_id
        where lines.kind = 'sale' and products.is_product and products.{config.product_group} is not null
            and lines.transaction_date > date '{as_of - timedelta(weeks=WEEKS)}'
    """
    counted = run.warehouse.read(f"select 1 as one {lines} and lines.quantity > 0 limit 1")
    unit = "net_amount" if counted.is_empty() else "quantity"
    days = run.warehouse.read(
        f"select products.{config.product_group} as product_group, lines.transaction_date as date, "
        f"cast(sum(lines.{unit}) as double) as demand {lines} and lines.{unit} > 0 group by 1, 2 order by 1, 2"
    )
    weeks = weekly(days, as_of=as_of, minimum_weeks=config.minimum_weeks, maximum_groups=config.maximum_groups)
    return weeks, unit


def _written(
    run: Run, key: str, frame: pl.DataFrame, schema: Schema, **shown: float | None
) -> dg.MaterializeResult[None]:
    rows = run.warehouse.write(key, conform(frame, schema))
    metadata = {"dagster/row_count": rows, **shown}
    return dg.MaterializeResult(metadata=metadata)


ASSETS = [demand_weeks, demand_forecasts, demand_evaluations]
