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
    """One kind of input: its grain and columns; `key` names the columns that identify a row where there are any."""

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
    ),
)

ENTITIES: Final[dict[str, Entity]] = {entity.name: entity for entity in _DECLARED}

START_ENTITIES: Final = ("transactions", "campaign_contacts")
"""At least one of these is required: nothing can be said about customers who did nothing."""
