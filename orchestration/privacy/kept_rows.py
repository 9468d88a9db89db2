"""Places of kept rows: deliveries in raw and vault, what was fetched, the map of pseudonyms, history, model cards.

Published versions and caches are in `versions`.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from orchestration.intake.deliveries import Delivery, read_deliveries
from orchestration.intake.entities import ENTITIES
from orchestration.intake.refusal import Rule
from orchestration.intake.revisions import ROWS, revise
from orchestration.privacy import pseudonyms
from orchestration.privacy.landing import fetched_readers, scrub_landing
from orchestration.privacy.places import Home, Persons, is_theirs, keep_persons, keys
from orchestration.privacy.registry import KEY, Place
from orchestration.storage import kept_files
from orchestration.storage.history import LEDGER
from orchestration.warehouse import literal, records, sandbox


@dataclass(frozen=True)
class Deliveries:
    """The rows of one entity as received, in raw or in the vault: one half is never rewritten without the other."""

    home: Home
    place: Place

    @property
    def _entity(self) -> str:
        return self.place.path.partition("/")[2]

    @property
    def _folders(self) -> tuple[Path, Path]:
        settings = self.home.settings
        return settings.raw_dir / self._entity, settings.vault_dir / self._entity

    def _deliveries(self) -> list[Delivery]:
        return read_deliveries(self._folders[0], source=self.home.source.name)

    def erase(self, persons: Persons) -> int:
        """Revise every delivery that holds a row of theirs."""
        raw, vault = self._folders
        rule = Rule(
            customers=lambda ids: [one for one in ids if one in persons.customers],
            transactions=lambda ids: [one for one in ids if one in persons.transactions],
        )
        count = 0
        for delivery in self._deliveries():
            revised = revise(delivery, entity=ENTITIES[self._entity], raw=raw, vault=vault, rule=rule)
            count += sum(tally["row_count"] for tally in revised.erased)
            count -= sum(tally["row_count"] for tally in delivery.erased)
        return count

    def tell(self, persons: Persons) -> list[dict[str, Any]]:
        """Their rows, those of raw with the row numbers by which the vault's are found."""
        raw, vault = self._folders
        home = vault if self.place.path.startswith("vault/") else raw
        found = []
        for delivery in self._deliveries():
            rows, own = raw / delivery.folder_name / ROWS, home / delivery.folder_name / ROWS
            if own.exists():
                with sandbox(folders=[raw, home]) as connection:
                    keep_persons(connection, persons)
                    theirs = is_theirs(pl.read_parquet_schema(rows))
                    numbers = f"select _row_number from read_parquet({literal(str(rows))}) where {theirs}"
                    query = (
                        f"from read_parquet({literal(str(own))}) where _row_number in ({numbers}) order by _row_number"
                    )
                    found += records(connection, query)
        return found

    def known(self) -> Iterator[tuple[set[str], set[str]]]:
        """Ids in every delivery."""
        if self.place.path.startswith("raw/"):
            yield from (_known(self._folders[0] / one.folder_name / ROWS) for one in self._deliveries())


@dataclass(frozen=True)
class Landing:
    """What dlt fetched; tombstones say which rows go."""

    home: Home
    place: Place

    def erase(self, persons: Persons) -> int:  # noqa: ARG002 - by the mappings, and by tombstones
        """Rewrite the files that hold rows of erased customers."""
        return len(scrub_landing(self.home.source, self.home.settings))

    def tell(self, persons: Persons) -> list[dict[str, Any]]:
        """The fetched rows that the mappings say are theirs."""
        rule = Rule(customers=lambda ids: [one for one in ids if one in persons.customers])
        rows: dict[Path, set[int]] = {}
        found: list[dict[str, Any]] = []
        for entity in self.home.source.entities:
            for reader in fetched_readers(entity, self.home.source, self.home.settings):
                with tempfile.TemporaryDirectory(dir=self.home.settings.vault_dir, prefix=".scrub-") as scratch:
                    for file, numbers in reader.refused(rule, scratch=Path(scratch)).items():
                        rows.setdefault(file, set()).update(numbers)
        for file, wanted in sorted(rows.items()):
            frame = pl.read_parquet(file, row_index_name="_row_number", row_index_offset=1)
            found += frame.filter(pl.col("_row_number").is_in(list(wanted))).to_dicts()
        return found

    def known(self) -> Iterator[tuple[set[str], set[str]]]:
        """None: scrubbing asks the tombstones itself."""
        yield from ()


