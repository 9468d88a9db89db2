"""Which picture stands beside which report in the Dagster UI, drawn from the tables once dbt has built them."""

from collections.abc import Iterator
from typing import Any

from orchestration.runs.run import Run
from orchestration.ui import report_plots
from orchestration.ui.metadata import picture

STRATEGY = "behavioural"  # what segments are drawn for, where it has any, else RFM


def of_report(name: str, run: Run) -> dict[str, Any]:
    """The pictures of a table `schema.table` as metadata; none where it has none, or nothing to show."""
    return {key: picture(figure, title=title) for key, figure, title in _drawn(name, run)}


def _drawn(name: str, run: Run) -> Iterator[tuple[str, Any, str]]:
    read = run.warehouse.read
    if name == "reports.rpt_cohort_retention":
        cohorts = read(f"from {name}")
        if cohorts["month_number"].n_unique() > 1:
            yield "cohort_triangle", report_plots.cohort_triangle(cohorts), "Retention by cohort and month"
    elif name == "reports.rpt_segment_profiles":
        profiles = read(f"from {name}")
        if profiles.height:
            strategy = STRATEGY if STRATEGY in profiles["strategy"] else "rfm"
            figure = report_plots.segment_map(profiles, strategy=strategy, currency=run.source.currency)
            yield "segment_map", figure, "Segments by purchases, order and size"
    elif name == "reports.rpt_segment_migrations":
        moves = read(f"from {name} where previous_segment is not null")
        for strategy in moves["strategy"].unique().sort():
            figure = report_plots.migration_flow(moves, strategy=strategy, as_of=run.as_of)
            yield f"migration_flow_{strategy}", figure, f"From the last published day's {strategy} segments to today's"
    elif name == "reports.rpt_purchase_times":
        times = read(f"from {name} where hour_of_day is not null")
        if times.height:
            yield "purchase_times", report_plots.purchase_times(times), "Purchases by weekday and hour"
