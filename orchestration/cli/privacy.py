"""Commands that a person's rights need: erase, access."""

import json as as_json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.options import DataDirOption, JsonOption, SourceOption, explained, settings_of


def erase(
    customers: Annotated[list[str] | None, typer.Argument(help="Ids, spelt as in the source's files.")] = None,
    from_file: Annotated[
        Path | None, typer.Option(help="A file with one id a line.", exists=True, dir_okay=False)
    ] = None,
    source: SourceOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Forget customers: everywhere in the data folder, so that no byte remains, and whatever arrives of them again."""
    with explained():
        from orchestration.intake.source_file import load_source
        from orchestration.privacy.erasure import erase as forget
        from orchestration.runs.writer import writer_lock

        settings = settings_of(source, data_dir)
        described = load_source(settings.source)
        listed = from_file.read_text(encoding="utf-8").splitlines() if from_file else []
        with writer_lock(settings, wait=False):
            receipt, unknown = forget(settings, [*(customers or []), *listed], source=described)
        if json:
            typer.echo(as_json.dumps(asdict(receipt) | {"unknown_count": len(unknown)}, indent=1))
            return
        typer.echo(f"Erased {receipt.customer_count:,} customers of {receipt.source}. Rows gone, by place:")
        for place, count in receipt.rows_by_place.items():
            typer.echo(f"  {place}: {count:,}")
        if unknown:
            typer.echo(f"{len(unknown):,} of the ids were nobody's; what is delivered of them is refused all the same.")
        typer.echo(f"Models marked: {receipt.marked_model_count}. {receipt.remains}")
        typer.echo(f"Receipt: history/receipts/{receipt.source}/{receipt.erasure}.json")


def access(
    customer: Annotated[str, typer.Argument(help="Id, spelt as in the source's files.")],
    out: Annotated[Path, typer.Option(help="File to write; nobody else may read it.")] = Path("access.json"),
    source: SourceOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Write everything that is held about one customer as JSON."""
    with explained():
        from orchestration.intake.source_file import load_source
        from orchestration.privacy.access import access as tell
        from orchestration.privacy.access import write
        from orchestration.runs.writer import writer_lock

        settings = settings_of(source, data_dir)
        with writer_lock(settings, wait=False):
            document = tell(settings, customer, source=load_source(settings.source))
        write(document, out)
        typer.echo(f"{out}: everything that is held, in {len(document['held'])} places. Only you may read the file.")
