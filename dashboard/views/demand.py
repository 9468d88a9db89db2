"""Demand: what each group of products will sell in the next weeks, how sure that is, and how it did beside the rule."""

import polars as pl
import streamlit as st

from dashboard import charts, interval_charts
from dashboard.elements import chart, head, note, nothing, number, served_by, switched_off, table
from dashboard.published import Published
from orchestration.words import in_words

TABLE, GRADES, SOLD = "ml.demand_forecasts", "ml.demand_evaluations", "ml.demand_weeks"
WEEKS = 52
"""Past weeks in the plot."""
LARGEST = 12
"""Groups in the plot of the next weeks."""


def show() -> None:
    """Draw the page."""
    data = head("Demand", "What each group of products will sell in the weeks ahead, and how such forecasts did.")
    if switched_off(data, "demand_forecasts"):
        return
    groups = data.rows(
        "select product_group, sum(expected_demand) as expected_demand, any_value(unit) as unit, "
        "any_value(served_by) as served_by, any_value(candidate) as candidate, any_value(reason) as reason, "
        f"max(horizon_weeks) as horizon_weeks from {TABLE} group by all "
        "order by expected_demand desc, product_group"
    )
    if groups.is_empty():
        nothing("No group of products has sold for enough weeks to be forecast (models.demand.minimum_weeks).")
        return
    is_money = groups["unit"][0] == "net_amount"
    unit = f"Net amount ({data.currency})" if is_money else "Pieces"
    _numbers(data, groups, data.currency if is_money else "pieces")
    _everything(data)
    _next_weeks(data, groups, unit)
    _group(data, groups, unit)
    _reorder(data)


def _numbers(data: Published, groups: pl.DataFrame, unit: str) -> None:
    columns = st.columns(3)
    weeks = groups["horizon_weeks"][0]
    number(columns[0], "Groups of products", f"{groups.height:,}", definition=data.definition(TABLE))
    number(
        columns[1],
        f"Expected in {weeks} weeks",
        f"{groups['expected_demand'].sum():,.0f} {unit}",
        definition=data.definition(TABLE, "expected_demand"),
    )
    share = float((groups["served_by"] == "champion").mean() or 0)  # type: ignore[arg-type] # a share of booleans
    number(columns[2], "Served by a model", f"{share:.0%}", definition=data.definition(TABLE, "served_by"))


def _everything(data: Published) -> None:
    st.header("All groups, beside the rule")
    grades = data.rows(
        "select candidate as forecaster, wape as error_share, round(mase, 2) as mase, "
        f"interval_coverage as coverage_rate from {GRADES} "
        "where product_group = 'all groups' and test = 'latest origin' order by error_share, forecaster"
    )
    if grades.is_empty():
        nothing("History is too short to test a forecast on past weeks: last week's demand is repeated.")
        return
    shown = grades.with_columns(pl.col("forecaster").map_elements(_forecaster, return_dtype=pl.String))
    chart(
        charts.bars(
            shown,
            label="forecaster",
            value="error_share",
            title="Error on the latest weeks, which took no part in the choice of who serves",
            unit="WAPE (less is better)",
            form=".1%",
        ),
        shown,
        definition=f"{data.definition(GRADES, 'wape')} {data.definition(GRADES, 'interval_coverage')}",
    )


def _forecaster(name: str) -> str:
    """A forecaster in words, and which of them is the rule."""
    rules = {"last_week": "last week again (rule)", "last_year": "last year's weeks (rule)"}
    return rules.get(name, "what is served" if name == "served" else in_words(name))


def _next_weeks(data: Published, groups: pl.DataFrame, unit: str) -> None:
    largest = groups.head(LARGEST)
    chart(
        charts.bars(
            largest,
            label="product_group",
            value="expected_demand",
            title=f"Expected in {groups['horizon_weeks'][0]} weeks, the {largest.height} largest groups",
            unit=unit,
            form=",.3~s",
        ),
        groups.select("product_group", "expected_demand", pl.col("reason").str.replace_all("_", " ")),
        definition=data.definition(TABLE),
    )


def _group(data: Published, groups: pl.DataFrame, unit: str) -> None:
    st.header("One group")
    chosen = st.selectbox("Group of products", groups["product_group"].to_list())
    facts = groups.row(by_predicate=pl.col("product_group") == chosen, named=True)
    served_by(facts)
    sold = data.rows(
        f"select week_end_date, 'sold' as kind, demand as value, null::double as lower, null::double as upper "
        f"from {SOLD} where product_group = ? order by week_end_date desc limit {WEEKS}",
        chosen,
    )
    ahead = data.rows(
        "select week_end_date, 'expected' as kind, expected_demand as value, expected_demand_p10 as lower, "
        f"expected_demand_p90 as upper from {TABLE} where product_group = ? order by week_end_date",
        chosen,
    )
    weeks = pl.concat([sold.reverse(), ahead])
    chart(
        interval_charts.forecast(weeks, title=f"Sold by week, and expected: {chosen}", unit=unit),
        weeks,
        definition="The band holds four weeks in five, by the errors on past weeks. "
        + data.definition(TABLE, "expected_demand"),
    )
    grades = data.rows(
        "select candidate as forecaster, wape as error_share, round(mase, 2) as mase, "
        f"case when is_serving then 'yes' else 'no' end as serves from {GRADES} "
        "where product_group = ? and test = 'every origin' order by error_share, forecaster",
        chosen,
    )
    if grades.height:
        table(grades.with_columns(pl.col("forecaster").map_elements(_forecaster, return_dtype=pl.String)))
        note(f"{data.definition(GRADES, 'wape')} {data.definition(GRADES, 'mase')}")


def _reorder(data: Published) -> None:
    st.header("What to order now")
    if switched_off(data, "reorder_suggestions"):
        return
    suggested = data.rows(
        "select product_group, on_hand_quantity, order_up_to, suggested_quantity, tested_service_level as tested_rate, "
        "reason from ml.reorder_suggestions order by suggested_quantity desc nulls last, product_group"
    )
    if suggested.is_empty():
        nothing("No group that is forecast in pieces has a stock level.")
        return
    table(suggested)
    note(data.definition("ml.reorder_suggestions", "suggested_quantity"))
