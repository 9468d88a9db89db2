"""A simulated subscription shop: contracts that end at a rate which is known, by age, plan, price and service."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.schemas import CONTRACTS

Array = npt.NDArray[np.float64]

AS_OF: Final = date(2026, 6, 30)
HORIZON: Final = 60
SHAPE, SCALE_DAYS = 0.8, 900.0  # of a Weibull distribution: the hazard falls with age
EFFECTS: Final = {"monthly": 1.2, "yearly": 0.0}  # log hazard ratios of plans
PRICE_EFFECT: Final = 0.8  # for each unit of log(1 + price)
SUPPORT_EFFECT: Final = -0.7
MEAN_LOG_PRICE: Final = 3.4


@dataclass(frozen=True)
class ContractShop:
    """Contracts as they will have been, and their customers' attributes."""

    contracts: pl.DataFrame
    attributes: pl.DataFrame

    def known(self, day: date) -> pl.DataFrame:
        """The contracts as `marts.fct_subscriptions` has them on a day."""
        ended = pl.col("ended_at").cast(pl.Date)
        begun = self.contracts.filter(pl.col("started_at").cast(pl.Date) <= day)
        return begun.with_columns(pl.when(ended <= day).then("ended_at"))

    def end_probability(self, features: pl.DataFrame, *, horizon_days: int) -> Array:
        """The truth for customers at the age of their contract."""
        age = features["contract_tenure_days"].to_numpy()
        ahead = ((age + horizon_days) / SCALE_DAYS) ** SHAPE - (age / SCALE_DAYS) ** SHAPE
        return np.asarray(-np.expm1(-ahead * np.exp(log_hazard(features))), dtype=np.float64)


def log_hazard(features: pl.DataFrame) -> Array:
    """Log hazard ratio of customers."""
    plan = features["plan"].replace_strict(EFFECTS, return_dtype=pl.Float64).to_numpy()
    price = np.log1p(features["monthly_amount"].cast(pl.Float64).to_numpy()) - MEAN_LOG_PRICE
    support = (features["support"] == "yes").cast(pl.Float64).to_numpy()
    return np.asarray(plan + PRICE_EFFECT * price + SUPPORT_EFFECT * support, dtype=np.float64)


def contract_shop(customers: int, *, seed: int, days: int = 1000) -> ContractShop:
    """One contract a customer, begun on any of the `days` up to AS_OF; ends after AS_OF are among them."""
    random = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "subscription_id": [f"s{number:05}" for number in range(customers)],
            "customer_id": [f"c{number:05}" for number in range(customers)],
            "plan": random.choice(["monthly", "yearly"], customers),
            "monthly_amount": random.gamma(8, 4, customers).round(2),
            "support": random.choice(["yes", "no"], customers),
            "town": random.choice(["Bonn", "Kiel", "Ulm"], customers),
        }
    )
    lives = SCALE_DAYS * (random.exponential(size=customers) / np.exp(log_hazard(frame))) ** (1 / SHAPE)
    start = np.datetime64(AS_OF - timedelta(days=days)) + random.integers(0, days, customers).astype("timedelta64[D]")
    end = start + np.ceil(np.minimum(lives, 20_000)).astype("timedelta64[D]")
    contracts = frame.with_columns(
        started_at=pl.Series(start.astype("datetime64[us]")), ended_at=pl.Series(end.astype("datetime64[us]"))
    )
    return ContractShop(contracts.select(*CONTRACTS).cast(CONTRACTS), frame.select("customer_id", "support", "town"))
