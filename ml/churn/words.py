"""Reasons in words that a manager reads; what is not listed is said by the feature's own name."""

from typing import Final

import polars as pl

from ml.schemas import WINDOWS_DAYS

_PHRASES: Final = {
    "recency_days": ("last purchase {} days ago", 0),
    "recency_per_gap": ("silent for {} times the usual gap between purchases", 1),
    "recency_per_median_gap": ("silent for {} times the median gap between purchases", 1),
    "recency_per_last_gap": ("silent for {} times the last gap between purchases", 1),
    "recency_per_tenure": ("silent for {} of all days as a customer", 2),
    "frequency_count": ("{} purchases so far", 0),
    "purchase_day_count": ("bought on {} days so far", 0),
    "purchase_days_per_tenure": ("{} purchase days per day as a customer", 2),
    "tenure_days": ("customer for {} days", 0),
    "monetary_amount": ("{} spent so far", 0),
    "average_order_amount": ("{} spent per purchase", 0),
    "average_line_count": ("{} lines per purchase", 1),
    "gap_mean_days": ("{} days between purchases on average", 0),
    "gap_median_days": ("{} days between purchases in the middle", 0),
    "gap_deviation_days": ("gaps between purchases vary by {} days", 0),
    "gap_deviation_per_gap": ("gaps between purchases vary by {} of their mean", 2),
    "last_gap_days": ("{} days between the last two purchases", 0),
    "discount_share": ("{} of the gross amount was discount", 2),
    "return_share": ("{} of the money was returned", 2),
    "weekend_share": ("{} of purchases on weekends", 2),
    "evening_share": ("{} of purchases in the evening", 2),
    "recent_share_of_purchases": ("{} of the last 90 days' purchases in the last 30", 2),
    "silence_probability": ("{} chance of silence by the purchase model", 2),
    "contract_tenure_days": ("contract running for {} days", 0),
    "last_change_days": ("contracts last changed {} days ago", 0),
    "running_contract_count": ("{} contracts running", 0),
    "ended_contract_count": ("{} contracts ended before", 0),
    "monthly_amount": ("{} a month", 2),
    "paid_amount": ("{} paid for contracts so far", 0),
    **{f"purchase_count_{days}_days": (f"{{}} purchases in the last {days} days", 0) for days in WINDOWS_DAYS},
    **{f"net_amount_{days}_days": (f"{{}} spent in the last {days} days", 0) for days in WINDOWS_DAYS},
}
_UNKNOWN: Final = {
    "gap_mean_days": "bought on one day only",
    "gap_median_days": "bought on one day only",
    "last_gap_days": "bought on one day only",
    "recency_per_gap": "bought on one day only",
    "recency_per_median_gap": "bought on one day only",
    "recency_per_last_gap": "bought on one day only",
    "gap_deviation_days": "bought on fewer than three days",
    "gap_deviation_per_gap": "bought on fewer than three days",
}


def in_words(reasons: pl.DataFrame) -> pl.DataFrame:
    """The column `words` beside the columns feature, value and contribution: "raises the risk: last purchase ...".

    The rounding is for reading; a feature without a phrase is named, with its value if it has one, or with the `text`
    beside it if it is a category.
    """
    if "text" not in reasons.columns:
        reasons = reasons.with_columns(text=pl.lit(None, pl.String))
    phrases = pl.DataFrame(
        [(name, phrase, digits, _UNKNOWN.get(name)) for name, (phrase, digits) in _PHRASES.items()],
        schema={"feature": pl.String, "phrase": pl.String, "digits": pl.Int64, "unknown": pl.String},
        orient="row",
    )
    number = pl.coalesce(
        *(
            pl.when(pl.col("digits") == digits).then(
                pl.col("value").round(digits).cast(pl.Decimal(38, digits)).cast(pl.String)
            )
            for digits in (0, 1, 2)
        ),
        pl.col("value").round(2).cast(pl.String),
    )
    name = pl.col("feature").str.replace_all("_", " ")
    shown = pl.coalesce(pl.lit(": ") + number, pl.lit(": ") + pl.col("text"), pl.lit(""))
    named = name + shown
    said = (
        pl.when(pl.col("value").is_null())
        .then("unknown")
        .otherwise(pl.col("phrase").str.replace("{}", number, literal=True))
    )
    effect = pl.when(pl.col("contribution") >= 0).then(pl.lit("raises")).otherwise(pl.lit("lowers"))
    return (
        reasons.join(phrases, on="feature", how="left", maintain_order="left")
        .with_columns(words=effect + pl.lit(" the risk: ") + pl.coalesce(said, named))
        .drop("phrase", "digits", "unknown", "text")
    )
