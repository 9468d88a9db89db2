"""The published tables in a marimo notebook: the shop's weeks, its segments, and how its models do.

Read-only, and one connection for all cells: what is shown is one version. Run the first cell again for a newer one.
"""

import marimo

app = marimo.App(width="full")


@app.cell
def where():
    file = "data/published/current/clientele.duckdb"  # or an absolute path
    return (file,)


@app.cell
def published(file):
    import altair as alt
    import duckdb
    import marimo as mo

    locked = {"enable_external_access": "false", "lock_configuration": "true"}
    clientele = duckdb.connect(file, read_only=True, config=locked)
    return alt, clientele, mo


@app.cell
def about(clientele, mo):
    as_of = clientele.sql("from marts.dim_as_of").pl().row(0, named=True)
    mo.md(f"# {as_of['source_name']}, as of {as_of['as_of_date']:%d %B %Y}\n\nMoney in {as_of['currency']}.")
    return


@app.cell
def metric_names(clientele, mo):
    names = (
        clientele.sql("select distinct metric from reports.rpt_kpis_weekly order by metric").pl()["metric"].to_list()
    )
    metric = mo.ui.dropdown(names, value="net_amount", label="Week by week")
    metric
    return (metric,)


@app.cell
def weekly(clientele, metric):
    weeks = clientele.sql(
        "select as_of_date, week_end, value, lower_limit, upper_limit from reports.rpt_kpis_weekly "
        "cross join marts.dim_as_of where metric = ? order by week_end",
        params=[metric.value],
    ).pl()
    return (weeks,)


@app.cell
def weekly_chart(alt, metric, weeks):
    base = alt.Chart(weeks).encode(x=alt.X("week_end:T", title="Week that ends"))
    limits = base.mark_area(opacity=0.15).encode(y="lower_limit:Q", y2="upper_limit:Q")
    line = base.mark_line(point=True).encode(y=alt.Y("value:Q", title=metric.value.replace("_", " ").capitalize()))
    (limits + line).properties(width="container", height=260)
    return


@app.cell
def segments(clientele, mo):
    profiles = clientele.sql(
        "select segment, words, customer_count, round(customer_share, 3) as customer_share, "
        "round(revenue_share, 3) as revenue_share, round(average_churn_probability, 3) as average_churn_probability, "
        "round(average_expected_amount, 2) as average_expected_amount "
        "from reports.rpt_segment_profiles where strategy = 'rfm' order by revenue_share desc"
    ).pl()
    mo.vstack([mo.md("## RFM segments"), mo.ui.table(profiles, selection=None)])
    return


@app.cell
def models(clientele, mo):
    health = clientele.sql(
        "select model, horizon_days, served_by, rank_metric, round(rank_value, 3) as rank_value, "
        "round(best_rule_rank_value, 3) as best_rule_rank_value, loss_metric, round(loss_value, 3) as loss_value, "
        "round(best_rule_loss_value, 3) as best_rule_loss_value, warning "
        "from reports.rpt_model_health order by model, horizon_days"
    ).pl()
    mo.vstack([mo.md("## Models beside the best simple rule"), mo.ui.table(health, selection=None)])
    return


if __name__ == "__main__":
    app.run()
