"""Demand: what each group of products will sell in the next weeks, how forecasters did on past ones, what to order."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from ml.action_schemas import DEMAND_EVALUATIONS, DEMAND_FORECASTS, DEMAND_WEEKS, REORDER_SUGGESTIONS
from ml.schemas import conform
from orchestration.dbt.assets import OWNERS
from orchestration.runs.run import Run
from orchestration.warehouse import literal

if TYPE_CHECKING:
    from ml.demand.forecasting import Outlook

INPUTS = [
    *(["marts", name] for name in ("fct_transaction_lines", "fct_stock_levels", "dim_products", "dim_as_of")),
    ["intermediate", "int_planned_days"],
]
WEEKS = 104  # of history, at most
TABLES = {
    "demand_weeks": (
        DEMAND_WEEKS,
        "One row per product group x past week: what was sold, as forecasts are made from it.",
    ),
    "demand_forecasts": (
        DEMAND_FORECASTS,
        "One row per product group x week ahead: the demand to be expected, with an 80 % interval.",
    ),
    "demand_evaluations": (
        DEMAND_EVALUATIONS,
        "One row per product group x forecaster x test: models beside seasonal-naive on past weeks.",
    ),
    "reorder_suggestions": (
        REORDER_SUGGESTIONS,
        "One row per product group with a stock level: what to order now, so that it lasts as often as asked.",
    ),
}


@dg.multi_asset(
    name="demand",
    specs=[
        dg.AssetSpec(["ml", name], deps=INPUTS, description=said, kinds={"polars", "duckdb"}, owners=OWNERS)
        for name, (_, said) in TABLES.items()
    ],
    group_name="demand",
)
def demand(run: dg.ResourceParam[Run]) -> Iterator[dg.MaterializeResult[None]]:
    """Forecast every group by whoever did best on its past weeks, and say how everybody did and what to order."""
    from ml.demand.forecasting import evaluations, forecasts
    from ml.demand.reorder import Policy, suggest
    from ml.demand.weeks import sold

    outlook = _outlook(run)
    reorder = run.source.models.demand.reorder
    policy = Policy(reorder.service_level, reorder.review_days, reorder.lead_time_days)
    graded = evaluations(outlook)
    overall = graded.filter(product_group="all groups", test="latest origin")
    grades = {f"wape_{name}": wape for name, wape in overall.select("candidate", "wape").iter_rows()}
    yield _written(run, "demand_weeks", sold(outlook.weeks, unit=outlook.plan.unit))
    yield _written(run, "demand_forecasts", forecasts(outlook))
    yield _written(run, "demand_evaluations", graded, **grades)
    yield _written(run, "reorder_suggestions", suggest(outlook, _stock(run), policy))


def _outlook(run: Run) -> "Outlook":
    from ml.demand.forecasting import Plan, look_ahead
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
    weeks = weekly(
        days,
        as_of=as_of,
        minimum_weeks=config.minimum_weeks,
        maximum_groups=config.maximum_groups,
        planned_days=_planned(run),
        horizon=config.horizon_weeks,
    )
    return look_ahead(weeks, Plan(config.horizon_weeks, config.origins, config.minimum_weeks, unit))


def _planned(run: Run) -> pl.DataFrame:
    """PLANNED_DAYS: holidays, and the regressors that the source file says are known in advance."""
    names = ", ".join(literal(name) for name in ("", *run.source.models.demand.planned))
    return run.warehouse.read(
        "select date, name, cast(value as double) as value from intermediate.int_planned_days "
        f"where is_holiday or name in ({names}) order by name, date"
    )


def _stock(run: Run) -> pl.DataFrame:
    """STOCK: pieces by the last level of each product, added up over its group."""
    group = run.source.models.demand.product_group
    return run.warehouse.read(f"""
        with latest as (
            select
                product_id,
                max_by(on_hand_quantity, date) as on_hand_quantity,
                max_by(lead_time_days, date) as lead_time_days
            from marts.fct_stock_levels
            group by product_id
        )

        select
            products.{group} as product_group,
            cast(sum(latest.on_hand_quantity) as double) as on_hand_quantity,
            cast(max(latest.lead_time_days) as double) as lead_time_days
        from latest
        inner join marts.dim_products as products on latest.product_id = products.product_id
        where products.{group} is not null
        group by 1
        order by 1
    """)


def _written(run: Run, name: str, frame: pl.DataFrame, **shown: Any) -> dg.MaterializeResult[None]:
    rows = run.warehouse.write(f"ml.{name}", conform(frame, TABLES[name][0]))
    return dg.MaterializeResult(asset_key=["ml", name], metadata={"dagster/row_count": rows, **shown})


ASSETS = [demand]
