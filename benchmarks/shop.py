"""A seeded shop whose customers follow BG/NBD and Gamma-Gamma, as large as a benchmark asks for."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from ml.schemas import TRANSACTIONS, conform

AS_OF, DAYS = date(2025, 12, 31), 3 * 365
FIRST_DATE = AS_OF - timedelta(days=DAYS - 1)


def shop(customers: int, *, seed: int = 0) -> pl.DataFrame:
    """TRANSACTIONS of customers who joined over three years, bought at gamma rates and dropped out (BG/NBD)."""
    random = np.random.default_rng(seed)
    joined = random.uniform(0, DAYS - 1, customers)
    rate, last = random.gamma(0.9, 1 / 35, customers), random.beta(0.7, 3.0, customers)
    spend = 30 * 5 / random.gamma(5, 1, customers)
    at_day, active = joined.copy(), np.arange(customers)
    rows = []
    while len(active):
        rows.append(np.column_stack([active, at_day[active], spend[active] * random.gamma(4, 0.25, len(active))]))
        active = active[random.random(len(active)) > last[active]]
        at_day[active] += random.exponential(1, len(active)) / rate[active]
        active = active[at_day[active] < DAYS]
    customer, day, amount = np.concatenate(rows).T
    frame = pl.DataFrame(
        {"customer_id": customer.astype(np.int64), "day": np.floor(day), "net_amount": amount.round(2)}
    )
    dated = frame.with_columns(transaction_date=pl.lit(FIRST_DATE) + pl.duration(days=pl.col("day").cast(pl.Int64)))
    return conform(
        dated.with_columns(
            pl.col("customer_id").cast(pl.String),
            transaction_id=pl.int_range(pl.len()),
            occurred_at=pl.col("transaction_date").cast(pl.Datetime("us")),
            line_count=pl.lit(1),
            gross_amount=pl.col("net_amount"),
            discount_amount=pl.lit(0),
            value_amount=pl.col("net_amount"),
            is_purchase=pl.lit(value=True),
            is_return=pl.lit(value=False),
        ),
        TRANSACTIONS,
    )
