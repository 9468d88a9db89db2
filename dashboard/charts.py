"""Charts of published numbers: a frame in, an Altair chart out, each with a title, units and a legend that people read.

Pure: where the numbers come from belongs in `views`, and what is drawn around a chart too; charts of values that are
known within an interval, in `interval_charts`.
"""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import polars as pl

BLUE, ORANGE, GREEN, GREY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#8c8c8c", "#D55E00"
"""Okabe and Ito's colours: people who do not tell red from green tell these."""
PALETTE: Final = (BLUE, ORANGE, GREEN, VERMILION, "#CC79A7", "#56B4E9", "#F0E442", GREY)
HEIGHT: Final = 300
WIDTH_OF_A_NUMBER: Final = 26
"""Pixels that a cell needs for its number."""
alt.data_transformers.disable_max_rows()


def control_chart(weeks: pl.DataFrame, *, title: str, unit: str) -> alt.LayerChart:
    """One metric by week within its limits; a week beyond them is a diamond in another colour.

    `weeks` has week_end, value, centre, lower_limit, upper_limit, is_beyond_limits.
    """
    base = alt.Chart(weeks, title=title, height=HEIGHT)
    x = alt.X("week_end:T", title="Week ending")
    band = base.mark_area(opacity=0.18, color=GREY).encode(
        x=x, y=alt.Y("lower_limit:Q", title=unit, scale=alt.Scale(zero=False)), y2="upper_limit:Q"
    )
    centre = base.mark_line(strokeDash=[4, 4], color=GREY).encode(x=x, y="centre:Q")
    line = base.mark_line(color=BLUE).encode(x=x, y="value:Q")
    points = base.mark_point(filled=True, size=55, opacity=1).encode(
        x=x,
        y="value:Q",
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=["as usual", "beyond its limits"], range=[BLUE, VERMILION]),
            legend=alt.Legend(orient="bottom"),
        ),
        shape=alt.Shape(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=["as usual", "beyond its limits"], range=["circle", "diamond"]),
            legend=alt.Legend(orient="bottom"),
        ),
        tooltip=[
            alt.Tooltip("week_end:T", title="Week ending"),
            alt.Tooltip("value:Q", title=unit, format=",.4~f"),
            alt.Tooltip("lower_limit:Q", title="Lower limit", format=",.4~f"),
            alt.Tooltip("upper_limit:Q", title="Upper limit", format=",.4~f"),
        ],
    )
    kind = "datum.is_beyond_limits ? 'beyond its limits' : 'as usual'"
    return band + centre + line + points.transform_calculate(kind=kind)


def bridge(steps: pl.DataFrame, *, title: str, unit: str) -> alt.LayerChart:
    """From one total to the next by what changed; `steps` has step, start, end, kind (total, more, less), in order."""
    levels = [float(level) for level in (*steps["end"], *steps["start"][1:-1])]
    room = 0.15 * (max(levels) - min(levels)) or 1.0
    floor, ceiling = min(levels) - 2 * room, max(levels) + 2 * room
    drawn = steps.with_columns(pl.col("start").clip(floor))
    base = alt.Chart(drawn, title=alt.Title(title, subtitle="The axis does not begin at zero."), height=HEIGHT)
    x = alt.X("step:N", title=None, sort=None, axis=alt.Axis(labelAngle=0))
    bars = base.mark_bar(size=34).encode(
        x=x,
        y=alt.Y("start:Q", title=unit, scale=alt.Scale(domain=[floor, ceiling], zero=False)),
        y2="end:Q",
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=["total", "more", "less"], range=[GREY, BLUE, VERMILION]),
            legend=alt.Legend(orient="bottom"),
        ),
        tooltip=[alt.Tooltip("step:N", title="Step"), alt.Tooltip("amount:Q", title=unit, format="+,.0f")],
    )
    words = base.mark_text(dy=-8, fontSize=11).encode(
        x=x, y=alt.Y("top:Q"), text=alt.Text("amount:Q", format=",.3~s"), color=alt.value(GREY)
    )
    return bars + words


def heat_map(
    cells: pl.DataFrame,
    *,
    x: tuple[str, str | None],
    y: tuple[str, str | None],
    value: str,
    title: str,
    unit: str,
    form: str = ".0%",
    angle: int = 0,
) -> alt.LayerChart:
    """A colour per cell, with its number in it; `x` and `y` are a column and its title, in the frame's order."""
    (across, x_title), (down, y_title) = x, y
    cells = cells.filter(pl.col(value).is_not_null())
    base = alt.Chart(cells, title=title, height={"step": 24}).encode(
        x=alt.X(f"{across}:O", title=x_title, sort=None, axis=alt.Axis(labelAngle=angle, labelOverlap=False)),
        y=alt.Y(f"{down}:O", title=y_title, sort=None, axis=alt.Axis(labelLimit=220)),
    )
    top = float(cells[value].max() or 0)  # type: ignore[arg-type] # numbers
    boxes = base.mark_rect().encode(
        color=alt.Color(
            f"{value}:Q",
            title=unit,
            scale=alt.Scale(scheme="blues"),
            legend=alt.Legend(orient="bottom", titleLimit=400, format=form),
        ),
        tooltip=[f"{down}:O", f"{across}:O", alt.Tooltip(f"{value}:Q", title=unit, format=form)],
    )
    fits = alt.ExprRef(f"width < {WIDTH_OF_A_NUMBER * cells[across].n_unique()} ? 0 : 1")  # on a phone, colours tell
    words = base.mark_text(fontSize=10, opacity=fits).encode(
        text=alt.Text(f"{value}:Q", format=form),
        color=alt.condition(f"datum['{value}'] > {0.6 * top}", alt.value("white"), alt.value("#222222")),
    )
    return boxes + words


