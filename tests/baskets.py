"""Marts of who bought what, for the reports on products that go together."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import polars as pl


def bought(rows: Iterable[tuple[str, str, str, int]]) -> dict[str, pl.DataFrame]:
    """Lines and products, from transaction, customer, product (its second letter is its shelf) and day of each line."""
    lines = pl.DataFrame(
        list(rows), schema=["transaction_id", "customer_id", "product_id", "day"], orient="row"
    ).with_columns(
        transaction_date=date(2026, 1, 1) + pl.duration(days="day"),
        kind=pl.lit("sale"),
        is_product=True,
        net_amount=pl.lit(Decimal(1)),
    )
    products = lines.select("product_id").unique().sort("product_id")
    shelf = pl.lit("shelf ") + pl.col("product_id").str.slice(1, 1)
    return {"fct_transaction_lines": lines, "dim_products": products.with_columns(name="product_id", category=shelf)}
