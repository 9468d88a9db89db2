"""What every page is made of: its head, numbers with their definitions, and charts with their numbers as a table.

What is drawn in a chart belongs in `charts`; which ones, in `views`.
"""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd  # type: ignore[import-untyped] # noqa: F401 - Altair must not meet it half loaded
import polars as pl
import streamlit as st

from dashboard.charts import title_of, untitled
from dashboard.published import Published
from dashboard.words import SHARES
from orchestration.words import in_words

FEW_ROWS = 60  # as many as are told as text, which every screen reader reads
NAMES = (
    "candidate",
    "forecaster",
    "segment",
    "rfm_segment",
    "group_name",
    "feature",
    "churn_main_reason",
    "conclusion",
)
"""Columns whose values are names, which people read as words."""
FEW_COLUMNS = 7  # as many as a phone shows without a scroll bar that no keyboard reaches


def head(title: str, about: str) -> Published:
    """Title of a page, what it is about and of which day; gives the version that it reads."""
    data: Published = st.session_state["data"]
    st.title(title)
    note(f"{about} {data.source}, as of {data.as_of:%d %B %Y}.")
    return data


def number(
    column: Any, label: str, value: str, *, definition: str, delta: str | None = None, usual: str = "", **options: Any
) -> None:
    """One number with what it means, and between which values it usually lies."""
    with column.container(border=True):
        st.metric(label, value, delta, help=definition or None, **options)
        if usual:
            note(usual)


def chart(drawn: alt.Chart | alt.LayerChart, numbers: pl.DataFrame, *, definition: str) -> None:
    """A chart below its title, what it shows in words, and the numbers behind it."""
    title = title_of(drawn)
    st.markdown(f"**{title}**")
    st.altair_chart(untitled(drawn), alt=title)
    if definition:
        note(definition)
    with st.expander("The numbers"):
        table(numbers)


def table(rows: pl.DataFrame, **options: Any) -> None:
    """Rows as a table with names in words; a long one scrolls and sorts."""
    rows = rows.with_columns(_as_words(rows[name]) for name in NAMES if name in rows.columns)
    if rows.height > FEW_ROWS or rows.width > FEW_COLUMNS or options:
        shown = {in_words(name): st.column_config.NumberColumn(format=_form(name)) for name in _decimals(rows)}
        config = shown | options.pop("column_config", {})
        rounded = rows.with_columns(pl.col(name).round(4 if name.endswith(SHARES) else 2) for name in _decimals(rows))
        st.dataframe(rounded.rename(in_words), hide_index=True, column_config=config, **options)
        return
    st.table(rows.select(_as_text(rows[name]).alias(in_words(name)) for name in rows.columns))


def _as_words(column: pl.Series) -> pl.Series:
    return column.map_elements(in_words, return_dtype=pl.String)


def _decimals(rows: pl.DataFrame) -> list[str]:
    return [name for name in rows.columns if rows[name].dtype.is_float()]


def _form(name: str) -> str:
    return "percent" if name.endswith(SHARES) else "localized"


def _as_text(column: pl.Series) -> pl.Series:
    """Numbers as people write them: shares in per cent, amounts in cents, the rest as exact as it has to be."""
    if not column.dtype.is_float():
        return column
    known = column.drop_nulls()
    is_share = column.name.endswith(SHARES)
    is_whole = bool((known == known.round()).all())

    def text(value: float) -> str:
        if is_share:
            return f"{value:.1%}"
        if is_whole or value == round(value):
            return f"{value:,.0f}"
        return f"{value:,.2f}" if "amount" in column.name or abs(value) >= 100 else f"{value:.4g}"

    return column.map_elements(text, return_dtype=pl.String)


def served_by(health: Mapping[str, Any]) -> None:
    """Who makes the numbers of a page, and why: candidate, served_by and reason of reports.rpt_model_health."""
    st.write(f"Served by **{in_words(health['candidate'])}** ({health['served_by']}). {in_words(health['reason'])}")


def note(text: str) -> None:
    """A remark in small type, as dark as any other text: grey on white is hard to read for many."""
    words = text.replace("[", "\\[").replace("]", "\\]")
    st.markdown(f":small[{words}]")


def nothing(why: str) -> None:
    """Why a part of a page is empty."""
    st.info(why, icon=":material/info:")


def switched_off(data: Published, capability: str) -> bool:
    """Whether the data cannot carry a capability, which the page then says with the reason."""
    off = data.rows("select reason from quality.capabilities where capability = ? and not is_available", capability)
    if off.height:
        nothing(f"Switched off for this data: {off.item()}.")
    return bool(off.height)
