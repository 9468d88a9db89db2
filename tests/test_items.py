"""What may be recommended, as the source file says: exclusions, catalogue, stock, and what is still sold."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from orchestration.models import items
from orchestration.runs.run import Run
from tests.runs import shop_run
from tests.shop import SOURCE

DAY = date(2026, 6, 30)
PRODUCTS = [
    # product, category, is it a product, is it in the catalogue
    ("milk", "dairy", True, True),
    ("cheese", "dairy", True, True),
    ("jam", "sweet", True, False),
    ("postage", "fees", False, True),
    ("tape", None, True, True),
]
LINES = [
    # customer, product, day, money
    ("ann", "milk", date(2026, 6, 30), 1),
    ("ann", "milk", date(2026, 6, 30), 2),
    ("ann", "cheese", date(2026, 6, 1), 1),
    ("bob", "jam", date(2026, 6, 1), 1),
    ("bob", "tape", date(2026, 1, 1), 1),
    ("bob", "postage", date(2026, 6, 1), 1),
    ("bob", "cheese", date(2026, 6, 2), 0),
    (None, "milk", date(2026, 6, 3), 1),
]
STOCK = [("milk", date(2026, 6, 1), 0), ("milk", date(2026, 6, 29), 5), ("cheese", date(2026, 6, 29), 0)]


def run(folder: Path, **config: Any) -> Run:
    """A run of the shop with these lines, and `models.recommendations` as given."""
    source = SOURCE.replace("models:\n", f"models:\n  recommendations: {config}\n")
    made = shop_run(folder, source=source)
    products = pl.DataFrame(
        PRODUCTS, schema=["product_id", "category", "is_product", "is_in_catalogue"], orient="row"
    ).with_columns(name=pl.col("product_id").str.to_titlecase(), department=pl.lit("food"))
    lines = pl.DataFrame(LINES, schema=["customer_id", "product_id", "transaction_date", "net_amount"], orient="row")
    made.warehouse.write("marts.dim_products", products)
    made.warehouse.write("marts.fct_transaction_lines", lines.with_columns(kind=pl.lit("sale")))
    stock = pl.DataFrame(STOCK, schema=["product_id", "date", "on_hand_quantity"], orient="row")
    made.warehouse.write("marts.fct_stock_levels", stock)
    return made


def offered(folder: Path, **config: Any) -> list[str]:
    return items.offered(run(folder, **config), as_of=DAY)["item"].to_list()


def test_a_day_of_purchase_is_counted_once_and_neither_gifts_nor_fees_are_purchases(tmp_path: Path) -> None:
    made = run(tmp_path)
    days = made.warehouse.read(f"from {items.purchase_days(made)} where customer_id is not null order by all")
    assert days.rows() == [
        ("ann", "cheese", date(2026, 6, 1)),
        ("ann", "milk", date(2026, 6, 30)),
        ("bob", "jam", date(2026, 6, 1)),
        ("bob", "tape", date(2026, 1, 1)),
    ]
    recent = made.warehouse.read(f"select distinct item from {items.purchase_days(made)} where {items.since(DAY)}")
    assert recent.height == 4
    assert items.are_known(made)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["jam", "milk"]),  # cheese is sold out, tape was last sold in winter, postage is no product
        ({"only_in_stock": False}, ["cheese", "jam", "milk"]),
        ({"sold_within_days": 365}, ["jam", "milk", "tape"]),
        ({"only_in_catalogue": True}, ["milk"]),
        ({"exclude": {"category": "sweet"}}, ["milk"]),
        ({"exclude": {"category": ["sweet"], "product_id": ["milk"]}}, []),
        ({"level": "category"}, ["dairy", "sweet"]),
    ],
)
def test_what_is_offered_follows_the_configuration(tmp_path: Path, config: dict[str, Any], expected: list[str]) -> None:
    assert offered(tmp_path, **config) == expected


def test_items_have_the_names_of_their_level(tmp_path: Path) -> None:
    assert items.names(run(tmp_path / "product")).row(1) == ("jam", "jam", "sweet", "Jam")
    assert items.names(run(tmp_path / "category", level="category")).rows() == [
        ("dairy", None, "dairy", "dairy"),
        ("sweet", None, "sweet", "sweet"),
    ]
