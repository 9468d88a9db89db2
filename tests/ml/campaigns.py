"""Campaigns whose truth is known: contacts that answers follow from, and an e-mail experiment with known effects."""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.campaigns.contacts import CONTACTS, KNOWN

Array = npt.NDArray[np.float64]
MAILED = date(2026, 3, 20)


def contacts(*rows: tuple[str, str, str | None, date, date | None]) -> pl.DataFrame:
    """CONTACTS from customer, campaign, kind, day and day of the answer."""
    return pl.DataFrame(rows, schema=CONTACTS, orient="row")


def answered(*, customers: int, campaigns: int, as_of: date, seed: int) -> pl.DataFrame:
    """KNOWN contacts of campaigns of two kinds thirty days apart, which frequent customers answer more often."""
    random = np.random.default_rng(seed)
    frames = []
    frequency = random.geometric(0.2, customers)
    for number in range(campaigns):
        day = as_of - timedelta(days=30 * (number + 1))
        chance = 1 / (1 + np.exp(3.2 - 0.9 * np.log1p(frequency) - 0.8 * (number % 2)))
        answers = random.random(customers) < chance
        frames.append(
            pl.DataFrame(
                {
                    "customer_id": [f"c{one:05}" for one in range(customers)],
                    "campaign_id": f"k{number}",
                    "campaign_kind": "mail" if number % 2 else "leaflet",
                    "contact_date": day,
                    "response_date": [day + timedelta(days=3) if one else None for one in answers],
                    "frequency_count": frequency,
                    "recency_days": random.integers(1, 300, customers),
                    "monetary_amount": frequency * random.gamma(4, 5, customers),
                }
            )
        )
    lacking = [pl.lit(None, kind).alias(name) for name, kind in KNOWN.items() if name not in frames[0].columns]
    counts = pl.col("^(earlier|same_kind)_.*_count$").fill_null(0)
    return (
        pl.concat(frames).with_columns(lacking).with_columns(counts).select(pl.col(n).cast(k) for n, k in KNOWN.items())
    )


def mailed(customers: int, *, seed: int, spread: float = 1.0) -> tuple[pl.DataFrame, Array]:
    """UNITS of an e-mail experiment like Hillstrom's and the true effect on each customer's chance of a visit.

    With `spread` 1 the mail works on who bought women's merchandise; visits without it depend on other things, so that
    who visits most is not who is moved most. With 0 it works on everybody alike.
    """
    random = np.random.default_rng(seed)
    womens, recency = random.random(customers) < 0.5, random.integers(1, 13, customers)
    treated, history = random.random(customers) < 0.5, random.lognormal(5, 0.9, customers).round(2)
    effect = 0.05 + spread * np.where(womens, 0.05, -0.05)
    visits = random.random(customers) < 0.02 + 0.18 * (recency < 4) + 0.02 * (history > 200) + treated * effect
    units = pl.DataFrame(
        {
            "customer_id": [f"h{one:06}" for one in range(customers)],
            "campaign_id": "mail",
            "campaign_kind": pl.Series([None] * customers, dtype=pl.String),
            "contact_date": MAILED,
            "response_date": pl.Series([None] * customers, dtype=pl.Date),
            "bought_womens": pl.Series(womens.astype(int)).cast(pl.String),
            "months_since_purchase": pl.Series(recency).cast(pl.String),
            "past_spend": history,
            "channel": random.choice(["Web", "Phone", "Multichannel"], customers),
            "is_treated": treated,
            "outcome": visits.astype(float),
        }
    )
    return units, effect
