"""Pictures of reports say what their tables say: counts, labels and units."""

import base64
from datetime import date
from typing import Any

import polars as pl

from orchestration.ui import report_plots
from orchestration.ui.metadata import picture

DAY = date(2026, 6, 30)


def texts(figure: Any) -> str:
    (axes, *_) = figure.axes
    found = [axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), *(one.get_text() for one in axes.texts)]
    found += [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    return "\n".join(found)


def test_the_flow_says_how_many_moved_and_where_everybody_is() -> None:
    moves = pl.DataFrame(
        {
            "strategy": ["rfm"] * 3 + ["value"],
            "previous_segment": ["loyal", "loyal", "lost", "high"],
            "segment": ["loyal", "lost", "lost", "high"],
            "customer_count": [5, 2, 3, 10],
        }
    )
    said = texts(report_plots.migration_flow(moves, strategy="rfm", as_of=DAY))
    assert "2 of 10 customers moved" in said
    assert "loyal 7" in said  # before
    assert "loyal 5" in said  # after
    assert "lost 5" in said


def test_of_ways_that_are_merged_the_flow_does_not_say_that_anybody_moved() -> None:
    moves = pl.DataFrame(
        {
            "strategy": ["rfm"] * 3,
            "previous_segment": ["other segments", "loyal", "lost"],
            "segment": ["champions", "champions", "lost"],
            "customer_count": [170, 20, 30],
        }
    )
    said = texts(report_plots.migration_flow(moves, strategy="rfm", as_of=DAY))
    assert "20 of 220 customers moved (strong bands), 30 stayed (pale)" in said
    assert "of 170 it is not told" in said
    assert "not told apart 170" in said


def test_the_triangle_shows_complete_months_after_the_first_in_percent() -> None:
    cohorts = pl.DataFrame(
        {
            "cohort_month": [date(2026, 4, 1)] * 3 + [date(2026, 5, 1)] * 2,
            "month_number": [0, 1, 2, 0, 1],
            "customer_count": [20, 20, 20, 8, 8],
            "retention_rate": [1.0, 0.5, 0.25, 1.0, 0.125],
            "is_complete_month": [True, True, False, True, False],
        }
    )
    said = texts(report_plots.cohort_triangle(cohorts))
    assert "Apr 2026, 20 customers" in said
    assert "\n50" in said
    assert "\n25" not in said
    assert "% of the cohort" in said


def test_the_widest_picture_fits_the_dialog_of_a_small_window() -> None:
    months = [date(2024 + (month // 12), month % 12 + 1, 1) for month in range(24)]
    cells = [(month, number) for place, month in enumerate(months) for number in range(24 - place)]
    cohorts = pl.DataFrame(cells, schema=["cohort_month", "month_number"], orient="row").with_columns(
        customer_count=pl.lit(11_000), retention_rate=pl.lit(1.0), is_complete_month=pl.lit(True)
    )
    shown = picture(report_plots.cohort_triangle(cohorts), title="Retention").value
    png = base64.b64decode(shown.partition("base64,")[2].rstrip(")"))
    assert 800 < int.from_bytes(png[16:20]) <= 0.8 * 1280 - 48  # a PNG says its width there


def test_the_map_names_each_segment_with_its_size_and_share_of_revenue() -> None:
    profiles = pl.DataFrame(
        {
            "strategy": ["behavioural", "behavioural", "rfm"],
            "segment": ["frequent_small_orders", "seldom_big_orders", "lost"],
            "customer_count": [1200, 300, 1500],
            "revenue_share": [0.25, 0.75, 1.0],
            "median_frequency_count": [30.0, 2.0, 9.0],
            "median_order_amount": [12.0, 200.0, 30.0],
        }
    )
    said = texts(report_plots.segment_map(profiles, strategy="behavioural", currency="EUR"))
    assert "frequent small orders\n1,200 customers, 25 % of revenue" in said
    assert "lost" not in said
    assert "EUR" in said


def test_the_times_have_every_weekday_and_hour() -> None:
    times = pl.DataFrame({"weekday_number": [1, 7], "hour_of_day": [0, 23], "transactions_per_day": [1.5, 8.0]})
    figure = report_plots.purchase_times(times)
    grid = figure.axes[0].images[0].get_array()
    assert grid.shape == (7, 24)
    assert (grid[0, 0], grid[6, 23], grid.sum()) == (1.5, 8.0, 9.5)
