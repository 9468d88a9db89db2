"""Who was erased, as keyed hashes and nothing else: what arrives of them again is refused.

Hashes are of one source: the same number in another company's files is another person. What an erasure removes belongs
in `erasure`; how rows are refused, in `intake.refusal`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import polars as pl

from orchestration.errors import ClienteleError
from orchestration.privacy.keys import Key, privacy_key
from orchestration.settings import Settings
from orchestration.storage import kept_files

Kind = Literal["customer", "transaction"]

SCHEMA: Final = {
    "kind": pl.String(),
    "keyed_hash": pl.String(),
    "erased_at": pl.Datetime("us"),
    "key_fingerprint": pl.String(),
}


@dataclass(frozen=True)
class Tombstones:
    """The tombstones of one source; false where nobody was erased."""

    source: str
    key: Key | None
    hashes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anybody was erased."""
        return bool(self.hashes)

    def customers(self, ids: Iterable[str]) -> list[str]:
        """Those of some customer ids that were erased."""
        return self._refused("customer", ids)

    def transactions(self, ids: Iterable[str]) -> list[str]:
        """Those of some transaction ids that were an erased customer's: for rows that name no customer."""
        return self._refused("transaction", ids)

    def _refused(self, kind: Kind, ids: Iterable[str]) -> list[str]:
        if self.key is None:
            return []
        return [one for one, digest in hashed(self.key, kind, ids, self.source).items() if digest in self.hashes]


def hashed(key: Key, kind: Kind, ids: Iterable[str], source: str) -> dict[str, str]:
    """The keyed hash of each id."""
    return key.hashes((source, kind), ids)


def read(settings: Settings, *, source: str) -> Tombstones:
    """The tombstones of a source.

    Raises:
        ClienteleError: they were made with another key than the one at hand; nobody could be recognised.
    """
    files = kept_files.parquet_files(folder(settings, source))
    if not files:
        return Tombstones(source, None)
    kept, key = pl.concat([pl.read_parquet(file) for file in files]), privacy_key(settings)
    if (kept["key_fingerprint"] != key.fingerprint).any():
        raise ClienteleError(
            "Erased customers are on record under another key than the one at hand, so that they could not be "
            "recognised. Nothing was read. Set CLIENTELE_PRIVACY_KEY to the key that was used then, or put back "
            "vault/privacy.key."
        )
    return Tombstones(source, key, frozenset(kept["keyed_hash"]))


def add(settings: Settings, *, source: str, customers: Iterable[str], transactions: Iterable[str] = ()) -> str:
    """Set tombstones for customers and their transactions, in one file; returns its name, by the time.

    Raises:
        ClienteleError: as `read`.
    """
    read(settings, source=source)
    key = privacy_key(settings)
    by_kind: dict[Kind, dict[str, str]] = {
        "customer": hashed(key, "customer", customers, source),
        "transaction": hashed(key, "transaction", transactions, source),
    }
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        (kind, digest, now, key.fingerprint)
        for kind, found in by_kind.items()
        for digest in sorted(set(found.values()))
    ]
    name = re.sub("[^0-9]", "", now.isoformat(timespec="microseconds"))
    kept_files.write_frame(
        folder(settings, source) / f"{name}.parquet", pl.DataFrame(rows, schema=SCHEMA, orient="row")
    )
    return name


def folder(settings: Settings, source: str) -> Path:
    """Where the tombstones of a source lie."""
    return settings.history_dir / "tombstones" / source
