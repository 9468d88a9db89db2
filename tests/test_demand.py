"""Demand as a run asks for it: pieces of sold products by week, what is planned, and what the shelves hold."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from orchestration.assets.demand import ASSETS
from orchestration.runs.run import Run
from tests.runs import shop_run
from tests.shop import AS_OF, SOURCE

PRODUCTS = [("milk", "dairy"), ("cheese", "dairy"), ("jam", "sweet"), ("rare", "odd")]
STOCK = [
    # product, day, pieces, days to deliver
    ("milk", AS_OF - timedelta(days=9), 90, 1),
    ("milk", AS_OF - timedelta(days=2), 12, 3),
    ("cheese", AS_OF - timedelta(days=2), 8, 10),
    ("rare", AS_OF, 1, 1),
]


def promotion(day: date) -> bool:
    """Every third week, the next one from the as-of date among them."""
    return ((day - AS_OF).days - 1) // 7 % 3 == 0


def tables(folder: Path, **config: Any) -> Run:
    """What a run has after demand: of milk 2 pieces a day are sold, in weeks of a promotion 6; of jam 1."""
    made = shop_run(folder, source=SOURCE.replace("models:\n", f"models:\n  demand: {config}\n"))
    days = [AS_OF - timedelta(days=age) for age in range(7 * 40)]
    sold = [("milk", day, 6.0 if promotion(day) else 2.0, "sale") for day in days] + [
        ("jam", day, 1.0, "sale") for day in days
    ]
    returned = [("jam", days[0], -500.0, "return")]
    lines = pl.DataFrame(sold + returned, schema=["product_id", "transaction_date", "quantity", "kind"], orient="row")
    write = made.warehouse.write
    write("marts.dim_as_of", pl.DataFrame({"as_of_date": [AS_OF]}))
    write("marts.fct_transaction_lines", lines.with_columns(net_amount=pl.col("quantity")))
    products = pl.DataFrame(PRODUCTS, schema=["product_id", "category"], orient="row")
    write("marts.dim_products", products.with_columns(is_product=True))
    stock = ["product_id", "date", "on_hand_quantity", "lead_time_days"]
    write("marts.fct_stock_levels", pl.DataFrame(STOCK, schema=stock, orient="row"))
    known = [AS_OF + timedelta(days=number) for number in range(-7 * 40, 60)]
    planned = pl.DataFrame({"date": [day for day in known if promotion(day)]})
    noise = pl.DataFrame({"date": known}).with_columns(value=pl.col("date").dt.day() * 1.0, name=pl.lit("weather"))
    both = pl.concat([planned.with_columns(value=pl.lit(1.0), name=pl.lit("promotion")), noise])
    write("intermediate.int_planned_days", both.with_columns(is_holiday=False))
    assert dg.materialize(ASSETS, resources={"run": made}).success
    return made


def test_a_promotion_that_is_known_ahead_is_expected_where_the_source_file_says_that_it_is(tmp_path: Path) -> None:
    asked = (
        "select round(expected_demand) from ml.demand_forecasts where product_group = 'dairy' order by horizon_weeks"
    )
    told = tables(tmp_path / "told", planned="promotion").warehouse.read(asked).to_series().to_list()
    untold = tables(tmp_path / "untold").warehouse.read(asked).to_series().to_list()
    assert told[0] > 1.5 * told[1]
    assert abs(told[0] - 42) < abs(untold[0] - 42)
    assert len(set(untold)) == 1


def test_stock_is_the_last_level_of_each_product_of_a_group_that_is_forecast(tmp_path: Path) -> None:
    made = tables(tmp_path, planned=["promotion"])
    row = made.warehouse.read("from ml.reorder_suggestions").row(0, named=True)
    assert (row["product_group"], row["on_hand_quantity"], row["lead_time_days"]) == ("dairy", 20, 10)
    assert row["suggested_quantity"] >= row["expected_demand"] - 20 > 0
    assert made.warehouse.read("from ml.reorder_suggestions").height == 1  # of odd nothing is sold, of sweet no stock
    jam = made.warehouse.read("select distinct expected_demand from ml.demand_forecasts where product_group = 'sweet'")
    assert jam.to_series().to_list() == [7]  # what comes back is no demand
