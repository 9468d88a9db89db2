"""What is known of each customer's contracts on a day, and what became of them in the days after it.

Pure, and the same function of the day in training and scoring, as `ml.features` and `ml.labels` are for purchases.
Which past days are worth it is `ml.backtest`'s; how a model sees the columns belongs to `ml.churn`.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import polars as pl

from ml.schemas import CONTRACT_FEATURES, CONTRACT_LABELS, conform, empty

_MONTH_DAYS: Final = 365.25 / 12


def build_contract_features(contracts: pl.DataFrame, attributes: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """CONTRACT_FEATURES and attributes of customers with a running contract at the end of `as_of`, by customer_id.

    `contracts` are CONTRACTS rows of whole customers; a start or an end after `as_of` changes nothing. A contract runs
    from the day of its start and no longer on the day of its end. `contract_tenure_days` and `plan` are those of the
    oldest running contract, `tenure_days` counts from the first contract ever, `last_change_days` from the last start
    or end, `monthly_amount` is the sum over running contracts and `paid_amount` that of all months so far, running and
    ended; money is null where no price is known.

    `attributes` are one row a customer, with any columns. They have no history: the customer's present gender, region
    or service is taken for the one that they had at `as_of`. An attribute that changes because a contract ends tells a
    past day what it could not know, and must not be declared. One named like a column of ours is left out.

    Raises:
        polars.exceptions.ColumnNotFoundError: a column of CONTRACTS is missing.
    """
    known = _days(contracts, until=as_of)
    is_running = pl.col("end_date").is_null()
    last_day = pl.col("end_date").fill_null(as_of)
    months = (last_day - pl.col("start_date")).dt.total_days() / _MONTH_DAYS
    price = pl.col("monthly_amount").cast(pl.Float64)
    oldest = known.filter(is_running).unique("customer_id", keep="first", maintain_order=True)
    totals = known.group_by("customer_id", maintain_order=True).agg(
        (as_of - pl.col("start_date").min()).dt.total_days().alias("tenure_days"),
        (as_of - pl.max_horizontal(pl.col("start_date").max(), pl.col("end_date").max()))
        .dt.total_days()
        .alias("last_change_days"),
        is_running.sum().alias("running_contract_count"),
        is_running.not_().sum().alias("ended_contract_count"),
        pl.when(price.filter(is_running).count() > 0).then(price.filter(is_running).sum()).alias("monthly_amount"),
        pl.when(price.count() > 0).then((price * months).sum()).alias("paid_amount"),
    )
    features = oldest.select(
        "customer_id",
        "plan",
        as_of_date=pl.lit(as_of),
        contract_tenure_days=(as_of - pl.col("start_date")).dt.total_days(),
    ).join(totals, on="customer_id", maintain_order="left")
    ours = {*CONTRACT_FEATURES, *CONTRACT_LABELS} - {"customer_id"}
    others = attributes.select(name for name in attributes.columns if name not in ours)
    return conform(features, CONTRACT_FEATURES).join(others, on="customer_id", how="left", maintain_order="left")


def label_contract_ends(contracts: pl.DataFrame, *, as_of: date, horizon_days: int) -> pl.DataFrame:
    """The customer_id and CONTRACT_LABELS of customers with a running contract at `as_of`, sorted by customer_id.

    Churned are those who are without any contract at some time in `as_of` < day <= `as_of` + `horizon_days`; a contract
    that starts by the day after another's end goes on with it, as a renewal or a change of plan does. `days_to_end`
    counts to that day, or is the horizon where it was not reached. Nothing after the horizon changes a label.

    Raises:
        polars.exceptions.ColumnNotFoundError: a column of CONTRACTS is missing.
    """
    last = as_of + timedelta(days=horizon_days)
    seen = _days(contracts, until=last)
    still = pl.col("end_date").is_null() | (pl.col("end_date") > as_of)
    running = seen.filter(pl.col("start_date") <= as_of, still).select("customer_id").unique()
    ends = seen.filter(pl.col("end_date") > as_of).select("customer_id", day="end_date").unique()
    goes_on = (pl.col("start_date") <= pl.col("day") + timedelta(days=1)) & (
        pl.col("end_date").is_null() | (pl.col("end_date") > pl.col("day"))
    )
    kept = ends.join(seen, on="customer_id").filter(goes_on).select("customer_id", "day").unique()
    first = ends.join(kept, on=["customer_id", "day"], how="anti").group_by("customer_id").agg(pl.col("day").min())
    labels = running.join(first, on="customer_id", how="left").with_columns(
        is_churned=pl.col("day").is_not_null(),
        days_to_end=(pl.col("day") - as_of).dt.total_days().fill_null(horizon_days),
    )
    return conform(labels.sort("customer_id"), {"customer_id": pl.String} | CONTRACT_LABELS)


def build_contract_snapshots(
    contracts: pl.DataFrame, attributes: pl.DataFrame, *, cutoffs: Sequence[date], horizon_days: int
) -> pl.DataFrame:
    """CONTRACT_FEATURES, attributes and CONTRACT_LABELS of whole customers at each cut-off, by day and customer.

    A snapshot is worth learning from once its horizon has passed; see `ml.backtest.plan_cutoffs`.
    """
    snapshots = []
    for cutoff in sorted(set(cutoffs)):
        features = build_contract_features(contracts, attributes, as_of=cutoff)
        labels = label_contract_ends(contracts, as_of=cutoff, horizon_days=horizon_days)
        snapshots.append(features.join(labels, on="customer_id", maintain_order="left"))
    return pl.concat(snapshots) if snapshots else empty(CONTRACT_FEATURES | CONTRACT_LABELS)


def _days(contracts: pl.DataFrame, *, until: date) -> pl.DataFrame:
    """The contracts that had begun by a day, oldest first; an end after that day is not known."""
    ended = pl.col("ended_at").cast(pl.Date)
    return (
        contracts.with_columns(
            start_date=pl.col("started_at").cast(pl.Date),
            end_date=pl.when(ended <= until).then(ended),
        )
        .filter(pl.col("start_date") <= until)
        .sort("customer_id", "start_date", "subscription_id")
    )
