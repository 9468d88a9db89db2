"""The pages, in the order in which they are offered: one file each, named after its subject.

Not in a folder `pages`, which Streamlit would offer by itself until the first page is drawn.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from dashboard.views import (
    behaviour,
    campaigns,
    churn,
    customer,
    customers,
    demand,
    experiments,
    feedback,
    lifetime_value,
    models,
    overview,
    quality,
    recommendations,
    segments,
)


class Page(NamedTuple):
    """What draws a page, its title, its icon in Material Symbols, and its address below that of the first."""

    show: Callable[[], None]
    title: str
    icon: str
    path: str


PAGES: Final = (
    Page(overview.show, "Overview", "monitoring", ""),
    Page(customers.show, "Customers and cohorts", "groups", "customers"),
    Page(segments.show, "Segments", "category", "segments"),
    Page(churn.show, "Churn", "trending_down", "churn"),
    Page(lifetime_value.show, "Lifetime value", "payments", "lifetime-value"),
    Page(recommendations.show, "Next product", "recommend", "next-product"),
    Page(demand.show, "Demand", "inventory_2", "demand"),
    Page(behaviour.show, "Purchase behaviour", "shopping_cart", "behaviour"),
    Page(feedback.show, "Feedback", "forum", "feedback"),
    Page(campaigns.show, "Campaigns", "campaign", "campaigns"),
    Page(experiments.show, "Experiments", "science", "experiments"),
    Page(models.show, "Model health", "verified", "models"),
    Page(quality.show, "Data quality", "rule", "quality"),
    Page(customer.show, "One customer", "person", "customer"),
)
