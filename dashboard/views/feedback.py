"""Feedback: what customers complain about, what goes with good and bad ratings, and who is how satisfied."""

import polars as pl
import streamlit as st

from dashboard import charts
from dashboard.elements import chart, head, note, nothing, switched_off, table
from dashboard.published import Published
from orchestration.words import in_words


def show() -> None:
    """Draw the page."""
    data = head("Feedback", "What customers say: topics, satisfaction, and what goes with it.")
    if switched_off(data, "feedback_aspects"):
        return
    _languages(data)
    _topics(data)
    _drivers(data)
    _satisfaction(data)
    _churn(data)


def _languages(data: Published) -> None:
    st.header("Languages")
    languages = data.rows(
        "select language, message_count, case when is_supported then 'yes' else 'no' end as is_supported, auc, "
        "auc_lower, auc_upper, macro_f1, reason from ml.feedback_languages order by message_count desc"
    )
    if languages.is_empty():
        nothing("No text of a known customer was received, or too few customers wrote one.")
        return
    table(languages)
    note(data.definition("ml.feedback_languages"))


def _topics(data: Published) -> None:
    topics = data.rows(
        "select aspect, month_start, message_count, complaint_count, complaint_share from reports.rpt_feedback_topics "
        "where is_complete_month order by aspect, month_start"
    )
    if topics.is_empty():
        nothing("In no month did at least 11 customers write about anything.")
        return
    st.header("Complaints over time")
    names = ["any", *(name for name in topics["aspect"].unique().sort() if name != "any")]
    aspect = st.selectbox("About", names, format_func=lambda name: "anything" if name == "any" else in_words(name))
    chosen = topics.filter(pl.col("aspect") == aspect).drop("aspect")
    told = chosen.filter(pl.col("complaint_share").is_not_null())
    if told.is_empty():
        nothing("In no month did at least 11 customers complain about it.")
        return
    chart(
        charts.lines(
            told,
            x="month_start:T",
            y="complaint_share",
            title="Share of complaints by month",
            x_title="Month",
            unit="Share of messages with an opinion",
            form=".0%",
        ),
        chosen,
        definition=data.definition("reports.rpt_feedback_topics"),
    )


def _drivers(data: Published) -> None:
    st.header("What goes with bad and with good ratings")
    drivers = data.rows(
        "select language, kind, direction, term, customer_count, satisfied_share, satisfied_share_lower, "
        "satisfied_share_upper, words from ml.feedback_drivers order by language, kind, direction, rank"
    )
    if drivers.is_empty():
        nothing("No language is supported whose model could name words.")
        return
    lowers = drivers.filter(direction="lowers", kind="aspect").head(10)
    if lowers.height:
        chart(
            charts.bars(
                lowers,
                label="term",
                value="satisfied_share",
                title="Share of satisfied customers where a message is about it",
                unit="Share of rated messages",
                form=".0%",
            ),
            lowers.drop("words"),
            definition=data.definition("ml.feedback_drivers", "satisfied_share"),
        )
    table(drivers.select("words", "direction", "customer_count"), height=350)
    note(data.definition("ml.feedback_drivers"))


def _satisfaction(data: Published) -> None:
    st.header("Who is how satisfied")
    groups = data.rows(
        "select group_kind, group_name, customer_count, average_rating, satisfied_share, "
        "satisfied_share_lower as lower_share, satisfied_share_upper as upper_share "
        "from reports.rpt_satisfaction order by satisfied_share, group_name"
    )
    if groups.is_empty():
        nothing("Fewer than 11 customers have said what they think.")
        return
    kinds = groups["group_kind"].unique().sort().to_list()
    kind = st.radio("By", kinds, horizontal=True, format_func=in_words, key="satisfaction")
    table(groups.filter(pl.col("group_kind") == kind).drop("group_kind").head(50))
    note(data.definition("reports.rpt_satisfaction"))


def _churn(data: Published) -> None:
    st.header("Do dissatisfied customers leave more often?")
    days = data.rows(
        "select strftime(cutoff_date, '%Y-%m-%d') as past_day, verdict, difference, difference_lower, "
        "difference_upper, dissatisfied_churn_rate, satisfied_churn_rate, dissatisfied_customer_count, "
        "satisfied_customer_count from reports.rpt_satisfaction_churn order by 1 desc"
    )
    if days.is_empty():
        nothing("On no past day were there 11 active customers of either kind; about contracts it is not measured.")
        return
    table(days)
    note(data.definition("reports.rpt_satisfaction_churn"))
