"""Experiments: what each arm changed against the control, with intervals, and what those that run are waiting for."""

from typing import Any

import polars as pl
import streamlit as st

from dashboard import interval_charts
from dashboard.elements import chart, head, note, nothing, number, switched_off, table
from dashboard.published import Published
from orchestration.words import heading, in_words

TABLE = "reports.rpt_experiments"
WORDS = {
    "keyed_hash": "assigned by a keyed hash of the customer's id",
    "data": "assigned at random by whoever made the data",
    "fixed_horizon": "read once, at its end",
    "sequential": "may be read and stopped on any day",
}


def show() -> None:
    """Draw the page."""
    data = head("Experiments", "What an offer changed, against customers who by chance did not get it.")
    if switched_off(data, "experiments"):
        return
    declared = data.rows(f"select distinct experiment_id, status, reason from {TABLE} order by experiment_id")
    table(declared.rename({"experiment_id": "experiment"}).with_columns(pl.col("status").str.replace_all("_", " ")))
    names = declared["experiment_id"].to_list()
    final = declared.filter(pl.col("status") == "final")["experiment_id"].to_list()
    chosen = st.selectbox("Experiment", names, index=names.index(final[0]) if final else 0, format_func=heading)
    rows = data.rows(f"from {TABLE} where experiment_id = ? order by is_control desc, arm, metric", chosen)
    facts = rows.row(0, named=True)
    _design(facts)
    _numbers(data, rows)
    if facts["status"] == "no_data" or not rows["customer_count"].count():
        nothing(f"There is no outcome to read: {facts['reason'] or 'arms of one to ten customers are not told of'}.")
        return
    _effects(data, rows)


def _design(facts: dict[str, object]) -> None:
    purpose = f"{facts['purpose']}. " if facts["purpose"] else ""
    days = f" From {facts['starts_on']} to {facts['ends_on'] or 'no end'}." if facts["starts_on"] else ""
    ways = f"{WORDS[str(facts['assigned_by'])]}; {WORDS[str(facts['analysis'])]}"
    st.write(f"{heading(purpose)}{heading(ways)}.{days} Status: **{in_words(str(facts['status']))}**.")


def _numbers(data: Published, rows: pl.DataFrame) -> None:
    arms = rows.unique("arm", maintain_order=True)
    columns, facts = st.columns(3), rows.row(0, named=True)
    hidden = arms["assigned_count"].null_count()
    number(
        columns[0],
        "Customers assigned",
        f"{arms['assigned_count'].sum():,}",
        definition=data.definition(TABLE, "assigned_count"),
        usual=f"{hidden} of {arms.height} arms hold one to ten and are not told of." if hidden else "",
    )
    number(columns[1], "Arms", f"{arms.height}", definition=data.definition(TABLE, "arm"))
    kept = facts["is_sample_ratio_kept"]
    said = "not known" if kept is None else "kept" if kept else "lost: it says nothing"
    number(columns[2], "Shares of the arms", said, definition=data.definition(TABLE, "is_sample_ratio_kept"))


def _effects(data: Published, rows: pl.DataFrame) -> None:
    metrics = rows["metric"].unique(maintain_order=True).to_list()
    metric = st.radio("Outcome", metrics, format_func=heading, horizontal=True)
    chosen = rows.filter(pl.col("metric") == metric)
    facts = chosen.row(0, named=True)
    compared = chosen.filter(pl.col("effect").is_not_null())
    if compared.is_empty():
        nothing(f"{heading(metric)} is not compared: {facts['reason'] or 'an arm has too few customers with it'}.")
    else:
        is_share = bool(facts["is_proportion"])
        chart(
            interval_charts.effects(
                _measured(compared),
                title=f"{heading(metric)}: difference from the control, by arm",
                unit=("Difference of shares" if is_share else "Difference per customer")
                + f", {facts['confidence']:.0%} interval; dashed: no effect",
                form="+.1%" if is_share else "+,.3~f",
            ),
            _measured(compared),
            definition=data.definition(TABLE, "effect_lower") + " " + data.definition(TABLE, "cuped_effect"),
        )
    for arm in compared.filter(pl.col("conclusion").is_not_null()).iter_rows(named=True):
        st.markdown(f"**{arm['arm']}**: {_conclusion(arm)}")
    arms = chosen.select("arm", "customer_count", "mean")
    table(arms.rename({"mean": "mean_rate" if facts["is_proportion"] else "mean_per_customer"}))
    note(data.definition(TABLE))


def _conclusion(arm: dict[str, Any]) -> str:
    """What an arm changed in words: the effect that decides, where it lies, and how likely it came by chance."""
    names = ("effect", "effect_lower", "effect_upper")
    if arm["cuped_effect"] is not None:
        names = ("cuped_effect", "cuped_lower", "cuped_upper")
    value, lower, upper = (arm[name] for name in names)
    form = "+.2%" if arm["is_proportion"] else "+,.4g"
    return (
        f"{in_words(arm['conclusion'])}. {value:{form}} against the control ({arm['confidence']:.0%} interval "
        f"{lower:{form}} to {upper:{form}}); corrected p-value {arm['corrected_p_value']:.2g}."
    )


def _measured(compared: pl.DataFrame) -> pl.DataFrame:
    """Two rows an arm where both are known: the plain difference, and that with CUPED, which decides."""
    plain = compared.select(
        "arm", measured=pl.lit(interval_charts.PLAIN), effect="effect", lower="effect_lower", upper="effect_upper"
    )
    adjusted = compared.select(
        "arm", measured=pl.lit(interval_charts.CUPED), effect="cuped_effect", lower="cuped_lower", upper="cuped_upper"
    )
    return pl.concat([plain, adjusted.drop_nulls("effect")]).sort("arm", "measured", descending=[False, True])
