"""The pages, in the order in which they are offered: one file each, named after its subject.

Not in a folder `pages`, which Streamlit would offer by itself until the first page is drawn.
"""

from typing import Final

import streamlit as st

from dashboard.views import (
    behaviour,
    churn,
    customer,
    customers,
    feedback,
    lifetime_value,
    models,
    overview,
    quality,
    segments,
)

PAGES: Final = [
    st.Page(page.show, title=title, icon=f":material/{icon}:", url_path=path, default=page is overview)
    for page, title, icon, path in (
        (overview, "Overview", "monitoring", "overview"),
        (customers, "Customers and cohorts", "groups", "customers"),
        (segments, "Segments", "category", "segments"),
        (churn, "Churn", "trending_down", "churn"),
        (lifetime_value, "Lifetime value", "payments", "lifetime-value"),
        (behaviour, "Purchase behaviour", "shopping_cart", "behaviour"),
        (feedback, "Feedback", "forum", "feedback"),
        (models, "Model health", "verified", "models"),
        (quality, "Data quality", "rule", "quality"),
        (customer, "One customer", "person", "customer"),
    )
]
