"""What a source file may configure of what to do next: products to recommend, demand to be ready for."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from orchestration.intake.strict import Strict, as_tuple


class RecommendationsConfig(Strict):
    """Next product: what is recommended, to whom what not, and what a contest needs."""

    level: Literal["product", "category"] = Field("product", description="what is recommended: product or category")
    horizon_days: int = Field(28, ge=1, le=365, description="days ahead in which it should be bought")
    list_length: int = Field(10, ge=1, le=100, description="recommendations for each customer at most")
    repeats: bool = Field(
        True, description="whether what a customer already bought may be recommended; off: only what is new to them"
    )
    exclude: dict[
        Literal["product_id", "category", "subcategory", "department", "brand"],
        Annotated[tuple[str, ...], BeforeValidator(as_tuple)],
    ] = Field({}, description="products never recommended, by column: `department: [FUEL]`")
    only_in_catalogue: bool = Field(False, description="whether only what the entity products lists is recommended")
    only_in_stock: bool = Field(
        True, description="whether what the last stock level says is sold out is left out; unknown counts as in stock"
    )
    sold_within_days: int = Field(90, ge=1, description="what nobody bought for so many days is not recommended")
    maximum_products: int = Field(
        2000, ge=20, le=10_000, description="products, the most popular, that are compared with each other"
    )
    maximum_customers: int = Field(5_000, ge=100, description="customers that it is fitted and tested on at most")
    minimum_history_days: int = Field(56, ge=1, description="history that a past day needs before it")
    minimum_customers: int = Field(100, ge=1, description="customers who bought again that training and test need")
    minimum_items: int = Field(20, ge=1, description="products or categories that training and test need")


class ReorderConfig(Strict):
    """What to order now: how often stock shall last, and how long an order takes."""

    service_level: float = Field(
        0.95, ge=0.5, lt=1, description="share of order cycles in which stock shall last until the next order arrives"
    )
    review_days: int = Field(7, ge=1, le=182, description="days from one order to the next")
    lead_time_days: int | None = Field(
        None, ge=0, le=182, description="days from an order to its arrival where stock_levels.lead_time_days says none"
    )


class DemandConfig(Strict):
    """Demand: of which groups of products, how far ahead, and what a forecast needs."""

    product_group: Literal["category", "subcategory", "department", "brand", "product_id"] = Field(
        "category", description="column of products whose groups are forecast"
    )
    horizon_weeks: int = Field(4, ge=1, le=26, description="weeks ahead")
    origins: int = Field(6, ge=2, le=26, description="past days on which forecasters are tested at most")
    minimum_weeks: int = Field(26, ge=4, le=104, description="weeks of history that a forecast needs")
    maximum_groups: int = Field(200, ge=1, le=20_000, description="groups that are forecast at most, by demand")
    planned: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (), description="names of regressors whose values are known ahead, such as promotions; holidays always are"
    )
    reorder: ReorderConfig = ReorderConfig()