@dataclass(frozen=True)
class PseudonymMap:
    """The map from pseudonyms to real ids."""

    home: Home
    place: Place

    def erase(self, persons: Persons) -> int:
        """Forget them."""
        known = pseudonyms.read(self.home.settings, source=self.home.source.name)
        real = known.filter(pl.col("pseudonym").is_in(list(persons.customers)))["customer_id"]
        pseudonyms.forget(self.home.settings, real, source=self.home.source.name)
        return real.len()

    def tell(self, persons: Persons) -> list[dict[str, Any]]:
        """Their real ids."""
        known = pseudonyms.read(self.home.settings, source=self.home.source.name)
        return known.filter(pl.col("pseudonym").is_in(list(persons.customers))).to_dicts()

    def known(self) -> Iterator[tuple[set[str], set[str]]]:
        """Everybody's pseudonym."""
        yield set(pseudonyms.read(self.home.settings, source=self.home.source.name)["pseudonym"]), set()


@dataclass(frozen=True)
class HistoryFiles:
    """One subject of the history: a file a day, or a file a snapshot."""

    home: Home
    place: Place

    def _files(self) -> list[Path]:
        return kept_files.parquet_files(self.home.settings.data_dir / self.place.path / self.home.source.name)

    def erase(self, persons: Persons) -> int:
        """Rewrite the files in which they are."""
        count = 0
        for file in self._files():
            frame = pl.read_parquet(file)
            left = frame.filter(~pl.col(KEY).is_in(list(persons.customers)))
            if left.height < frame.height:
                kept_files.write_frame(file, left)
                count += frame.height - left.height
        return count

    def tell(self, persons: Persons) -> dict[str, list[dict[str, Any]]]:
        """Their rows by day or snapshot."""
        found = {
            file.stem: pl.scan_parquet(file).filter(pl.col(KEY).is_in(list(persons.customers))).collect().to_dicts()
            for file in self._files()
        }
        return {day: rows for day, rows in found.items() if rows}

    def known(self) -> Iterator[tuple[set[str], set[str]]]:
        """Ids in every file."""
        yield from map(_known, self._files())


@dataclass(frozen=True)
class ModelCards:
    """What was fitted on people: it holds nobody's rows, and has learned from them."""

    home: Home
    place: Place

    def erase(self, persons: Persons) -> int:  # noqa: ARG002 - nobody can be taken out of what was learned
        """Nothing: an erasure marks the cards with what they learned from; the next training learns without."""
        return 0

    def tell(self, persons: Persons) -> list[dict[str, Any]]:
        """The trainings that scored them."""
        folder, versions = self.home.settings.data_dir / self.place.path, set()
        for model in LEDGER:
            for file in kept_files.parquet_files(
                self.home.settings.history_dir / "scores" / model / self.home.source.name
            ):
                scored = pl.scan_parquet(file).filter(pl.col(KEY).is_in(list(persons.customers)))
                versions |= set(scored.select("model_version").collect()["model_version"])
        cards = [json.loads(file.read_text()) for file in sorted(folder.glob("[!.]*/card.json"))]
        wanted = ("model", "model_version", "trained_at", "as_of_date", "candidate", "served_by", "reason")
        return [{name: card[name] for name in wanted} for card in cards if card["model_version"] in versions]

    def known(self) -> Iterator[tuple[set[str], set[str]]]:
        """None."""
        yield from ()


def _known(file: Path) -> tuple[set[str], set[str]]:
    columns = pl.read_parquet_schema(file)
    customers = {
        str(one).strip(" ")
        for name in keys(columns)
        for one in pl.read_parquet(file, columns=[name])[name].drop_nulls().unique()
    }
    transactions: set[str] = set()
    if KEY in columns and "transaction_id" in columns:
        guests = pl.scan_parquet(file).filter(pl.col(KEY).is_null()).select(pl.col("transaction_id").unique())
        transactions = {str(one).strip(" ") for one in guests.collect()["transaction_id"].drop_nulls()}
    return customers, transactions
