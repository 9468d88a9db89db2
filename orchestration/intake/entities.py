"""The input contract: which entities exist, which columns each has, which of them a source must map.

Kept as data, so that ingest, validation and the documentation say the same. Types are what staging casts to.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Column:
    """One contract column of an entity: its type after staging, and how it is treated before."""

    name: str
    type: str = "text"
    is_required: bool = False
    is_private: bool = False  # goes to the vault at ingest and nowhere else


@dataclass(frozen=True)
class Entity:
    """One kind of input: its grain and columns; `key` names the columns by which the newest `updated_at` wins."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    takes_attributes: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that a source must map."""
        return tuple(column.name for column in self.columns if column.is_required)

    @property
    def public(self) -> tuple[str, ...]:
        """Names of the columns that raw Parquet holds."""
        return tuple(column.name for column in self.columns if not column.is_private)

    @property
    def private(self) -> tuple[str, ...]:
        """Names of the columns that only the vault holds."""
        return tuple(column.name for column in self.columns if column.is_private)


def _columns(text: str) -> tuple[Column, ...]:
    """Read `name:type` words; `!` marks a required column and `?` one for the vault. The default type is text."""
    columns = []
    for word in text.split():
        name, _, kind = word.strip("!?").partition(":")
        columns.append(Column(name, kind or "text", word.endswith("!"), word.endswith("?")))
    return tuple(columns)


_DECLARED = (
    Entity(
        "transactions",
        "line",
        _columns(
            "transaction_id! customer_id occurred_at:timestamp! product_id quantity:quantity amount:money! "
            "discount_amount:money cost_amount:money currency kind channel store_id country campaign_id"
        ),
    ),
    Entity(
        "customers",
        "customer",
        _columns(
            "customer_id! created_at:timestamp birth_date:date age_band gender income_band household_size "
            "city region postal_code country latitude:double longitude:double acquisition_channel "
            "acquisition_cost_amount:money email? phone? full_name?"
        ),
        key=("customer_id",),
        takes_attributes=True,
    ),
    Entity(
        "products",
        "product",
        _columns("product_id! name category subcategory department brand unit_cost_amount:money"),
        key=("product_id",),
    ),
    Entity(
        "campaigns",
        "campaign",
        _columns("campaign_id! name kind started_at:timestamp ended_at:timestamp cost_amount:money"),
        key=("campaign_id",),
    ),
    Entity(
        "campaign_contacts",
        "customer x campaign",
        _columns("customer_id! campaign_id! contacted_at:timestamp is_control:boolean responded_at:timestamp"),
        key=("customer_id", "campaign_id"),
    ),
    Entity(
        "interactions",
        "customer x event",
        _columns("customer_id! occurred_at:timestamp! kind! channel product_id value:double"),
    ),
    Entity(
        "feedback",
        "message",
        _columns("feedback_id! customer_id transaction_id product_id created_at:timestamp rating:double text? channel"),
        key=("feedback_id",),
    ),
    Entity(
        "subscriptions",
        "contract",
        _columns("subscription_id! customer_id started_at:timestamp! ended_at:timestamp plan monthly_amount:money"),
        key=("subscription_id",),
    ),
    Entity(
        "consents",
        "customer x purpose x date",
        _columns("customer_id! purpose! granted:boolean! effective_at:timestamp"),
        key=("customer_id", "purpose", "effective_at"),
    ),
    Entity(
        "exchange_rates",
        "date x currency",
        _columns("date:date! currency! rate:rate!"),
        key=("date", "currency"),
    ),
    Entity(
        "stock_levels",
        "product x date",
        _columns("product_id! date:date! on_hand_quantity:quantity! lead_time_days:double"),
        key=("product_id", "date"),
    ),
    Entity(
        "regressors",
        "date x name",
        _columns("date:date! name! value:double! region"),
        key=("date", "name", "region"),
    ),
)

ENTITIES: Final[dict[str, Entity]] = {entity.name: entity for entity in _DECLARED}

START_ENTITIES: Final = ("transactions", "subscriptions", "campaign_contacts", "feedback")
"""At least one of these is required: nothing can be said about customers who did nothing."""
