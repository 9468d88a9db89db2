"""Changes as files that another program picks up: one CSV or Parquet per batch, complete as soon as it has its name."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from orchestration.activation.changes import Change
from orchestration.activation.webhook import Fates


@dataclass(frozen=True)
class DropFolder:
    """A folder that exists; a batch that is written twice has one name, so that it is one file."""

    folder: Path
    kind: Literal["csv", "parquet"] = "csv"

    def deliver(self, changed: Sequence[Change], settle: Callable[[Fates], None]) -> None:
        """Write all changes as one file: columns change_id, operation, customer_id, revision and those of the rows.

        Raises:
            OSError: the folder cannot be written.
        """
        if not changed:
            return
        named = "".join(change.change_id for change in changed)
        file = self.folder / f"{changed[0].activation}-{hashlib.sha256(named.encode()).hexdigest()[:16]}.{self.kind}"
        frame = pl.DataFrame(
            [{**change.row, **{k: v for k, v in change.as_json().items() if k != "row"}} for change in changed],
            infer_schema_length=None,
        )
        first = ["change_id", "operation", "customer_id", "revision"]
        frame = frame.select(*first, pl.exclude(first))
        aside = file.with_name(f".{file.name}")
        if self.kind == "csv":
            frame.write_csv(aside)
        else:
            frame.write_parquet(aside)
        aside.replace(file)
        settle([(change, "accepted", None) for change in changed])
