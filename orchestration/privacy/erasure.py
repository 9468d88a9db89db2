"""To be forgotten: tombstones first, then out of every place of the registry, then a receipt without personal data.

Each step can be done twice, so that a kill anywhere is finished by the next erasure or run: tombstones without a
receipt say that there is something left to do. Where data lies is the registry's; how it goes, the places' own.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from orchestration.activation.withdrawal import withdraw_everywhere
from orchestration.dbt.manifest import prepare_manifest
from orchestration.errors import InputError
from orchestration.intake.source_file import Source
from orchestration.privacy import pseudonyms, tombstones
from orchestration.privacy.kept_rows import Deliveries, HistoryFiles, Landing, ModelCards, PseudonymMap
from orchestration.privacy.places import Holder, Home, Kind, Persons, check_registered, holders
from orchestration.privacy.registry import load_registry
from orchestration.privacy.versions import Cache, Versions
from orchestration.publishing.generations import current
from orchestration.settings import Settings
from orchestration.storage import kept_files
from orchestration.storage.model_files import ModelFiles

KINDS: Final[dict[str, Kind]] = {
    "warehouse.duckdb": Cache,
    "warehouse.spill": Cache,
    "warehouse.spark": Cache,
    "scratch": Cache,
    "raw/": Deliveries,
    "vault/landing": Landing,
    "vault/pseudonyms": PseudonymMap,
    "vault/": Deliveries,
    "history/models": ModelCards,
    "history/": HistoryFiles,
    "published": Versions,
}
"""How each place is asked, by its path or the beginning of it."""

REMAINS: Final = (
    "Tables of the published versions that add people up (KPIs, segments, regions, evaluations) hold them in their "
    "sums until the next run builds them anew; models that learned from them are marked and serve until the next "
    "training. The source's own files and backups of the data folder are not ours to change: what is delivered of them "
    "again is refused."
)


@dataclass(frozen=True)
class Receipt:
    """What was done, for the records: hashes stand for the customers, and nobody without the key can tell for whom."""

    erasure: str
    source: str
    customer_count: int
    keyed_hashes: list[str]
    key_fingerprint: str
    erased_at: str
    finished_at: str
    rows_by_place: dict[str, int]
    marked_model_count: int
    published_run_id: str | None
    remains: str = REMAINS


def home_of(settings: Settings, source: Source) -> Home:
    """The data folder of a source with its registry."""
    return Home(settings, source, load_registry(prepare_manifest(settings), source=source))


def places(home: Home) -> dict[str, Holder]:
    """Every place about people by its path; caches first, the map of pseudonyms last."""
    order = list(KINDS)
    found = holders(home, KINDS)

    def rank(path: str) -> int:
        return order.index(path) if path in order else order.index(path.split("/")[0] + "/")

    return dict(sorted(found.items(), key=lambda item: (item[0] == "vault/pseudonyms", rank(item[0]), item[0])))


def erase(settings: Settings, customers: Sequence[str], *, source: Source) -> tuple[Receipt, list[str]]:
    """Erase customers, by their ids in the source or in the marts; gives the receipt and the ids that nobody had.

    Those get a tombstone as well: what is delivered of them later is refused. The caller holds the writer lock.

    Destinations that were told of them are told to remove them first: once the ledger has forgotten somebody, nobody
    would know whom to tell of.

    Raises:
        InputError: no id is given.
        ClienteleError: data about people lies where nothing can take it out, or a destination did not take their
            removal; nobody was erased.
    """
    asked = list(dict.fromkeys(one.strip() for one in customers if one.strip()))
    if not asked:
        raise InputError("No customer is named: give ids, or a file with one a line (--from-file).")
    home = home_of(settings, source)
    found = places(home)
    check_registered(home)
    finish(settings, source)
    kept = pseudonyms.kept_ids(settings, asked, source=source)
    persons = Persons(frozenset(kept.values()))
    withdraw_everywhere(persons.customers, source=source, settings=settings)
    there: set[str] = set()
    for place in found.values():
        for ids, _ in place.known():
            there |= ids & persons.customers
    names = set(kept) | set(kept.values())
    persons = Persons(persons.customers, frozenset(_transactions(home, persons)))
    erasure = tombstones.add(settings, source=source.name, customers=names, transactions=persons.transactions)
    unknown = [one for one, spelt in kept.items() if spelt not in there]
    return _finish(home, found, erasure, persons), unknown


def finish(settings: Settings, source: Source) -> list[Receipt]:
    """Finish every erasure that has tombstones and no receipt; the caller holds the writer lock."""
    stamps = {file.stem for file in kept_files.parquet_files(tombstones.folder(settings, source.name))}
    left = sorted(stamps - {file.stem for file in _receipts(settings, source).glob("[!.]*.json")})
    if not left:
        return []
    home = home_of(settings, source)
    found = places(home)
    return [_finish(home, found, erasure, _persons(home, found)) for erasure in left]


def _finish(home: Home, found: dict[str, Holder], erasure: str, persons: Persons) -> Receipt:
    """Take persons out of every place, and write the receipt."""
    rows = {path: place.erase(persons) for path, place in found.items()}
    for path in found:  # one half of a delivery never goes without the other
        if path.startswith("vault/") and (home.settings.data_dir / path).is_dir():
            rows[path] += rows.get(path.replace("vault/", "raw/"), 0)
    known = pl.read_parquet(tombstones.folder(home.settings, home.source.name) / f"{erasure}.parquet")
    hashes = known.filter(pl.col("kind") == "customer")["keyed_hash"].to_list()
    count = _people(home, len(hashes))
    models = ModelFiles(home.settings.history_dir / "models")
    published = current(home.settings)
    receipt = Receipt(
        erasure=erasure,
        source=home.source.name,
        customer_count=count,
        keyed_hashes=hashes,
        key_fingerprint=known["key_fingerprint"][0],
        erased_at=known["erased_at"][0].isoformat(),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        rows_by_place={path: count for path, count in sorted(rows.items()) if count},
        marked_model_count=models.mark_erased(source=home.source.name, erasure=erasure, count=count),
        published_run_id=published.run_id if published else None,
    )
    kept_files.write(
        _receipts(home.settings, home.source) / f"{erasure}.json", json.dumps(asdict(receipt), indent=1).encode()
    )
    return receipt


def _people(home: Home, hashes: int) -> int:
    """Under pseudonyms a person has two tombstones: of the real id and of the one that stands for it."""
    return hashes // 2 if home.source.privacy.pseudonymous_ids else hashes


def _persons(home: Home, found: dict[str, Holder]) -> Persons:
    """Whoever has a tombstone and is still somewhere."""
    erased = tombstones.read(home.settings, source=home.source.name)
    customers: set[str] = set()
    transactions: set[str] = set()
    for place in found.values():
        for ids, guests in place.known():
            customers |= ids
            transactions |= guests
    return Persons(frozenset(erased.customers(customers)), frozenset(erased.transactions(transactions)))


def _transactions(home: Home, persons: Persons) -> set[str]:
    """The transactions of customers: a row elsewhere that names one of them and no customer is theirs."""
    holder = Deliveries(home, home.registry.places["raw/transactions"])
    return {str(row["transaction_id"]).strip() for row in holder.tell(persons) if row["transaction_id"] is not None}


def _receipts(settings: Settings, source: Source) -> Path:
    return settings.history_dir / "receipts" / source.name
