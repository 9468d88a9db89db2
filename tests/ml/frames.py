"""TRANSACTIONS frames for the tests of `ml`: a few rows written by hand, or a random shop."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from ml.schemas import TRANSACTIONS

Build = Callable[..., pl.DataFrame]


def transactions(*rows: tuple[str, str, float] | tuple[str, str, float, float, int]) -> pl.DataFrame:
    """Rows of (customer, "2026-01-31 14:00", net amount[, discount, lines]); a negative net is a return."""
    records = []
    for number, (customer, moment, net, *rest) in enumerate(rows):
        discount, lines = rest or (0.0, 1)
        at = datetime.fromisoformat(moment)
        money = (net + discount, discount, net, net)
        records.append((f"t{number}", customer, at, at.date(), lines, *money, net >= 0, net < 0))
    return pl.DataFrame(records, schema=list(TRANSACTIONS), orient="row", infer_schema_length=None).cast(TRANSACTIONS)


def shop(*, first_date: date, days: int, rows: int, customers: int, seed: int) -> pl.DataFrame:
    """Random transactions, one in ten a return, with cents that no binary fraction holds."""
    random = np.random.default_rng(seed)
    day = random.integers(0, days, rows)
    hour = random.integers(0, 24, rows)
    is_return = random.random(rows) < 0.1
    gross = random.integers(1, 20_000, rows)
    discount = np.where(is_return, 0, gross * random.choice([0, 10, 25], rows) // 100)
    moments = np.datetime64(first_date, "us") + (24 * day + hour).astype("timedelta64[h]")
    frame = pl.DataFrame(
        {
            "transaction_id": [f"s{seed}-{number}" for number in range(rows)],
            "customer_id": [f"c{number:04}" for number in random.integers(0, customers, rows)],
            "occurred_at": moments,
            "transaction_date": moments.astype("datetime64[D]"),
            "line_count": random.integers(1, 30, rows),
            "gross_amount": np.where(is_return, -gross, gross),
            "discount_amount": discount,
            "net_amount": np.where(is_return, -gross, gross - discount),
            "value_amount": np.where(is_return, -gross, gross - discount),
            "is_purchase": ~is_return,
            "is_return": is_return,
        }
    )
    money = pl.col("gross_amount", "discount_amount", "net_amount", "value_amount").cast(pl.Decimal(18, 4)) / 100
    return frame.with_columns(money).cast(TRANSACTIONS)


def ignores_the_future(build: Build, past: pl.DataFrame, *, as_of: date, seed: int = 0) -> bool:
    """Whether 1,000 random rows after `as_of`, shuffled among those of `past`, change not one bit."""
    tomorrow = as_of + timedelta(days=1)
    customers = past["customer_id"].n_unique()
    future = shop(first_date=tomorrow, days=60, rows=1000, customers=customers + 10, seed=seed)
    mixed = pl.concat([past, future]).sample(fraction=1.0, shuffle=True, seed=seed)
    return build(mixed, as_of=as_of).equals(build(past, as_of=as_of))
