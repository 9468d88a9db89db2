"""Model health: every model beside its rule, on past days and as its published scores are graded by what happened."""

import polars as pl
import streamlit as st

from dashboard import charts, interval_charts
from dashboard.elements import chart, head, note, nothing, table
from dashboard.published import Published
from orchestration.words import heading, in_words


def show() -> None:
    """Draw the page."""
    data = head("Model health", "Whether each score is worth reading: tested out of time, and graded since.")
    health = data.rows("from reports.rpt_model_health order by model, horizon_days")
    if health.is_empty():
        nothing("No model serves: quality.capabilities says why.")
        return
    for model in health.iter_rows(named=True):
        horizon = f", {model['horizon_days']} days" if model["horizon_days"] else ""
        st.header(f"{in_words(model['model']).upper()}{horizon}")
        _verdict(model)
        _contest(data, model)
        if model["horizon_days"]:
            _outcomes(data, model)
    note(data.definition("reports.rpt_model_health"))


def _verdict(model: dict[str, object]) -> None:
    st.write(f"**{in_words(str(model['candidate']))}** serves ({model['served_by']}). {in_words(str(model['reason']))}")
    if model["warning"]:
        st.warning(str(model["warning"]), icon=":material/warning:")
    numbers = ("rank", "loss")
    served = "model" if model["served_by"] == "champion" else "best model"
    facts = pl.DataFrame(
        [
            {
                "metric": in_words(str(model[f"{name}_metric"])),
                served: model[f"{name}_value"],
                "best rule": model[f"best_rule_{name}_value"],
                "graded since": model[f"outcome_{name}_value"],
            }
            for name in numbers
            if model[f"{name}_metric"]
        ],
        schema={"metric": pl.String, served: pl.Float64, "best rule": pl.Float64, "graded since": pl.Float64},
    )
    table(facts.with_columns(pl.col(pl.Float64).round(4)))


def _contest(data: Published, model: dict[str, object]) -> None:
    metrics = [str(model[name]) for name in ("rank_metric", "loss_metric") if model[name]]
    if not metrics:
        return
    key = f"{model['model']} {model['horizon_days']}"
    metric = st.radio("Metric", metrics, format_func=in_words, horizontal=True, key=key)
    grades = data.rows(
        "select candidate, cutoff_date, value, lower, upper from ml.model_evaluations "
        "where model_version = ? and horizon_days = ? and metric = ? order by candidate, cutoff_date",
        model["model_version"],
        model["horizon_days"],
        metric,
    )
    chart(
        interval_charts.contest(
            grades,
            served=str(model["candidate"]),
            title=f"{heading(metric)} of every candidate and rule on past days that none had seen",
            unit=f"{heading(metric)}, 95 % interval",
        ),
        grades,
        definition=data.definition("ml.model_evaluations", "value"),
    )


def _outcomes(data: Published, model: dict[str, object]) -> None:
    graded = data.rows(
        "select scored_as_of_date, matured_date, metric, value, customer_count from ml.score_outcomes "
        "where model = ? and horizon_days = ? and metric = ? order by scored_as_of_date",
        model["model"],
        model["horizon_days"],
        model["rank_metric"],
    )
    if graded.is_empty() and model["model"] not in ("churn", "clv"):
        nothing("It is graded by the tests alone: what it says is not kept from day to day.")
        return
    if graded.is_empty():
        nothing(f"No published score is {model['horizon_days']} days old yet: grades come as their days pass.")
        return
    chart(
        charts.lines(
            graded,
            x="scored_as_of_date:T",
            y="value",
            title="What published scores turned out to be worth, by the day of the scores",
            x_title="Day of the scores",
            unit=in_words(str(model["rank_metric"])),
            form=".3f",
        ),
        graded,
        definition=data.definition("ml.score_outcomes"),
    )
