"""Commands about what is published: status, query, explain, rollback, freeze."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.options import DataDirOption, JsonOption, SourceOption, explained, screen, settings_of

if TYPE_CHECKING:  # a second that most commands do not need
    import polars as pl


class Shape(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def status(data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """The last run, what is published, how the models do, and what failed."""
    with explained():
        from orchestration.answers import summary

        found = summary.status(settings_of(None, data_dir))
        if json:
            typer.echo(summary.as_json(found))
            return
        console = screen()
        last = found["last_run"]
        console.print(
            f"Last run {last['run_id']}: {last['outcome']}, started {last['started_at']}" if last else "No run yet.",
            highlight=False,
        )
        for age in found["too_old"]:
            console.print(f"[bold red]{age['level'].capitalize()}[/bold red]: {age['sentence']}", highlight=False)
        summary.show(found["published"], console)
        for version in found["versions"]:
            reads = "  <- what BI reads" if version["run_id"] == found["published"].get("run_id") else ""
            console.print(f"Kept: {version['run_id']} as of {version['as_of_date']}{reads}", highlight=False)
        summary.show_syncs(found["syncs"], console)


def query(
    sql: Annotated[str, typer.Argument(help='One question in SQL, such as "from reports.rpt_model_health".')],
    shape: Annotated[Shape, typer.Option("--format", help="How the rows are written.")] = Shape.TABLE,
    data_dir: DataDirOption = None,
) -> None:
    """Ask the published tables something: read-only, on a connection that reaches nothing else."""
    with explained():
        from orchestration.answers import asking

        write(asking.rows(sql, settings_of(None, data_dir)), shape)


def write(rows: "pl.DataFrame", shape: Shape) -> None:
    """Rows on stdout, in the shape that was asked for."""
    from orchestration.answers import asking

    if shape is Shape.TABLE:
        asking.show(rows, screen())
    else:
        sys.stdout.write(asking.as_csv(rows) if shape is Shape.CSV else asking.as_json(rows))


def explain(
    customer: Annotated[str, typer.Argument(help="Id, as in marts.dim_customers or in the source's files.")],
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Say in words what the published tables know of one customer: history, segments, scores and why they are so."""
    with explained():
        from orchestration.answers.customer_facts import facts
        from orchestration.answers.customer_words import sentences, show
        from orchestration.answers.summary import as_json

        found = facts(customer, settings_of(None, data_dir))
        if json:
            typer.echo(as_json(found | {"words": sentences(found)}))
            return
        show(found, screen())


def rollback(
    run_id: Annotated[str | None, typer.Argument(help="Run to go back to; default: the one before.")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Let BI read an earlier published version, once it is verified. The next run publishes a new one."""
    with explained():
        from orchestration.publishing.generations import roll_back
        from orchestration.runs.writer import writer_lock

        settings = settings_of(None, data_dir)
        with writer_lock(settings, wait=False):
            chosen = roll_back(settings, run_id=run_id)
        typer.echo(f"BI reads {chosen.run_id} as of {chosen.as_of}, published {chosen.published_at}.")


def freeze(
    name: Annotated[str, typer.Argument(help="Name of the snapshot, such as spring_sale.")],
    strategy: Annotated[str, typer.Option(help="Strategy, such as rfm.")],
    segment: Annotated[str, typer.Option(help="Segment, such as champions.")],
    source: SourceOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Keep who is in a segment now, for a campaign: the next run has them in ml.segment_snapshots."""
    with explained():
        from orchestration.runs.writer import writer_lock
        from orchestration.storage.segment_snapshots import freeze as keep

        settings, now = settings_of(source, data_dir), datetime.now(UTC).replace(tzinfo=None)
        with writer_lock(settings, wait=False):  # else somebody who is being erased could be kept
            count = keep(settings, name=name, strategy=strategy, segment=segment, now=now)
        typer.echo(f"{name}: {count:,} customers of {strategy} {segment} are kept.")
