"""A seeded shop of four known behaviours, to see whether they are found."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from ml.schemas import TRANSACTIONS, conform

AS_OF = date(2026, 6, 30)
DAYS = 400
BEHAVIOURS = {  # purchases a day, amount of an order, lines, share on discount, share on weekends
    "regulars": (0.20, 20.0, 4, 0.05, 0.28),
    "hoarders": (0.03, 160.0, 25, 0.05, 0.28),
    "bargains": (0.08, 25.0, 5, 0.60, 0.28),
    "saturdays": (0.08, 60.0, 8, 0.05, 0.95),
}


def shop(per_behaviour: int, *, seed: int, days: int = DAYS) -> tuple[pl.DataFrame, pl.DataFrame]:
    """TRANSACTIONS, and the behaviour of each customer."""
    random = np.random.default_rng(seed)
    rows, truth = [], []
    weekdays = np.array([(AS_OF - timedelta(days=int(ago))).weekday() for ago in range(days)])
    for name, (rate, amount, lines, discount, weekend) in BEHAVIOURS.items():
        chance = np.where(weekdays >= 5, weekend / 2, (1 - weekend) / 5)
        for number in range(per_behaviour):
            customer = f"{name}-{number}"
            truth.append((customer, name))
            mine = rate * random.gamma(40, 1 / 40)
            count = max(3, random.poisson(mine * days))
            ago = random.choice(days, count, p=chance / chance.sum())
            spend = amount * random.gamma(40, 1 / 40) * random.gamma(8, 1 / 8, count)
            size = 1 + random.poisson(lines, count)
            off = np.where(random.random(count) < discount, 0.3, 0.0) * spend
            rows += zip([customer] * count, ago.tolist(), spend.round(2), size.tolist(), off.round(2), strict=True)
    frame = pl.DataFrame(
        rows, schema=["customer_id", "ago", "gross_amount", "line_count", "discount_amount"], orient="row"
    )
    dated = frame.with_columns(transaction_date=pl.lit(AS_OF) - pl.duration(days="ago"))
    net = pl.col("gross_amount") - pl.col("discount_amount")
    transactions = dated.with_columns(
        transaction_id=pl.int_range(pl.len()).cast(pl.String),
        occurred_at=pl.col("transaction_date").cast(pl.Datetime("us")),
        net_amount=net,
        value_amount=net,
        is_purchase=pl.lit(value=True),
        is_return=pl.lit(value=False),
    )
    return conform(transactions, TRANSACTIONS), pl.DataFrame(truth, schema=["customer_id", "behaviour"], orient="row")
