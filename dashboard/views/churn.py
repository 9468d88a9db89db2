"""Churn: whom the model worries about and why, and how far its probabilities can be trusted."""

import polars as pl
import streamlit as st

from dashboard import charts, interval_charts
from dashboard.elements import chart, head, note, nothing, number, served_by, switched_off, table
from dashboard.published import Published

WATCHED = 200
"""Customers on the watch list; all of them are in reports.rpt_customer_360."""


def show() -> None:
    """Draw the page."""
    data = head("Churn", "Who is about to leave, and why the model thinks so.")
    if switched_off(data, "churn"):
        return
    serving = data.rows("from reports.rpt_model_health where model = 'churn'")
    scores = data.rows("select churn_probability, risk_band, horizon_days from ml.churn_scores")
    if scores.is_empty() or serving.is_empty():
        st.info("Nobody is eligible for a score on this day.")
        return
    health, horizon = serving.row(0, named=True), scores["horizon_days"][0]
    served_by(health)
    columns = st.columns(3)
    high = scores.filter(pl.col("risk_band") == "high").height
    number(columns[0], "Customers scored", f"{scores.height:,}", definition=data.definition("ml.churn_scores"))
    number(columns[1], "At high risk", f"{high:,}", definition=data.definition("ml.churn_scores", "risk_band"))
    mean = float(scores.select(pl.col("churn_probability").mean()).item())
    number(
        columns[2],
        "Mean probability",
        f"{mean:.1%}",
        definition=data.definition("ml.churn_scores", "churn_probability"),
    )
    bins = charts.in_bins(scores["churn_probability"].to_list(), count=20)
    chart(
        charts.histogram(
            bins,
            title=f"Customers by probability of no purchase in {horizon} days",
            unit="Customers",
            x_title="Probability",
        ),
        bins,
        definition=data.definition("ml.churn_scores", "churn_probability"),
    )
    _reasons(data)
    _tests(data, health)
    _calibration(data, health)
    _watch_list(data)


def _reasons(data: Published) -> None:
    reasons = data.rows(
        "select reasons.feature, count(*) as customer_count from ml.churn_reasons as reasons "
        "join ml.churn_scores as scores on reasons.customer_id = scores.customer_id "
        "where scores.risk_band = 'high' and reasons.rank = 1 and reasons.contribution > 0 "
        "group by all having count(*) >= 11 order by 2 desc, 1 limit 12"
    ).with_columns(pl.col("feature").str.replace_all("_", " "))
    if reasons.height:
        chart(
            charts.bars(
                reasons,
                label="feature",
                value="customer_count",
                title="What raises the risk most, of customers at high risk",
                unit="Customers",
                form=",d",
            ),
            reasons,
            definition=data.definition("ml.churn_reasons"),
        )


def _tests(data: Published, health: dict[str, object]) -> None:
    grades = data.rows(
        "select candidate, cutoff_date, value, lower, upper from ml.model_evaluations "
        "where model_version = ? and metric = 'auc' order by candidate, cutoff_date",
        health["model_version"],
    )
    if grades.height:
        chart(
            interval_charts.contest(
                grades,
                served=str(health["candidate"]),
                title="How well each candidate ranked customers on past days that it had not seen",
                unit="AUC (0.5: by chance), 95 % interval",
            ),
            grades,
            definition=data.definition("ml.model_evaluations"),
        )


def _calibration(data: Published, health: dict[str, object]) -> None:
    st.header("Calibration on past days")
    asked = "metric in ('calibration_slope', 'calibration_intercept', 'expected_calibration_error')"
    found = data.rows(
        f"pivot (select cutoff_date, metric, value from ml.model_evaluations where {asked} and model_version = ? "
        f"and candidate = ?) on {asked} using any_value(value) order by cutoff_date",
        health["model_version"],
        health["candidate"],
    )
    if found.is_empty():
        nothing("It has not been tested on a past day yet.")
        return
    table(found)
    note(
        "Of 100 customers with a probability of 20 %, 20 should leave. Slope 1 and intercept 0 say that they do at "
        "every probability; a slope below 1, that high ones are too high and low ones too low. The error is the mean "
        "distance of ten groups of customers from what came about."
    )


def _watch_list(data: Published) -> None:
    st.header("Watch list")
    watched = data.rows(
        "select customer_id, churn_probability, expected_amount, churn_main_reason, recency_days, net_amount, "
        "rfm_segment from reports.rpt_customer_360 where risk_band = 'high' "
        "order by coalesce(expected_amount, 0) * churn_probability desc, customer_id limit ?",
        WATCHED,
    ).with_columns(pl.col("expected_amount").round(2))
    note(
        f"The {watched.height:,} customers at high risk with the most expected money at stake (probability times "
        "expected amount). Ids only: who they are is for those to look up who may."
    )
    table(
        watched,
        column_config={
            "churn probability": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "expected amount": st.column_config.NumberColumn(format="localized"),
            "net amount": st.column_config.NumberColumn(format="localized"),
        },
    )
