"""Commands about a source before it is run: init drafts a source file, check says what it can answer."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.options import JsonOption, SourceOption, command, explained, screen, settings_of
from orchestration.errors import InputError


def init(
    files: Annotated[list[Path], typer.Argument(help="Data files: Parquet, CSV or JSON lines.")],
    out: Annotated[Path, typer.Option(help="Source file to write.")] = Path("source.yml"),
) -> None:
    """Look at files and draft a source file to edit, with every guess marked as one."""
    with explained():
        from orchestration.intake.drafting import draft

        if out.exists():
            raise InputError(f"{out} exists already: name another file with --out.")
        out.write_text(draft(files, out=out), encoding="utf-8")
        typer.echo(f"Drafted {out}. Look at every guess, then: {command(f'check --source {out}')}")


def check(source: SourceOption = None, json: JsonOption = False) -> None:
    """Read and validate a source, and say where its rows go and what they can answer. Nothing is trained or kept."""
    with explained():
        from rich.console import Console

        from orchestration.answers import preview
        from orchestration.runs.progress import RunProgress

        with RunProgress(Console(file=sys.stderr)) as progress:
            report, error = preview.preview(settings_of(source, None), progress)
        if json:
            typer.echo(preview.as_json(report))
        else:
            preview.show(report, screen())
        if error:
            raise error
