"""Numbers and names as people write them, the same on every page."""

from typing import Final

from orchestration.words import heading

SHARES: Final = ("_share", "_rate", "_probability")
"""How names of shares of one end."""


UNCHANGED: Final = "unchanged on the week before"


def money(amount: float | None, currency: str) -> str:
    """An amount as people write it, without cents once it is large."""
    if amount is None:
        return "unknown"
    return f"{amount:,.2f} {currency}" if abs(amount) < 1000 else f"{amount:,.0f} {currency}"


def value_of(metric: str, value: float | None, currency: str) -> str:
    """A metric's value with its unit."""
    if value is None:
        return "no trade"
    if metric.endswith(SHARES):
        return f"{value:.1%}"
    return money(value, currency) if "amount" in metric else f"{value:,.0f}"


def unit_of(metric: str, currency: str) -> str:
    """What an axis of a metric says."""
    return f"{heading(metric)} ({currency})" if "amount" in metric else heading(metric)


def usual_of(week: dict[str, object], currency: str) -> str:
    """Between which values a week of this metric lies by chance; nothing where too few weeks are known."""
    lower, upper = week["lower_limit"], week["upper_limit"]
    if not isinstance(lower, float) or not isinstance(upper, float):
        return ""
    metric = str(week["metric"])
    return f"Usually {value_of(metric, lower, currency)} to {value_of(metric, upper, currency)}"


def change_of(week: dict[str, object]) -> str | None:
    """How a week's value differs from the week before, in per cent; none where that cannot be said."""
    value, before = week["value"], week["previous_value"]
    if not isinstance(value, float) or not isinstance(before, float) or not before:
        return None
    change = f"{value / before - 1:+.1%}"
    return UNCHANGED if change in ("+0.0%", "-0.0%") else f"{change} on the week before"
