"""The `rules` block of a source file: the few business rules that differ between companies, typed and defaulted.

What a rule does is SQL's to say (dbt_project); here is only what a company declares, and how SQL gets to read it.
"""

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator, Field

from orchestration.intake.strict import Strict, as_tuple

if TYPE_CHECKING:  # `clientele status` answers without it
    import polars as pl

PREFIX_MARK: Final = "*"


def _texts(value: object) -> object:
    """YAML reads a bare 12346 as a number; as an id it is text."""
    items = as_tuple(value)
    return (
        [str(item) if isinstance(item, int) else item for item in items] if isinstance(items, list | tuple) else items
    )


Ids = Annotated[tuple[str, ...], BeforeValidator(_texts)]
"""Ids as text; a single one needs no list."""


class Returns(Strict):
    """How a company marks what goes back or is corrected, where no `kind` is mapped or it is empty."""

    cancellation_prefix: str | None = Field(
        None, min_length=1, description="a transaction_id that starts with it cancels: money back, never a purchase"
    )
    adjustment_prefix: str | None = Field(
        None, min_length=1, description="a transaction_id that starts with it corrects the books, never a purchase"
    )


class Rules(Strict):
    """What is no product, who is no customer, and how cancellations are marked."""

    non_products: Ids = Field(
        (),
        description="product ids that are no goods, such as postage or gift cards (`gift_*`: all that start so): "
        "their lines keep their money and make no purchase",
    )
    test_customers: Ids = Field((), description="customer ids whose rows are excluded, in every entity")
    returns: Returns = Returns()

    def tables(self) -> "dict[str, pl.DataFrame]":
        """The lists as small tables by key: one row per declared id, for SQL to join."""
        import polars as pl

        products = dict.fromkeys(self.non_products)
        return {
            "raw.rule_non_products": pl.DataFrame(
                {
                    "product_id": [name.removesuffix(PREFIX_MARK) for name in products],
                    "is_prefix": [name.endswith(PREFIX_MARK) for name in products],
                },
                schema={"product_id": pl.String, "is_prefix": pl.Boolean},
            ),
            "raw.rule_test_customers": pl.DataFrame(
                {"customer_id": list(dict.fromkeys(self.test_customers))}, schema={"customer_id": pl.String}
            ),
        }
