"""Commands that do the work: run, backfill, evaluate, sync."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli.options import DataDirOption, JsonOption, SourceOption, explained, screen, settings_of

if TYPE_CHECKING:
    from orchestration.automation.alerts import Told
    from orchestration.settings import Settings


def run(
    source: SourceOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="Day to describe, YYYY-MM-DD; default: the last complete one.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help="Leave out what was received later, such as 2017-10-02T06:00:00 (UTC).")
    ] = None,
    data_dir: DataDirOption = None,
    retrain: Annotated[
        bool | None, typer.Option("--retrain/--no-retrain", help="Default: when models are due.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the whole pipeline: files to marts, models and scores, checked and published."""
    with explained():
        from orchestration.automation.alerts import Told

        settings = settings_of(source, data_dir)
        with Told(settings, day=as_of) as told:
            _checked_run(settings, {"as_of": as_of, "known_at": known_at, "retrain": retrain}, json, told)


def _checked_run(settings: "Settings", asked: dict[str, Any], json: bool, told: "Told") -> None:
    from rich.console import Console

    from orchestration.intake.source_file import load_source
    from orchestration.runs.preflight import told_when_full
    from orchestration.runs.run import parse_day, parse_moment
    from orchestration.runs.writer import writer_lock

    described = load_source(settings.source)
    parse_day(asked["as_of"])
    parse_moment(asked["known_at"])
    for entity, parts in described.entities.items():
        for part in parts:
            described.files(part, entity=entity, landing=settings.landing_dir)
    console = Console(file=sys.stderr)
    if described.notice:
        console.print(f"[dim]{described.notice}[/dim]", highlight=False)
    with told_when_full(settings), writer_lock(settings, wait=False):
        _run(settings, asked | {"source": str(settings.source)}, console, json, told)
    told.of_success(described)


def _run(settings: "Settings", config: dict[str, Any], console: Any, json: bool, told: "Told") -> None:
    from orchestration.runs.pace import Pace
    from orchestration.runs.progress import RunProgress

    job = "retrain" if config["retrain"] else "refresh"
    with RunProgress(console, pace=Pace(settings.data_dir, job)) as progress:
        from orchestration.answers import summary
        from orchestration.runs.runner import run_job

        outcome = run_job(job, settings, config=config, listener=progress)
    told.run_id = outcome.run_id
    if outcome.error:
        raise outcome.error
    done = summary.of_version(settings, settings.published_dir / "versions" / outcome.run_id)
    if json:
        typer.echo(summary.as_json(done))
    else:
        summary.show(done, screen())


def backfill(
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    source: SourceOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Run every day of a stretch, oldest first, and keep each in the history, marked as back-filled."""
    with explained():
        from rich.console import Console

        from orchestration.answers import summary
        from orchestration.automation.alerts import Told
        from orchestration.runs.backfill import BackfilledDay, days_between
        from orchestration.runs.backfill import backfill as run_days
        from orchestration.runs.progress import RunProgress
        from orchestration.runs.run import required_day
        from orchestration.runs.writer import writer_lock

        settings = settings_of(source, data_dir)
        days = days_between(required_day(first), required_day(last))
        console = Console(file=sys.stderr)

        def tell(done: BackfilledDay) -> None:
            console.print(f"{done.day} is kept ({(done.day - days[0]).days + 1} of {len(days)})", highlight=False)

        with (
            Told(settings, day=f"{first} to {last}"),
            writer_lock(settings, wait=False),
            RunProgress(console) as progress,
        ):
            done = run_days(settings, days, listener=progress, is_done=tell)
        if json:
            typer.echo(summary.as_json({"days": [vars(day) for day in done]}))


def evaluate(
    source: SourceOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="Day to stand on, YYYY-MM-DD; default: the last complete one.")
    ] = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Train every candidate and test it beside every rule on past days. Nothing is published."""
    with explained():
        from rich.console import Console

        from orchestration.answers import contest, summary
        from orchestration.runs.pace import Pace
        from orchestration.runs.progress import RunProgress
        from orchestration.runs.run import parse_day
        from orchestration.runs.writer import writer_lock

        settings = settings_of(source, data_dir)
        parse_day(as_of)
        console, pace = Console(file=sys.stderr), Pace(settings.data_dir, "evaluate")
        with writer_lock(settings, wait=False), RunProgress(console, pace=pace) as progress:
            found, error = contest.evaluate(settings, as_of=as_of, listener=progress)
        if error:
            raise error
        if json:
            typer.echo(summary.as_json(found))
        else:
            contest.show(found, screen())


def sync(source: SourceOption = None, data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """Tell every destination of `actions.activations` what changed in what is published."""
    with explained():
        from orchestration.answers import summary
        from orchestration.errors import InputError
        from orchestration.intake.source_file import load_source
        from orchestration.runs.runner import run_job
        from orchestration.runs.writer import writer_lock

        settings = settings_of(source, data_dir)
        described = load_source(settings.source)
        if not described.actions.activations:
            raise InputError(f"{settings.source.name}: actions.activations declares no destination: nobody is told.")
        with writer_lock(settings, wait=False):
            outcome = run_job("sync", settings, config={}, listener=lambda _: None)
        last = [row for row in summary.syncs(settings) if row["activation"] in described.actions.activations]
        if json:
            typer.echo(summary.as_json({"run_id": outcome.run_id, "syncs": last}))
        else:
            summary.show_syncs(last, screen())
        if outcome.error:
            raise outcome.error
