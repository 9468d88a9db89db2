"""A customer's rhythm: the gap to expect by their own gaps, drawn towards everyone's where these are few.

What being overdue means belongs to those who ask.
"""

from typing import Final

import polars as pl

PSEUDO_GAPS: Final = 2
"""How many gaps of the population are added to a customer's own: their rhythm counts half after two gaps."""

DEFAULT_GAP_DAYS: Final = 30.0
"""The population's gap where nobody has bought on two days: a month, for want of evidence."""


def population_gap(features: pl.DataFrame) -> float:
    """The median over repeat customers (CUSTOMER_FEATURES) of their mean gap in days; a month where there are none."""
    gap = features["gap_mean_days"].median()
    return gap if isinstance(gap, float) else DEFAULT_GAP_DAYS


def expected_gap(own_days: pl.Expr, own_gap_count: pl.Expr, population_gap_days: pl.Expr) -> pl.Expr:
    """Days to the next purchase: (own gaps + PSEUDO_GAPS x the population's) / (how many these are), at least one."""
    days = own_days + PSEUDO_GAPS * population_gap_days
    return (days / (own_gap_count + PSEUDO_GAPS)).clip(lower_bound=1.0)
