"""The command about metrics: what they are, and what they were."""

from datetime import datetime
from typing import Annotated

import typer

from orchestration.cli.options import DataDirOption, explained, settings_of
from orchestration.cli.publications import Shape, write

DAY = ["%Y-%m-%d"]


def metrics(
    names: Annotated[list[str] | None, typer.Argument(help="Metrics; none: which there are.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="metric_time__month, transaction__channel, ...; may be repeated.")
    ] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last day.")] = None,
    shape: Annotated[Shape, typer.Option("--format", help="How the rows are written.")] = Shape.TABLE,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that answers instead of asking it.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Ask the metrics layer: each number means the same here, in the reports and in whatever tool reads the SQL."""
    with explained():
        from orchestration.answers import metric_queries

        settings = settings_of(None, data_dir)
        engine = metric_queries.metrics_engine(settings)
        if not names:
            write(metric_queries.catalogue(engine), shape)
            return
        days = {"first": first.date() if first else None, "last": last.date() if last else None}
        question = metric_queries.sql_for(names, by=by or (), **days, engine=engine)
        if sql:
            typer.echo(question)
        else:
            write(metric_queries.answer(question, settings), shape)