def bars(
    groups: pl.DataFrame, *, label: str, value: str, title: str, unit: str, form: str = ",.3~s", colour: str = BLUE
) -> alt.LayerChart:
    """One bar a group, in the frame's order, with its number at its end."""
    top = float(groups[value].max() or 0)  # type: ignore[arg-type] # numbers
    room = alt.Scale(domainMax=1.12 * top) if top > 0 else alt.Undefined  # for the number of the longest bar
    base = alt.Chart(groups, title=title, height={"step": 26}).encode(
        y=alt.Y(f"{label}:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
        x=alt.X(f"{value}:Q", title=unit, scale=room, axis=alt.Axis(format=form, tickCount=6)),
        tooltip=[alt.Tooltip(f"{label}:N"), alt.Tooltip(f"{value}:Q", title=unit, format=form)],
    )
    words = base.mark_text(align="left", dx=4, color=GREY).encode(text=alt.Text(f"{value}:Q", format=form))
    return base.mark_bar(color=colour) + words


def lines(
    series: pl.DataFrame,
    *,
    x: str,
    y: str,
    title: str,
    x_title: str,
    unit: str,
    by: str | None = None,
    form: str = ",.3~s",
) -> alt.Chart:
    """One line, or one by `by`."""
    by_month = alt.Axis(format="%b %Y", tickCount=alt.TimeIntervalStep(interval="month", step=1))
    encoding: dict[str, Any] = {
        "x": alt.X(x, title=x_title, axis=by_month if x_title == "Month" else alt.Undefined),
        "y": alt.Y(f"{y}:Q", title=unit, axis=alt.Axis(format=form)),
        "tooltip": [alt.Tooltip(x), *([f"{by}:N"] if by else []), alt.Tooltip(f"{y}:Q", title=unit, format=form)],
    }
    if by:
        encoding["color"] = alt.Color(
            f"{by}:N", title=None, scale=alt.Scale(range=PALETTE), legend=alt.Legend(orient="bottom", columns=3)
        )
    return alt.Chart(series, title=title, height=HEIGHT).mark_line(point=True, color=BLUE).encode(**encoding)


def histogram(bins: pl.DataFrame, *, title: str, unit: str, x_title: str) -> alt.Chart:
    """Counts by bin; `bins` has lower, upper and customer_count."""
    return (
        alt.Chart(bins, title=title, height=HEIGHT)
        .mark_bar(color=BLUE, stroke="white")
        .encode(
            x=alt.X("lower:Q", title=x_title, bin="binned"),
            x2="upper:Q",
            y=alt.Y("customer_count:Q", title=unit),
            tooltip=[
                alt.Tooltip("lower:Q", format=",.3~f"),
                alt.Tooltip("upper:Q", format=",.3~f"),
                alt.Tooltip("customer_count:Q", title=unit, format=","),
            ],
        )
    )


def in_bins(values: Sequence[float], *, count: int = 30) -> pl.DataFrame:
    """Counts of values in bins of equal width up to the 99th percentile, the rest in the last one."""
    known = pl.Series("value", values, dtype=pl.Float64).drop_nulls()
    if known.is_empty():
        return pl.DataFrame(schema={"lower": pl.Float64, "upper": pl.Float64, "customer_count": pl.Int64})
    low, high = float(min(known.min(), 0.0)), float(known.quantile(0.99) or 0.0)  # type: ignore[type-var, arg-type]
    width = (high - low) / count or 1.0
    number = ((known - low) / width).floor().clip(0, count - 1).cast(pl.Int64)
    counts = pl.DataFrame({"number": number}).group_by("number").len("customer_count").sort("number")
    return counts.select(
        lower=low + pl.col("number") * width,
        upper=low + (pl.col("number") + 1) * width,
        customer_count="customer_count",
    ).with_columns(pl.col("customer_count").cast(pl.Int64))


def columns(months: pl.DataFrame, *, x: str, y: str, title: str, unit: str) -> alt.Chart:
    """One column a month."""
    return (
        alt.Chart(months, title=title, height=HEIGHT)
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X(f"yearmonth({x}):T", title="Month"),
            y=alt.Y(f"{y}:Q", title=unit),
            tooltip=[alt.Tooltip(f"yearmonth({x}):T", title="Month"), alt.Tooltip(f"{y}:Q", title=unit, format=",.2f")],
        )
    )


def title_of(chart: alt.Chart | alt.LayerChart) -> str:
    """The title of a chart as text; layers share that of the first one."""
    spec = chart.to_dict()
    title = spec.get("title") or spec["layer"][0]["title"]
    return str(title["text"] if isinstance(title, dict) else title)


def untitled(chart: alt.Chart | alt.LayerChart) -> alt.Chart | alt.LayerChart:
    """The chart without its title, for where that stands above it as text: there it breaks into lines on a phone."""
    bare = chart.copy(deep=True)
    for part in (bare, *getattr(bare, "layer", ())):
        part.title = alt.Undefined
    return bare
