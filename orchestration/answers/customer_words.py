"""What is known of one customer as sentences for people; the facts come from `customer_facts`."""

from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from orchestration.words import in_words

SERVED: Final = {
    "champion": "by the model that serves",
    "rule": "by a simple rule, for no model beat it",
    "population": "by the average of everybody, for nothing else is known",
}
CHANGES: Final = {
    "behaviour": "they bought otherwise",
    "thresholds": "the limits between segments moved",
    "model": "the segments were fitted anew",
}


def sentences(found: dict[str, Any]) -> dict[str, list[str]]:
    """Headings and, below each, what there is to say; the first heading is the customer's."""
    head = f"Customer {found['customer_id']} of {found['source_name']}, as of {found['as_of_date']}"
    if not found["is_analytics_allowed"]:
        return {head: ["Does not allow analytics: counted in totals, and looked at by nobody one by one."]}
    told = {head: list(_permissions(found)), "History": list(_history(found))}
    if found["is_profiling_allowed"]:
        told |= {
            "Segments": list(_segments(found)),
            "Churn": list(_churn(found)),
            "Lifetime value": list(_value(found)),
            "Next purchase": list(_next(found)),
        }
    return {heading: said for heading, said in told.items() if said or heading == head}


def show(found: dict[str, Any], console: Console) -> None:
    """Print the sentences below their headings."""
    for heading, said in sentences(found).items():
        console.print(heading, style="bold", highlight=False, markup=False)
        for sentence in said:
            console.print(Padding(escape(sentence), (0, 0, 0, 2), expand=False), highlight=False)


def _permissions(found: dict[str, Any]) -> Iterator[str]:
    if not found["is_profiling_allowed"]:
        yield "Does not allow profiling: no segment and no score is made of them."
    if not found["is_marketing_allowed"]:
        yield "Does not allow marketing: not to be chosen for a campaign."


def _history(found: dict[str, Any]) -> Iterator[str]:
    history, currency = found["history"], found["currency"]
    if not history or not history["purchase_count"]:
        yield "No purchase is on record."
        return
    count = history["purchase_count"]
    yield (
        f"{_counted(count, 'purchase')}, the first on {history['first_purchase_date']}, the last on "
        f"{history['last_purchase_date']} ({_counted(history['recency_days'], 'day')} before). "
        f"{history['net_amount']:,.2f} {currency} net so far, {history['average_order_amount']:,.2f} per purchase."
    )
    if history["gap_median_days"] is not None:
        gap = f"{history['gap_median_days']:g} days"
        yield f"Half of the gaps between purchase days are up to {gap}."
    shares = {"of the gross amount was discount": history["discount_share"], "of it went back": history["return_share"]}
    yield from (f"{share:.0%} {what}." for what, share in shares.items() if share and share >= 0.005)
    for month in found["months"]:
        bought = _counted(month["purchase_count"], "purchase")
        yield f"{month['month_start']:%B %Y}: {bought}, {month['net_amount']:,.2f} {currency}"


def _segments(found: dict[str, Any]) -> Iterator[str]:
    for one in found["segments"]:
        words = f": {in_words(one['words'])}" if one["words"] else ""
        yield f"{in_words(one['strategy'])}: {in_words(one['segment'])}, since {one['segment_since']}{words}"
    for move in found["segment_changes"]:
        why = CHANGES.get(move["change"])
        yield (
            f"{move['as_of_date']}: from {in_words(move['previous_segment'])} to {in_words(move['segment'])} "
            f"({in_words(move['strategy'])}){f', because {why}' if why else ''}"
        )


def _churn(found: dict[str, Any]) -> Iterator[str]:
    churn = found["churn"]
    if churn is None:
        yield "Not scored: bought too long ago, or no churn model or rule serves this data."
        return
    yield (
        f"{churn['churn_probability']:.0%} chance of churn within {churn['horizon_days']} days: {churn['risk_band']} "
        f"risk; {churn['average_churn_probability']:.0%} on average. Scored {_served(churn)}."
    )
    yield from (f"{reason['rank']}. {reason['words']}" for reason in found["churn_reasons"])


def _value(found: dict[str, Any]) -> Iterator[str]:
    what = "margin" if found["value_basis"] == "margin" else "net amount"
    for one in found["lifetime_value"]:
        told = f"{one['expected_amount']:,.2f} {found['currency']} of {what} expected within {one['horizon_days']} days"
        if one["expected_amount_p10"] is not None:  # a rule has no interval
            low, high = (f"{one[f'expected_amount_{end}']:,.2f}" for end in ("p10", "p90"))
            told += f", 80% of the time between {low} and {high}"
        if one["expected_transaction_count"] is not None:
            told += f", in {one['expected_transaction_count']:.1f} purchases"
        yield f"{told}. Scored {_served(one)}."
    if not found["lifetime_value"]:
        yield "Not scored."


def _next(found: dict[str, Any]) -> Iterator[str]:
    expected = found["next_purchase"]
    if expected is None:
        return
    if expected["expected_date"] is None:
        yield f"No day can be said: {expected['verdict']}."
        return
    late = f", in nine of ten cases by {expected['latest_date']}" if expected["latest_date"] else ""
    overdue = " Longer away than usual by now." if expected["is_overdue"] else ""
    yield f"As likely as not by {expected['expected_date']}{late}.{overdue}"


def _served(score: dict[str, Any]) -> str:
    stale = ", trained longer ago than the source file allows" if score["is_stale"] else ""
    return f"{SERVED.get(score['served_by'], score['served_by'])} ({score['model_version']}{stale})"


def _counted(count: float, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
