"""The command line `clientele`: options in, one function called, words and an exit code out. No logic of its own.

Progress goes to stderr, results to stdout. Heavy libraries are imported by the command that needs them.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from orchestration.errors import ClienteleError, InputError
from orchestration.settings import PROJECT_DIR, Settings

app = typer.Typer(
    help="Customer analytics from a company's own files to tables that BI can trust.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)

SourceOption = Annotated[Path | None, typer.Option("--source", help="Source file; default: CLIENTELE_SOURCE.")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Data folder; default: CLIENTELE_DATA_DIR.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@app.command()
def run(
    source: SourceOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="Day to describe, YYYY-MM-DD; default: the last complete one.")
    ] = None,
    data_dir: DataDirOption = None,
    retrain: Annotated[
        bool | None, typer.Option("--retrain/--no-retrain", help="Default: when models are due.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the whole pipeline: files to marts, models and scores, checked and published."""
    with _explained():
        from rich.console import Console

        from orchestration.intake.source_file import load_source
        from orchestration.run import parse_day, writer_lock

        settings = _settings(source, data_dir)
        described = load_source(settings.source)
        parse_day(as_of)
        for entity, parts in described.entities.items():
            for part in parts:
                described.files(part, entity=entity, landing=settings.landing_dir)
        console = Console(stderr=True)
        if described.notice:
            console.print(f"[dim]{described.notice}[/dim]", highlight=False)
        with writer_lock(settings, wait=False):
            _run(settings, {"as_of": as_of, "retrain": retrain, "source": str(settings.source)}, console, json)


def _run(settings: Settings, config: dict[str, Any], console: Any, json: bool) -> None:
    from rich.console import Console

    from orchestration.progress import RunProgress

    with RunProgress(console) as progress:
        from orchestration import summary
        from orchestration.runner import run_job

        outcome = run_job("retrain" if config["retrain"] else "refresh", settings, config=config, listener=progress)
    if outcome.error:
        raise outcome.error
    done = summary.summarise(settings.published_dir / "versions" / outcome.run_id)
    if json:
        typer.echo(summary.as_json(done))
    else:
        summary.show(done, Console())


@app.command()
def check(source: SourceOption = None, json: JsonOption = False) -> None:
    """Read and validate a source, and say where its rows go and what they can answer. Nothing is trained or kept."""
    with _explained():
        from rich.console import Console

        from orchestration import preview
        from orchestration.progress import RunProgress

        with RunProgress(Console(stderr=True)) as progress:
            report, error = preview.preview(_settings(source, None), progress)
        if json:
            typer.echo(preview.as_json(report))
        else:
            preview.show(report, Console())
        if error:
            raise error


@app.command()
def evaluate(
    source: SourceOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="Day to stand on, YYYY-MM-DD; default: the last complete one.")
    ] = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Train every candidate and test it beside every rule on past days. Nothing is published."""
    with _explained():
        from rich.console import Console

        from orchestration import contest, summary
        from orchestration.progress import RunProgress
        from orchestration.run import parse_day, writer_lock

        settings = _settings(source, data_dir)
        parse_day(as_of)
        with writer_lock(settings, wait=False), RunProgress(Console(stderr=True)) as progress:
            found, error = contest.evaluate(settings, as_of=as_of, listener=progress)
        if error:
            raise error
        if json:
            typer.echo(summary.as_json(found))
        else:
            contest.show(found, Console())


@app.command()
def init(
    files: Annotated[list[Path], typer.Argument(help="Data files: Parquet, CSV or JSON lines.")],
    out: Annotated[Path, typer.Option(help="Source file to write.")] = Path("source.yml"),
) -> None:
    """Look at files and draft a source file to edit, with every guess marked as one."""
    with _explained():
        from orchestration.intake.drafting import draft

        if out.exists():
            raise InputError(f"{out} exists already: name another file with --out.")
        out.write_text(draft(files, out=out), encoding="utf-8")
        typer.echo(f"Drafted {out}. Look at every guess, then: clientele check --source {out}")


@app.command()
def freeze(
    name: Annotated[str, typer.Argument(help="Name of the snapshot, such as spring_sale.")],
    strategy: Annotated[str, typer.Option(help="Strategy, such as rfm.")],
    segment: Annotated[str, typer.Option(help="Segment, such as champions.")],
    source: SourceOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Keep who is in a segment now, for a campaign: the next run has them in ml.segment_snapshots."""
    with _explained():
        from orchestration.segment_snapshots import freeze as keep

        now = datetime.now(UTC).replace(tzinfo=None)
        count = keep(_settings(source, data_dir), name=name, strategy=strategy, segment=segment, now=now)
        typer.echo(f"{name}: {count:,} customers of {strategy} {segment} are kept.")


@app.command()
def status(data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """The last run, what is published, how the models do, and what failed."""
    with _explained():
        from rich.console import Console

        from orchestration import summary

        found = summary.status(_settings(None, data_dir))
        if json:
            typer.echo(summary.as_json(found))
            return
        console = Console()
        last = found["last_run"]
        console.print(
            f"Last run {last['run_id']}: {last['outcome']}, started {last['started_at']}" if last else "No run yet.",
            highlight=False,
        )
        summary.show(found["published"], console)


@app.command()
def dev(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000, data_dir: DataDirOption = None) -> None:
    """Open the Dagster UI on 127.0.0.1 with the schedules."""
    with _explained():
        import os
        import signal

        from orchestration.runner import prepare_instance

        settings = _settings(None, data_dir)
        home = prepare_instance(settings)
        dagster = str(Path(sys.executable).with_name("dagster"))
        workspace = str(PROJECT_DIR / "workspace.yaml")
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # started from a script it would be ignored, and dagster never end
        os.execve(  # noqa: S606 - our own arguments, no shell
            dagster,
            [dagster, "dev", "-h", "127.0.0.1", "-p", str(port), "-w", workspace],
            settings.environment() | {"DAGSTER_HOME": str(home)},
        )


def _settings(source: Path | None, data_dir: Path | None) -> Settings:
    given: dict[str, Any] = {"source": source, "data_dir": data_dir}
    return Settings(**{name: value for name, value in given.items() if value is not None})


@contextmanager
def _explained() -> Iterator[None]:
    """Errors that are meant for people end the command with their sentence and exit code, without a traceback."""
    try:
        yield
    except ValidationError as error:
        for item in error.errors():
            typer.echo(f"CLIENTELE_{str(item['loc'][0]).upper()}: {item['msg']}", err=True)
        raise typer.Exit(2) from None
    except ClienteleError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None
