"""Campaigns: what is known of their effects and by what design, who responds, who is like a segment, which offers."""

import polars as pl
import streamlit as st

from dashboard import interval_charts
from dashboard.elements import chart, head, note, nothing, number, served_by, table
from dashboard.published import Published
from orchestration.words import heading, in_words

TABLE, PLANS, LISTS, BANDS = "reports.rpt_campaign_effects", "ml.offer_plans", "ml.lookalikes", "ml.uplift_bands"
PROPENSITIES = "ml.response_propensities"
SHOWN = 30
"""Campaigns in the plot, the latest first; all of them are in the table."""


def show() -> None:
    """Draw the page."""
    data = head("Campaigns", "What campaigns did and how that is known, who is likely to respond, and what to offer.")
    effects = data.rows(f"from {TABLE} order by campaign_date desc nulls last, campaign_id, outcome")
    if effects.is_empty():
        nothing("No customer was contacted in a campaign: map campaigns and campaign_contacts.")
        return
    _numbers(data, effects)
    _effects(data, effects)
    _response(data)
    _lookalikes(data)
    _uplift(data)
    _offers(data)


def _numbers(data: Published, effects: pl.DataFrame) -> None:
    columns = st.columns(3)
    number(
        columns[0],
        "Campaigns",
        f"{effects['campaign_id'].n_unique():,}",
        definition=data.definition(TABLE, "campaign_id"),
    )
    shown = effects.filter("is_effect")["campaign_id"].n_unique()
    number(columns[1], "With an effect that is shown", f"{shown:,}", definition=data.definition(TABLE, "is_effect"))
    offered = data.value(f"select coalesce(sum(offered_count), 0) from {PLANS}")
    number(columns[2], "Customers with an offer", f"{offered:,.0f}", definition=data.definition(PLANS, "offered_count"))


def _effects(data: Published, effects: pl.DataFrame) -> None:
    st.subheader("What campaigns did")
    known = effects.filter(pl.col("difference").is_not_null())
    if known.is_empty():
        nothing("No campaign has anybody to be compared with: no controls, and nobody who came like those contacted.")
    else:
        outcomes = known["outcome"].unique(maintain_order=True).to_list()
        outcome = st.radio("Outcome", outcomes, format_func=heading, horizontal=True)
        compared = known.filter(outcome=outcome).head(SHOWN).with_columns(pl.coalesce("name", "campaign_id"))
        is_share = bool(compared["is_proportion"][0])
        drawn = compared.select("name", "design", "difference", "difference_lower", "difference_upper")
        chart(
            interval_charts.designs(
                drawn,
                title=f"{heading(outcome)}: difference between those contacted and others, by campaign",
                unit=("Shares" if is_share else f"{data.currency} per customer") + "; dashed: no difference",
                form="+.1%" if is_share else "+,.3~f",
            ),
            drawn,
            definition=data.definition(TABLE, "design"),
        )
    reasons = effects.select("reason").drop_nulls().group_by("reason").len("row_count").sort("row_count", "reason")
    for reason, count in reasons.reverse().iter_rows():
        st.markdown(f"- {heading(reason)} ({count} of {effects.height} rows).")
    note(data.definition(TABLE))


def _response(data: Published) -> None:
    st.subheader("Who is likely to respond")
    health = data.rows("from reports.rpt_model_health where model = 'response'")
    if health.is_empty():
        _off(data, "response_propensity")
        return
    served_by(health.row(0, named=True))
    kinds = data.rows(
        f"select coalesce(campaign_kind, 'all') as kind, count(*) as customer_count, avg(response_probability) as "
        f"mean_response_rate, any_value(window_days) as days from {PROPENSITIES} group by all order by 1"
    )
    table(kinds)
    note(data.definition(PROPENSITIES))


def _lookalikes(data: Published) -> None:
    lists = data.rows(
        "select list_name as list, any_value(segment) as segment, count(*) as customer_count, "
        f"avg(joining_probability) as mean_joining_rate, any_value(horizon_days) as days from {LISTS} "
        "group by all order by 1"
    )
    st.subheader("Who is like a segment")
    if lists.is_empty():
        nothing("No list has anybody: actions.lookalikes declares none, or too few customers ever joined the segment.")
        return
    table(lists.with_columns(pl.col("list").str.replace_all("_", " ")))
    note(data.definition(LISTS))


def _uplift(data: Published) -> None:
    st.subheader("Whom a contact changes")
    designs = data.rows("select experiment_id, arm, metric, status, reason from ml.uplift_designs order by 1, 2, 3")
    if designs.is_empty():
        _off(data, "uplift")
        return
    reasons = designs["reason"].map_elements(in_words, pl.String)
    table(designs.rename({"experiment_id": "experiment"}).with_columns(reasons))
    bands = data.rows(
        "select experiment_id || ' ' || arm || ' ' || metric as target, band, predicted_uplift, effect, effect_lower, "
        f"effect_upper from {BANDS} order by 1, 2"
    )
    if bands.height:
        table(bands)
        note(data.definition(BANDS))


def _offers(data: Published) -> None:
    st.subheader("Offers")
    plans = data.rows(
        "select offer, status, effect_basis, offered_count, cost_amount, expected_profit_amount, reason "
        f"from {PLANS} order by offer"
    )
    if plans.is_empty():
        nothing("No offer is declared: actions.offers in the source file.")
        return
    table(plans)
    note(data.definition(PLANS))


def _off(data: Published, capability: str) -> None:
    reason = data.rows("select reason from quality.capabilities where capability = ? and not is_available", capability)
    nothing(f"Switched off for this data: {reason.item()}." if reason.height else "Nothing is learned of it yet.")
