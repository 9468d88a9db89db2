"""Changes as files that another program picks up: one CSV or Parquet per batch, complete as soon as it has its name."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from orchestration.activation.changes import Change
from orchestration.activation.webhook import Fates
from orchestration.errors import DeliveryError


@dataclass(frozen=True)
class DropFolder:
    """A folder that exists; a batch that is written twice has one name, so that it is one file.

    Every file has the same `columns`, beside those of a change; whoever may read the folder may read it.
    """

    folder: Path
    kind: Literal["csv", "parquet"] = "csv"
    columns: tuple[str, ...] = ()

    def deliver(self, changed: Sequence[Change], settle: Callable[[Fates], None]) -> None:
        """Write all changes as one file: columns change_id, operation, customer_id, revision and those of the rows.

        Raises:
            DeliveryError: the folder cannot be written.
        """
        if not changed:
            return
        named = "".join(change.change_id for change in changed)
        file = self.folder / f"{changed[0].activation}-{hashlib.sha256(named.encode()).hexdigest()[:16]}.{self.kind}"
        aside = file.with_name(f".{file.name}")
        try:
            self._write(changed, aside)
            aside.chmod(self.folder.stat().st_mode & 0o644)
            aside.replace(file)
        except OSError as error:
            raise DeliveryError(
                f"{self.folder} cannot be written ({error.strerror}). Nothing is lost: sync again once it can."
            ) from None
        settle([(change, "accepted", None) for change in changed])

    def _write(self, changed: Sequence[Change], file: Path) -> None:
        frame = pl.DataFrame(
            [{**change.row, **{k: v for k, v in change.as_json().items() if k != "row"}} for change in changed],
            infer_schema_length=None,
        )
        first = ["change_id", "operation", "customer_id", "revision"]
        lacking = [pl.lit(None, pl.String).alias(name) for name in self.columns if name not in frame.columns]
        frame = frame.with_columns(lacking).select(*first, *(self.columns or [pl.exclude(first)]))
        if self.kind == "csv":
            frame.write_csv(file)
        else:
            frame.write_parquet(file)
