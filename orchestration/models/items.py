"""What may be recommended, in SQL: days on which customers bought an item, items on offer today, and their names.

An item is a product or a category, as `models.recommendations` says; what it excludes is neither learned nor proposed.
"""

from datetime import date, timedelta

import polars as pl

from ml.recommendations.purchase_days import HISTORY_DAYS
from orchestration.runs.run import Run
from orchestration.warehouse import literal

COLUMNS = {"product": "product_id", "category": "category"}


def item_column(run: Run) -> str:
    """The column of marts.dim_products that names an item."""
    return COLUMNS[run.source.models.recommendations.level]


def allowed(run: Run) -> str:
    """SQL condition on marts.dim_products: neither excluded, nor outside the catalogue where only that counts."""
    config = run.source.models.recommendations
    refused = [
        f"coalesce({column}, '') not in ({', '.join(literal(value) for value in values)})"
        for column, values in sorted(config.exclude.items())
        if values
    ]
    catalogue = ["is_in_catalogue"] if config.only_in_catalogue else []
    return " and ".join(["is_product", f"{item_column(run)} is not null", *catalogue, *refused])


def _sold(run: Run) -> str:
    """SQL from the lines that were sold and paid for, with the item of each, on."""
    return f"""
        from marts.fct_transaction_lines as lines
        inner join (
            select product_id, {item_column(run)} as item from marts.dim_products where {allowed(run)}
        ) as products on lines.product_id = products.product_id
        where lines.kind = 'sale' and lines.net_amount > 0
    """


def are_known(run: Run) -> bool:
    """Whether any line names both a customer and an item."""
    return not run.warehouse.read(f"select 1 as one {_sold(run)} and lines.customer_id is not null limit 1").is_empty()


def purchase_days(run: Run) -> str:
    """The relation of PURCHASE_DAYS: a row a customer, item and day."""
    return f"""(
        select distinct lines.customer_id, products.item, lines.transaction_date as purchase_date {_sold(run)}
    )"""


def since(as_of: date, *, extra_days: int = 0) -> str:
    """SQL condition on purchase days: of the year that counts, or of so many days more."""
    first = as_of - timedelta(days=HISTORY_DAYS + extra_days)
    return f"purchase_date > date '{first}' and purchase_date <= date '{as_of}'"


def offered(run: Run, *, as_of: date) -> pl.DataFrame:
    """The items that may be proposed at a day: sold lately, and not known to be sold out.

    A category is in stock while one of its products is.
    """
    config = run.source.models.recommendations
    sold_out = f"""
        select product_id from (
            select product_id, on_hand_quantity, row_number() over (partition by product_id order by date desc) as place
            from marts.fct_stock_levels where date <= date '{as_of}'
        ) as levels where place = 1 and on_hand_quantity <= 0
    """
    in_stock = f"and lines.product_id not in ({sold_out})" if config.only_in_stock else ""
    first = as_of - timedelta(days=config.sold_within_days)
    return run.warehouse.read(
        f"select distinct products.item {_sold(run)} {in_stock} "
        f"and lines.transaction_date > date '{first}' order by item"
    )


def names(run: Run) -> pl.DataFrame:
    """NAMES of every item."""
    if item_column(run) == "category":
        columns = "category as item, cast(null as varchar) as product_id, category, category as name"
    else:
        columns = "product_id as item, product_id, category, name"
    return run.warehouse.read(f"select distinct {columns} from marts.dim_products where {allowed(run)} order by item")
