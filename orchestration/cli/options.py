"""What the commands share: their common options, settings made of them, and how an error ends a command."""

import errno
import io
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, cast

import typer

from orchestration.errors import ClienteleError, InputError

if TYPE_CHECKING:  # pydantic takes as long to load as all the rest of `clientele --help`
    from rich.console import Console

    from orchestration.settings import Settings

WIDE = 500  # columns of what is piped: whoever reads it breaks lines, or looks for words in them

SourceOption = Annotated[Path | None, typer.Option("--source", help="Source file; default: CLIENTELE_SOURCE.")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="Data folder; default: CLIENTELE_DATA_DIR.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def settings_of(source: Path | None, data_dir: Path | None) -> "Settings":
    """The settings of the environment with what the options say instead.

    Raises:
        InputError: a variable of the environment is none that a setting can take.
    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from orchestration.settings import Settings

    given: dict[str, Any] = {"source": source, "data_dir": data_dir}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        told = [f"CLIENTELE_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise InputError("\n".join(told)) from None
    except SettingsError as error:
        raise InputError(f"CLIENTELE_ variables: {error}") from None


@contextmanager
def explained() -> Iterator[None]:
    """Errors that are meant for people end the command with their sentence and exit code, without a traceback."""
    try:
        yield
    except ClienteleError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        typer.echo(f"{error.filename or 'The data folder'}: the disk is full. Make room, and run again.", err=True)
        raise typer.Exit(ClienteleError.exit_code) from None


def screen() -> "Console":
    """Standard output for people: in colour and as wide as the terminal, or plain and unbroken where it is piped."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(file=cast("IO[str]", _Unpadded()), width=WIDE)


class _Unpadded(io.TextIOBase):
    """Standard output without the blanks that fill a table's last column up to its width."""

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has an attribute
        return sys.stdout.encoding

    def write(self, text: str) -> int:
        return sys.stdout.write(re.sub(r" +(?=\n)", "", text))

    def flush(self) -> None:
        sys.stdout.flush()


def command(words: str) -> str:
    """A command of ours as it can be typed here: by its path where this one was started by that."""
    started = sys.argv[0]
    is_found = Path(started).name != "clientele" or shutil.which("clientele") == started
    return f"{'clientele' if is_found else started} {words}"
