"""The one reader of what customers wrote: texts go from the vault to a function of `ml`, and into no table.

Of whom the source knows, and who allows it, alone. What is said of the texts belongs in `assets.feedback`.
"""

from collections.abc import Iterator
from typing import Final

import polars as pl

from ml.feedback_schemas import MESSAGES
from ml.schemas import conform, empty
from orchestration.intake.deliveries import read_deliveries
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.warehouse import literal

BLOCK: Final = 20_000
"""Messages in memory at a time, about."""
ROW: Final = ("_file_hash", "_row_number", "_received_at")
"""What names a received row, in the vault as in raw."""


def are_there(run: Run) -> bool:
    """Whether the vault holds a text of feedback."""
    return bool(_files(run))


def read_messages(run: Run, *, where: str = "true") -> Iterator[pl.DataFrame]:
    """MESSAGES with language where that is known, block by block, each sorted by id; which are in a block is by hash.

    `where` is an SQL condition on `marts.fct_feedback` and `language`.
    """
    files = _files(run)
    if not files:
        return
    asked = _query(files, where=where)
    count = run.warehouse.read(f"select count(*) from ({asked})").item()
    blocks = -(-count // BLOCK)
    for block in range(blocks):
        rows = run.warehouse.read(f"select * from ({asked}) where hash(feedback_id) % {blocks} = {block}")
        yield conform(rows, MESSAGES | {"language": pl.String}).sort("feedback_id")


def all_messages(run: Run, *, where: str) -> pl.DataFrame:
    """The same as one frame, for what is fitted on few enough."""
    return pl.concat([empty(MESSAGES | {"language": pl.String}), *read_messages(run, where=where)]).sort("feedback_id")


def _query(files: list[str], *, where: str) -> str:
    """A message's text is that of the received row which became it: of several versions the newest known."""
    received, row = ", ".join(map(literal, files)), ", ".join(ROW)
    updated = "try_cast(raw.updated_at as timestamp)"
    return f"""
        select feedback.feedback_id, feedback.customer_id, feedback.feedback_date, feedback.is_satisfied,
            newest.text, known.language
        from marts.fct_feedback as feedback
        inner join (
            select trim(raw.feedback_id) as feedback_id,
                arg_max(trim(vault.text), (coalesce({updated}, timestamp '1900-01-01'), {row})) as text
            from raw.feedback as raw
            inner join (select {row}, text from read_parquet([{received}], union_by_name = true)) as vault
                using ({row})
            where not raw._is_superseded and not raw._is_excluded and vault.text is not null
                and coalesce({updated}::date <= (select as_of_date from marts.dim_as_of), true)
            group by 1
        ) as newest on feedback.feedback_id = newest.feedback_id
        left join ml.feedback_messages as known on feedback.feedback_id = known.feedback_id
        where newest.text <> '' and feedback.customer_id is not null
            and {consent.allowed("profiling", customer="feedback.customer_id")} and ({where})
    """


def _files(run: Run) -> list[str]:
    """The vault's files of feedback with a text."""
    raw, vault = run.settings.raw_dir / "feedback", run.settings.vault_dir / "feedback"
    found = [vault / delivery.folder_name / "rows.parquet" for delivery in read_deliveries(raw, source=run.source.name)]
    return [str(file) for file in found if file.exists() and "text" in pl.read_parquet_schema(file)]
