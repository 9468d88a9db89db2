"""Data quality: where every received row went, why rows were rejected, and what this data cannot answer."""

import polars as pl
import streamlit as st

from dashboard import charts
from dashboard.elements import chart, head, nothing, number, table
from dashboard.published import Published


def show() -> None:
    """Draw the page."""
    data = head("Data quality", "Where everything that was received went, exactly.")
    reconciled = data.rows("from quality.reconciliation order by measure desc, entity")
    rows = reconciled.filter(pl.col("measure") == "rows")
    columns = st.columns(3)
    meaning = data.definition("quality.reconciliation")
    number(columns[0], "Rows received", f"{rows['received'].sum():,.0f}", definition=meaning)
    number(
        columns[1], "Rejected", f"{rows['rejected'].sum():,.0f}", definition=data.definition("quality.rejected_rows")
    )
    number(columns[2], "Unaccounted for", f"{reconciled['difference'].abs().sum():,.0f}", definition=meaning)
    table(reconciled)
    _rejected(data)
    _capabilities(data)


def _rejected(data: Published) -> None:
    st.header("Rejected rows by reason")
    reasons = data.rows(
        "select entity || ': ' || reason as reason, count(*) as row_count from quality.rejected_rows "
        "group by all order by 2 desc, 1 limit 20"
    )
    if reasons.is_empty():
        nothing("No row was rejected.")
        return
    chart(
        charts.bars(
            reasons, label="reason", value="row_count", title="Rejected rows by reason", unit="Rows", form=",d"
        ),
        reasons,
        definition=data.definition("quality.rejected_rows"),
    )


def _capabilities(data: Published) -> None:
    st.header("What this data can and cannot answer")
    capabilities = data.rows("from quality.capabilities order by is_available, capability")
    off = capabilities.filter(~pl.col("is_available"))
    st.write(f"{capabilities.height - off.height} of {capabilities.height} capabilities are on.")
    table(off.select("capability", "reason"))
    with st.expander("Those that are on"):
        table(capabilities.filter("is_available").select("capability", "level", "expected_precision"))
