"""What the commands share: their common options, settings made of them, and how an error ends a command."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from orchestration.errors import ClienteleError
from orchestration.settings import Settings

SourceOption = Annotated[Path | None, typer.Option("--source", help="Source file; default: CLIENTELE_SOURCE.")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Data folder; default: CLIENTELE_DATA_DIR.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def settings_of(source: Path | None, data_dir: Path | None) -> Settings:
    """The settings of the environment with what the options say instead."""
    given: dict[str, Any] = {"source": source, "data_dir": data_dir}
    return Settings(**{name: value for name, value in given.items() if value is not None})


@contextmanager
def explained() -> Iterator[None]:
    """Errors that are meant for people end the command with their sentence and exit code, without a traceback."""
    try:
        yield
    except ValidationError as error:
        for item in error.errors():
            typer.echo(f"CLIENTELE_{str(item['loc'][0]).upper()}: {item['msg']}", err=True)
        raise typer.Exit(2) from None
    except SettingsError as error:
        typer.echo(f"CLIENTELE_ variables: {error}", err=True)
        raise typer.Exit(2) from None
    except ClienteleError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        typer.echo(f"{error.filename or 'The data folder'}: the disk is full. Make room, and run again.", err=True)
        raise typer.Exit(ClienteleError.exit_code) from None
