"""What was known of a customer on the eve of a contact: purchases, earlier contacts and answers, attributes.

The same function of the day in training and scoring. Which contacts are learned from belongs to `training`.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import polars as pl

from ml.features import build_features
from ml.schemas import CUSTOMER_FEATURES, Schema, conform

CONTACTS: Final[Schema] = {
    "customer_id": pl.String,
    "campaign_id": pl.String,
    "campaign_kind": pl.String,
    "contact_date": pl.Date,
    "response_date": pl.Date,
}
"""Grain: customer x campaign that they were contacted for; `response_date` is null of who has not responded so far."""

EARLIER: Final[Schema] = {
    "earlier_contact_count": pl.Int64,
    "earlier_response_count": pl.Int64,
    "same_kind_contact_count": pl.Int64,
    "same_kind_response_count": pl.Int64,
    "days_since_contact": pl.Int64,
    "days_since_response": pl.Int64,
}
"""Of the contacts before the day, and the answers to them that had come by then."""

NO_INPUTS: Final = ("first_purchase_date", "last_purchase_date", "as_of_date")
KNOWN: Final[Schema] = (
    CONTACTS
    | {name: kind for name, kind in CUSTOMER_FEATURES.items() if name not in (*NO_INPUTS, "customer_id")}
    | EARLIER
)
"""Grain: CONTACTS. Features are null of who never bought before; attributes follow, by their own names."""


def known_before(
    contacts: pl.DataFrame,
    *,
    transactions: pl.DataFrame,
    history: pl.DataFrame,
    attributes: pl.DataFrame,
) -> pl.DataFrame:
    """KNOWN of one bucket of customers and their attributes, sorted by contact_date, customer_id and campaign_id.

    `contacts` are the CONTACTS asked about, real or thought of; `history` are all contacts that were made, and
    `transactions` TRANSACTIONS, of the same customers. Everything on or after a contact's day changes nothing.
    `attributes` are one row a customer, with any columns; they have no history, so that one which a contact changes
    must not be among them. One named like a column of ours is left out.

    Raises:
        polars.exceptions.ColumnNotFoundError: a column of CONTACTS or TRANSACTIONS is missing.
    """
    days = contacts["contact_date"].unique().sort().to_list()
    bought = [_bought(transactions, contacts, day) for day in days]
    features = pl.concat(bought) if bought else pl.DataFrame(schema=CUSTOMER_FEATURES | {"contact_date": pl.Date})
    asked = contacts.select(*CONTACTS).sort("contact_date", "customer_id", "campaign_id")
    found = asked.join(features, on=["customer_id", "contact_date"], how="left", maintain_order="left").join(
        _earlier(asked, history), on=["customer_id", "campaign_id", "contact_date"], how="left", maintain_order="left"
    )
    counts = [name for name in EARLIER if name.endswith("_count")]
    ours = conform(found.with_columns(pl.col(counts).fill_null(0)), KNOWN)
    others = [name for name in attributes.columns if name not in KNOWN or name == "customer_id"]
    return ours.join(attributes.select(others), on="customer_id", how="left", maintain_order="left")


def _bought(transactions: pl.DataFrame, contacts: pl.DataFrame, day: date) -> pl.DataFrame:
    asked = contacts.filter(pl.col("contact_date") == day).select("customer_id").unique()
    theirs = transactions.join(asked, on="customer_id", how="semi")
    return build_features(theirs, as_of=day - timedelta(days=1)).with_columns(contact_date=pl.lit(day))


def _earlier(asked: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """EARLIER of each contact asked about that had one before it."""
    before = history.select("customer_id", kind="campaign_kind", at="contact_date", answered="response_date")
    pairs = asked.join(before, on="customer_id").filter(pl.col("at") < pl.col("contact_date"))
    has_answered = (pl.col("answered") < pl.col("contact_date")).fill_null(False)
    is_same = pl.col("kind").eq_missing(pl.col("campaign_kind"))
    day = pl.col("contact_date").first()
    return pairs.group_by("customer_id", "campaign_id", "contact_date").agg(
        earlier_contact_count=pl.len(),
        earlier_response_count=has_answered.sum(),
        same_kind_contact_count=is_same.sum(),
        same_kind_response_count=(is_same & has_answered).sum(),
        days_since_contact=(day - pl.col("at").max()).dt.total_days(),
        days_since_response=(day - pl.col("answered").filter(has_answered).max()).dt.total_days(),
    )


def responded(contacts: pl.DataFrame, *, window_days: int) -> pl.Series:
    """Whether each contact was answered within so many days, its own included: 1 or 0, in the order given."""
    end = pl.col("contact_date") + pl.duration(days=window_days)
    is_answer = (pl.col("response_date") >= pl.col("contact_date")) & (pl.col("response_date") < end)
    return contacts.select(responded=is_answer.fill_null(False).cast(pl.Float64)).to_series()


def thought_of(customers: pl.Series, kinds: Sequence[str | None], *, on: date) -> pl.DataFrame:
    """CONTACTS that might be made: every customer with a campaign of each kind on a day."""
    asked = pl.DataFrame({"customer_id": customers.unique().sort()}, schema={"customer_id": pl.String})
    offered = pl.DataFrame({"campaign_kind": list(kinds)}, schema={"campaign_kind": pl.String})
    named = asked.join(offered, how="cross").with_columns(
        campaign_id=pl.col("campaign_kind").fill_null(""), contact_date=pl.lit(on), response_date=pl.lit(None)
    )
    return conform(named, CONTACTS)
