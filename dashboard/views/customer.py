"""One customer by id: segments, scores with their reasons, and what they bought when. No direct identifier is here."""

import streamlit as st

from dashboard import charts
from dashboard.elements import chart, head, note, nothing, number
from dashboard.published import Published
from dashboard.words import money
from orchestration.words import heading, in_words


def show() -> None:
    """Draw the page."""
    data = head("One customer", "Everything that the tables say about one customer id.")
    st.session_state.setdefault("customer", st.query_params.get("id", ""))
    customer = st.text_input("Customer id", key="customer", max_chars=200).strip()
    if not customer:
        nothing("Write an id as it stands in marts.dim_customers; names and addresses are not kept here.")
        return
    st.query_params["id"] = customer
    found = data.rows("from reports.rpt_customer_360 where customer_id = ?", customer)
    if found.is_empty():
        known = data.value("select count(*) from marts.dim_customers where customer_id = ?", customer)
        why = "is known and does not allow analytics, or has none of it" if known else "is not known"
        nothing(f"The customer {why}.")
        return
    _numbers(data, found.row(0, named=True))
    _segments(data, customer)
    _reasons(data, customer)
    _recommendations(data, customer)
    _history(data, customer)


def _numbers(data: Published, facts: dict[str, object]) -> None:
    columns, table_name = st.columns(4), "reports.rpt_customer_360"
    spent = money(float(str(facts["net_amount"])), data.currency)
    number(columns[0], "Net amount so far", spent, definition=data.definition(table_name, "net_amount"))
    number(
        columns[1],
        "Purchases",
        f"{facts['frequency_count']}",
        definition=data.definition(table_name, "frequency_count"),
    )
    churn = facts["churn_probability"]
    said = "not scored" if churn is None else f"{float(str(churn)):.0%} ({facts['risk_band']})"
    number(columns[2], "Churn probability", said, definition=data.definition(table_name, "churn_probability"))
    expected = facts["expected_amount"]
    amount = "not scored" if expected is None else money(float(str(expected)), data.currency)
    number(columns[3], "Expected amount", amount, definition=data.definition(table_name, "expected_amount"))


def _segments(data: Published, customer: str) -> None:
    st.header("Segments")
    segments = data.rows(
        "select s.strategy, s.segment, s.segment_since, w.words from ml.customer_segments as s "
        "left join ml.segment_words as w using (strategy, segment) where s.customer_id = ? order by s.strategy",
        customer,
    )
    if segments.is_empty():
        nothing("There is no segment: the customer never bought, or does not allow profiling.")
    for one in segments.iter_rows(named=True):
        words = f": {in_words(one['words'])}" if one["words"] else ""
        st.markdown(f"{heading(one['strategy'])}: **{in_words(one['segment'])}** since {one['segment_since']}{words}")


def _reasons(data: Published, customer: str) -> None:
    st.header("Why the churn score is what it is")
    reasons = data.rows("select rank, words from ml.churn_reasons where customer_id = ? order by rank", customer)
    if reasons.is_empty():
        nothing("There is no score to explain.")
    for reason in reasons.iter_rows(named=True):
        st.markdown(f"{reason['rank']}. {in_words(reason['words'])}")


def _recommendations(data: Published, customer: str) -> None:
    st.header("What they are likely to buy next")
    found = data.rows(
        "select rank, name, category, reason from ml.product_recommendations where customer_id = ? order by rank",
        customer,
    )
    if found.is_empty():
        nothing("Nothing is recommended: they bought nothing in the last year, or do not allow profiling.")
        return
    for one in found.iter_rows(named=True):
        category = f" ({one['category']})" if one["category"] else ""
        st.markdown(f"{one['rank']}. **{one['name']}**{category}: {one['reason']}")
    note(data.definition("ml.product_recommendations"))


def _history(data: Published, customer: str) -> None:
    st.header("What they bought when")
    months = data.rows(
        "select date_trunc('month', transaction_date)::date as month_start, count(*) as transaction_count, "
        "sum(net_amount) as net_amount from marts.fct_transactions where customer_id = ? group by all order by 1",
        customer,
    )
    if months.is_empty():
        nothing("No transaction is on record.")
        return
    chart(
        charts.columns(
            months, x="month_start", y="net_amount", title="Net amount by month", unit=f"Net amount ({data.currency})"
        ),
        months,
        definition=data.definition("marts.fct_transactions", "net_amount"),
    )
