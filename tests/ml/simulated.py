"""Customers simulated from the assumptions of BG/NBD, its relatives and Gamma-Gamma; their shop; and CDNOW."""

from datetime import date, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.backtest import Cutoffs, build_snapshots, plan_cutoffs
from ml.schemas import TRANSACTIONS, conform

Array = npt.NDArray[np.float64]
Model = TypeVar("Model")
AS_OF = date(2026, 6, 30)
HORIZON = 60


def purchase_times(
    count: int, *, r: float, alpha: float, a: float, b: float, until: float, seed: int, first_chances: int = 0
) -> Array:
    """Times of repeat purchases, shape (customers, purchases), infinite after the last.

    With `first_chances` of 1 a customer may leave at the first purchase too, as MBG/NBD has it.
    """
    random = np.random.default_rng(seed)
    rate = random.gamma(r, 1 / alpha, count)
    purchases = random.geometric(np.clip(random.beta(a, b, count), 1e-12, 1)) - first_chances
    times = _arrivals(random, rate, until=until)
    return np.where((times <= until) & (np.arange(times.shape[1]) < purchases[:, None]), times, np.inf)


def pareto_purchase_times(
    count: int, *, r: float, alpha: float, s: float, beta: float, until: float, seed: int
) -> Array:
    """The same as Pareto/NBD has it: customers leave at a time of their own, whatever they buy."""
    random = np.random.default_rng(seed)
    rate = random.gamma(r, 1 / alpha, count)
    lifetime = random.exponential(1, count) / np.maximum(random.gamma(s, 1 / beta, count), 1e-12)
    times = _arrivals(random, rate, until=until)
    return np.where(times <= np.minimum(lifetime, until)[:, None], times, np.inf)


def _arrivals(random: np.random.Generator, rate: Array, *, until: float) -> Array:
    """Purchases of Poisson customers, certainly as many as fall before `until`."""
    width = int(rate.max() * until * 2) + 30
    arrivals: Array = np.cumsum(random.exponential(1, (len(rate), width)), axis=1) / rate[:, None]
    return arrivals


def known(model: type[Model], **parameters: float) -> Model:
    """A model as if it had been fitted to these parameters."""
    fitted = model()
    for name, value in parameters.items():
        setattr(fitted, f"{name}_", value)
    return fitted


def histories(times: Array, *, until: float) -> Array:
    """x, t_x and T of each customer."""
    last = np.where(np.isfinite(times), times, 0).max(axis=1)
    return np.column_stack([np.isfinite(times).sum(axis=1), last, np.full(len(times), until)])


def shop(customers: int = 900, *, seed: int = 0, r: float = 0.8, a: float = 0.6, b: float = 3) -> pl.DataFrame:
    """TRANSACTIONS of a shop of two years up to AS_OF whose customers joined over the first year."""
    random = np.random.default_rng(seed)
    times = purchase_times(customers, r=r, alpha=20, a=a, b=b, until=730, seed=seed)
    start = random.integers(0, 365, customers)
    spend = 15 * 4 / random.gamma(4, 1, customers)
    opened = datetime.combine(AS_OF - timedelta(days=729), time())
    rows = []
    for customer in range(customers):
        for day in [0.0, *times[customer][np.isfinite(times[customer])]]:
            moment = opened + timedelta(days=float(start[customer] + day))
            amount = round(float(spend[customer] * random.gamma(6, 1 / 6)) + 0.01, 2)
            rows.append((f"c{customer:04}", moment, amount))
    frame = pl.DataFrame(rows, schema=["customer_id", "occurred_at", "net_amount"], orient="row")
    return conform(
        frame.with_row_index("transaction_id").with_columns(
            transaction_date=pl.col("occurred_at").dt.date(),
            line_count=pl.lit(1),
            gross_amount=pl.col("net_amount"),
            value_amount=pl.col("net_amount"),
            discount_amount=pl.lit(0),
            is_purchase=pl.lit(True),
            is_return=pl.lit(False),
        ),
        TRANSACTIONS,
    ).filter(pl.col("transaction_date") <= AS_OF)


def plan(transactions: pl.DataFrame) -> Cutoffs:
    """Cut-offs of the shop."""
    first = transactions["transaction_date"].min()
    assert isinstance(first, date)
    cutoffs = plan_cutoffs(
        first_date=first, as_of=AS_OF, horizon_days=HORIZON, minimum_history_days=180, maximum_training=4
    )
    assert cutoffs is not None
    return cutoffs


def snapshots(transactions: pl.DataFrame, *extra: date) -> pl.DataFrame:
    """Snapshots of the shop at all its cut-offs, on AS_OF, and on extra days."""
    return build_snapshots(transactions, cutoffs=(*plan(transactions).all, AS_OF, *extra), horizon_days=HORIZON)


def cdnow() -> pl.DataFrame:
    """The CDNOW sample to 1997-09-30 by customer and day: weeks since the first, amount, T in weeks."""
    end = date(1997, 9, 30)
    return (
        cdnow_days()
        .filter(pl.col("day") <= end)
        .with_columns(
            week=(pl.col("day") - pl.col("day").min().over("customer")).dt.total_days() / 7,
            T=(end - pl.col("day").min().over("customer")).dt.total_days() / 7,
        )
    )


def cdnow_histories() -> Array:
    """Of each customer in CDNOW x, t_x, T and the purchases of the 39 weeks after, by customer."""
    counts = cdnow().group_by("customer").agg(pl.len() - 1, pl.col("week").max(), pl.col("T").first())
    later = cdnow_days().filter(pl.col("day") > date(1997, 9, 30)).group_by("customer").agg(later=pl.len())
    joined = counts.join(later, on="customer", how="left").sort("customer")
    return joined.select("len", "week", "T", pl.col("later").fill_null(0)).to_numpy()


def cdnow_days() -> pl.DataFrame:
    """Amounts of the whole CDNOW sample by customer and day."""
    package = find_spec("lifetimes")  # found, not imported: only its data is wanted
    assert package is not None
    assert package.submodule_search_locations
    sample = Path(package.submodule_search_locations[0]) / "datasets" / "CDNOW_sample.txt"
    fields = [line.split() for line in sample.read_text().splitlines()]
    return (
        pl.DataFrame([(f[1], f[2], float(f[4])) for f in fields], schema=["customer", "day", "amount"], orient="row")
        .with_columns(pl.col("day").str.to_date("%Y%m%d"))
        .group_by("customer", "day")
        .agg(pl.col("amount").sum())
        .sort("customer", "day")
    )
