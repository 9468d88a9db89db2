"""The overview as one HTML file that needs no server and no network: the program that draws its charts is in it.

It lies beside the published database, so that it can be mailed. The page of the dashboard shows the same numbers.
"""

import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

import altair as alt
import polars as pl
import vl_convert

from dashboard import charts
from dashboard.kpis import bridge_steps, weekly, whole_months
from dashboard.published import Published
from dashboard.words import change_of, unit_of, usual_of, value_of
from orchestration.words import heading

WEEKS: Final = 60
_LAYOUT: Final = Template((Path(__file__).with_name("overview.html")).read_text())
_LOOK: Final[dict[str, Any]] = {
    "background": "transparent",
    "axis": {"labelColor": "#808080", "titleColor": "#808080", "gridColor": "#80808040"},
    "legend": {"labelColor": "#808080", "titleColor": "#808080"},
    "title": {"color": "#808080", "subtitleColor": "#808080"},
    "view": {"stroke": None},
}
"""Grey that reads on a light and on a dark page."""


def drawing_program() -> str:
    """The program that draws charts (Vega), for a script element: made in seconds, the same for a version of it."""
    made: str = vl_convert.javascript_bundle(None)  # type: ignore[arg-type] # its stub says otherwise than its words
    return made.replace("</script", "<\\/script")


def render(data: Published, *, program: str) -> str:
    """The whole page, drawn by `program`."""
    weeks = weekly(data)
    drawn = [_of_metric(data, weeks, metric) for metric in weeks["metric"].unique(maintain_order=True)]
    for month in whole_months(data)[:1]:
        title = f"Net amount of {month:%B %Y} against the month before"
        drawn.append(charts.bridge(bridge_steps(data, month), title=title, unit=f"Net amount ({data.currency})"))
    specs = [chart.properties(width="container").to_dict() | {"config": _LOOK} for chart in drawn]
    return _LAYOUT.substitute(
        title=escape(f"{data.source}, as of {data.as_of:%d %B %Y}"),
        numbers="\n".join(_number(data, week) for week in _last(weeks)),
        charts="\n".join(f'<div class="chart" id="chart{place}"></div>' for place in range(len(specs))),
        specs=json.dumps(specs, default=str).replace("</", "<\\/"),
        program=program,
    )


def _last(weeks: pl.DataFrame) -> list[dict[str, Any]]:
    return weeks.group_by("metric", maintain_order=True).last().to_dicts()


def _of_metric(data: Published, weeks: pl.DataFrame, metric: str) -> alt.LayerChart:
    one = weeks.filter(pl.col("metric") == metric).tail(WEEKS)
    title = f"{heading(metric)} by week, and where it lies by chance"
    return charts.control_chart(one, title=title, unit=unit_of(metric, data.currency))


def _number(data: Published, week: dict[str, Any]) -> str:
    metric = week["metric"]
    beyond = ", beyond its limits" if week["is_beyond_limits"] else ""
    return (
        f"<div><dt>{escape(heading(metric))}</dt>"
        f'<dd class="value">{escape(value_of(metric, week["value"], data.currency))}</dd>'
        f'<dd class="change">{escape((change_of(week) or "") + beyond)}</dd>'
        f"<dd>{escape(usual_of(week, data.currency))}</dd>"
        f'<dd class="meaning">{escape(week["definition"])}</dd></div>'
    )
