"""How early a churn model warns: scores of past days, by a model that knew none of them, against who then lapsed.

A customer lapses when a whole horizon has passed since the last purchase. Fitting does not belong here.
"""

from datetime import date, timedelta
from typing import Final

import polars as pl

from ml.backtest import Fold
from ml.churn.calibration import CalibratedChurn

LOOKS_PER_HORIZON: Final = 8


def watch_days(fold: Fold, *, as_of: date, horizon_days: int) -> list[date]:
    """Days from the fold's own to `as_of` on which its model scores everyone, a week or an eighth horizon apart."""
    step = max(7, horizon_days // LOOKS_PER_HORIZON)
    return [fold.day + timedelta(days=days) for days in range(0, (as_of - fold.day).days + 1, step)]


def early_warning(
    watched: pl.DataFrame, model: CalibratedChurn, *, alert_from: float, horizon_days: int
) -> dict[str, float]:
    """Metrics of the alerts from the probability `alert_from` on, over CUSTOMER_FEATURES of all watch days.

    `early_warning_days`: median days from the first alert to the lapse, of those who were alerted before it.
    `early_warning_share`: share of lapses with an alert before them. `alert_precision`: share of first alerts after
    which the customer lapsed. Only silences that began and ended within the watch count; without any, no metrics.
    """
    if watched.is_empty():
        return {}
    last = watched["as_of_date"].max()
    probability = pl.Series("probability", model.churn_probability(watched), dtype=pl.Float64)
    lapse = pl.col("last_purchase_date") + timedelta(days=horizon_days)
    silences = (
        watched.select("customer_id", "as_of_date", "last_purchase_date")
        .with_columns(probability)
        .with_columns(lapse_date=lapse)
        .filter(pl.col("as_of_date") < pl.col("lapse_date"))
        .group_by("customer_id", "last_purchase_date", "lapse_date")
        .agg(alert_date=pl.col("as_of_date").filter(pl.col("probability") >= alert_from).min())
    )
    newest = watched.group_by("customer_id").agg(newest_purchase_date=pl.col("last_purchase_date").max())
    ended = (
        silences.join(newest, on="customer_id")
        .filter(pl.col("last_purchase_date") >= watched["as_of_date"].min())
        .with_columns(
            is_lapsed=(pl.col("last_purchase_date") == pl.col("newest_purchase_date")) & (pl.col("lapse_date") <= last),
            is_over=pl.col("last_purchase_date") < pl.col("newest_purchase_date"),
        )
        .filter(pl.col("is_lapsed") | pl.col("is_over"))
    )
    lapsed, alerted = ended.filter("is_lapsed"), ended.filter(pl.col("alert_date").is_not_null())
    leads = lapsed.filter(pl.col("alert_date").is_not_null()).select(
        (pl.col("lapse_date") - pl.col("alert_date")).dt.total_days()
    )
    found = {
        "early_warning_days": leads.to_series().median(),
        "early_warning_share": leads.height / lapsed.height if lapsed.height else None,
        "alert_precision": alerted["is_lapsed"].mean(),
    }
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}
