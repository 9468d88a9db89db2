from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from tests.sql import select

WEEKS = 50


def _shop(seed: int, *, elasticity: float, products: int = 25, spread: float = 0.2) -> dict[str, pl.DataFrame]:
    """A category whose prices go up and down: demand has a level, weeks of its own, and moods of each product."""
    random = np.random.default_rng(seed)
    season = random.normal(0, 0.3, WEEKS)
    rows = []
    for product in range(products):
        level, mood, price = random.normal(4, 0.5), 0.0, random.uniform(1, 9)
        for week in range(WEEKS):
            mood = 0.7 * mood + random.normal(0, 0.15)
            paid = price * np.exp(-spread * random.choice([0, 0, 1, 2]) - 0.3 * spread * season[week])
            units = random.poisson(np.exp(level + season[week] + mood + elasticity * np.log(paid / price)))
            if units and random.random() < 0.9:  # not every product is sold every week
                rows.append((f"p{product}", week, Decimal(int(units)), Decimal(f"{units * paid:.4f}")))
    lines = pl.DataFrame(rows, schema=["product_id", "week", "quantity", "net_amount"], orient="row").with_columns(
        transaction_date=date(2025, 1, 6) + pl.duration(weeks="week"), kind=pl.lit("sale"), is_product=True
    )
    named = lines.select("product_id").unique().with_columns(category=pl.lit("drinks"))
    return {"fct_transaction_lines": lines, "dim_products": named}


def _drinks(tables: dict[str, pl.DataFrame]) -> dict[str, float]:
    rows = select("rpt_price_sensitivity", tables).filter(pl.col("level") == "category")
    return rows.row(0, named=True)


def test_a_planted_elasticity_is_within_its_interval_about_as_often_as_the_interval_says() -> None:
    found = [_drinks(_shop(seed, elasticity=-1.8)) for seed in range(40)]
    hits = [row["elasticity_lower"] <= -1.8 <= row["elasticity_upper"] for row in found]
    assert sum(hits) >= 35  # of 40 at 95 %, fewer than 35 come about once in a hundred
    assert np.mean([row["elasticity"] for row in found]) == pytest.approx(-1.8, abs=0.05)
    assert np.mean([row["elasticity_upper"] - row["elasticity_lower"] for row in found]) < 0.5


def test_a_demand_that_no_price_moves_has_an_interval_around_zero() -> None:
    found = [_drinks(_shop(seed, elasticity=0)) for seed in range(10)]
    assert sum(row["elasticity_lower"] <= 0 <= row["elasticity_upper"] for row in found) >= 8


def test_the_slope_is_that_of_a_regression_with_every_product_and_week_as_a_column() -> None:
    tables = _shop(3, elasticity=-2)
    lines = tables["fct_transaction_lines"]
    units, paid = lines["quantity"].cast(float).to_numpy(), lines["net_amount"].cast(float).to_numpy()
    columns = [np.log(paid / units)[:, None], lines["product_id"].to_dummies(), lines["week"].to_dummies()]
    slopes, *_ = np.linalg.lstsq(np.hstack([np.asarray(block) for block in columns]), np.log(units), rcond=None)
    assert _drinks(tables)["elasticity"] == pytest.approx(slopes[0], abs=1e-4)


def test_what_cannot_be_answered_is_left_out_and_counted() -> None:
    few = _shop(0, elasticity=-1, products=9)
    flat = _shop(0, elasticity=-1, spread=0.0)
    for tables, reason in ((few, "fewer than 10 products sold steadily"), (flat, "prices hardly vary")):
        rows = select("rpt_price_sensitivity", tables).select("level", "category", "category_count", "elasticity")
        assert rows.rows() == [("left out", reason, 1, None)]


def test_an_order_of_rows_changes_nothing() -> None:
    tables = _shop(1, elasticity=-1)
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=3) for name, frame in tables.items()}
    assert select("rpt_price_sensitivity", tables).equals(select("rpt_price_sensitivity", shuffled))
