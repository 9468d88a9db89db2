"""Charts of values that are known within an interval: tests of models, predictions, forecasts, effects.

Pure, as `charts` is, whose colours and sizes they share.
"""

from typing import Final

import altair as alt
import polars as pl

from dashboard.charts import BLUE, GREY, HEIGHT, ORANGE

PLAIN: Final = "plain difference"
CUPED: Final = "adjusted for before (CUPED), which decides"
"""How an effect is measured."""
KINDS: Final = ["sold", "expected"]
"""Of which kind a week is."""


def contest(grades: pl.DataFrame, *, served: str, title: str, unit: str) -> alt.LayerChart:
    """Every candidate on every test day, with its interval: who serves in colour, models and rules in grey beside it.

    `grades` has candidate, cutoff_date, value, lower, upper.
    """
    marked = grades.with_columns(
        kind=pl.when(pl.col("candidate") == served).then(pl.lit("serves")).otherwise(pl.lit("other")),
        candidate=pl.col("candidate").str.replace_all("_", " "),
        test_day=pl.col("cutoff_date").cast(pl.String),
    )
    best_first = alt.EncodingSortField("value", op="mean", order="descending")
    y = alt.Y("candidate:N", title=None, sort=best_first, axis=alt.Axis(labelLimit=220))
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=["serves", "other"], range=[BLUE, GREY]),
        legend=alt.Legend(orient="bottom", columns=1),
    )
    base = alt.Chart(marked, title=title, height={"step": 26})
    rules = base.mark_rule().encode(
        y=y, x=alt.X("lower:Q", title=unit, scale=alt.Scale(zero=False)), x2="upper:Q", color=colour
    )
    points = base.mark_point(filled=True, size=70, opacity=0.9).encode(
        y=y,
        x="value:Q",
        color=colour,
        shape=alt.Shape(
            "test_day:N",
            title="Test day",
            legend=alt.Legend(orient="bottom", columns=1, symbolFillColor=GREY, symbolStrokeColor=GREY),
        ),
        tooltip=[
            "candidate:N",
            alt.Tooltip("test_day:N", title="Test day"),
            alt.Tooltip("value:Q", title=unit, format=".4f"),
            alt.Tooltip("lower:Q", format=".4f"),
            alt.Tooltip("upper:Q", format=".4f"),
        ],
    )
    return rules + points


def intervals(tenths: pl.DataFrame, *, x: str, title: str, x_title: str, unit: str) -> alt.LayerChart:
    """A mean with its interval a group: expected_amount between expected_amount_p10 and expected_amount_p90."""
    base = alt.Chart(tenths, title=title, height=HEIGHT).encode(
        x=alt.X(f"{x}:O", title=x_title, axis=alt.Axis(labelAngle=0))
    )
    spread = base.mark_rule(color=GREY, strokeWidth=3).encode(
        y=alt.Y("expected_amount_p10:Q", title=unit), y2="expected_amount_p90:Q"
    )
    means = base.mark_point(filled=True, size=80, color=BLUE, opacity=1).encode(
        y="expected_amount:Q",
        tooltip=[
            alt.Tooltip(f"{x}:O", title=x_title),
            *(
                alt.Tooltip(f"{column}:Q", title=column.replace("_", " "), format=",.2f")
                for column in ("expected_amount", "expected_amount_p10", "expected_amount_p90")
            ),
        ],
    )
    return spread + means


def forecast(weeks: pl.DataFrame, *, title: str, unit: str) -> alt.LayerChart:
    """What was sold by week, and what is expected in the weeks ahead with its 80 % interval.

    `weeks` has week_end_date, kind (sold, expected), value, lower, upper; the last two are null for what was sold.
    """
    scale = alt.Scale(domain=KINDS, range=[GREY, BLUE])
    base = alt.Chart(weeks, title=title, height=HEIGHT).encode(x=alt.X("week_end_date:T", title="Week ending"))
    spread = base.mark_area(opacity=0.25, color=BLUE).encode(y=alt.Y("lower:Q", title=unit), y2="upper:Q")
    line = base.mark_line(point=True).encode(
        y="value:Q",
        color=alt.Color("kind:N", title=None, scale=scale, legend=alt.Legend(orient="bottom")),
        strokeDash=alt.condition("datum.kind == 'expected'", alt.value([5, 4]), alt.value([1, 0])),
        tooltip=[
            alt.Tooltip("week_end_date:T", title="Week ending"),
            "kind:N",
            *(
                alt.Tooltip(f"{name}:Q", title=f"{name} ({unit})", format=",.1f")
                for name in ("value", "lower", "upper")
            ),
        ],
    )
    return spread + line


def effects(arms: pl.DataFrame, *, title: str, unit: str, form: str) -> alt.LayerChart:
    """What every arm changed against the control, with its interval and a line where nothing would have changed.

    `arms` has arm, measured (PLAIN or CUPED), effect, lower, upper.
    """
    base = alt.Chart(arms, title=title, height={"step": 22}).encode(
        y=alt.Y("arm:N", title=None, axis=alt.Axis(labelLimit=220)),
        yOffset=alt.YOffset("measured:N", sort=[PLAIN, CUPED]),
        color=alt.Color(
            "measured:N",
            title=None,
            scale=alt.Scale(domain=[PLAIN, CUPED], range=[GREY, BLUE]),
            legend=alt.Legend(orient="bottom", columns=1, labelLimit=400),
        ),
    )
    spread = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("lower:Q", title=unit, axis=alt.Axis(format=form)), x2="upper:Q"
    )
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="effect:Q",
        tooltip=[
            "arm:N",
            "measured:N",
            *(alt.Tooltip(f"{name}:Q", format=form) for name in ("effect", "lower", "upper")),
        ],
    )
    return spread + points + _no_effect()


def designs(campaigns: pl.DataFrame, *, title: str, unit: str, form: str) -> alt.LayerChart:
    """How those contacted differ from whom they are compared with, by what design, and a line where they do not.

    `campaigns` has name, design, difference, difference_lower, difference_upper, in the order in which they are drawn.
    """
    base = alt.Chart(campaigns, title=title, height={"step": 22}).encode(
        y=alt.Y("name:N", title=None, sort=campaigns["name"].to_list(), axis=alt.Axis(labelLimit=220)),
        color=alt.Color(
            "design:N",
            title="Design",
            scale=alt.Scale(domain=["randomised", "controls", "matched"], range=[BLUE, ORANGE, GREY]),
            legend=alt.Legend(orient="bottom"),
        ),
    )
    spread = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("difference_lower:Q", title=unit, axis=alt.Axis(format=form)), x2="difference_upper:Q"
    )
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="difference:Q",
        tooltip=[
            "name:N",
            "design:N",
            *(alt.Tooltip(f"{name}:Q", format=form) for name in ("difference", "difference_lower", "difference_upper")),
        ],
    )
    return spread + points + _no_effect()


def _no_effect() -> alt.Chart:
    """Where nothing would have changed."""
    return alt.Chart(pl.DataFrame({"none": [0.0]})).mark_rule(color=ORANGE, strokeDash=[4, 4]).encode(x="none:Q")
