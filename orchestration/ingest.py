"""Data files to raw Parquet, each content once, by its hash; and the views through which dbt sees it.

Where deliveries lie and how they appear belongs in `deliveries`. What a value means is decided later, in dbt's staging.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from orchestration.errors import InputError
from orchestration.intake.deliveries import (
    PROVENANCE,
    Delivery,
    clear_unfinished,
    current_deliveries,
    deliver,
    read_deliveries,
    received_by,
    rename,
)
from orchestration.intake.entities import ENTITIES, Entity
from orchestration.intake.file_hashes import FileHashes, Stamp
from orchestration.intake.file_reader import FileReader
from orchestration.intake.loads import Load
from orchestration.intake.plain_text import as_unreadable
from orchestration.intake.refusal import Rule
from orchestration.intake.source_file import Source
from orchestration.privacy import pseudonyms
from orchestration.privacy.ingest_rules import age, received_rule
from orchestration.settings import Settings
from orchestration.warehouse import Connection, literal, quoted


def ingest(entity: Entity, *, source: Source, settings: Settings) -> list[Load]:
    """Bring the raw Parquet of one entity up to date with its files.

    Raises:
        InputError: a file is missing, unreadable or changed in kind, or an expression does not fit it; nothing of
            that file is kept, and what was received before stays.
    """
    raw, vault = settings.raw_dir / entity.name, settings.vault_dir / entity.name
    rule, key = received_rule(entity, source=source, settings=settings), pseudonyms.key_of(source, settings)
    clear_unfinished(raw, vault)
    deliveries = [
        age(delivery, entity=entity, raw=raw, vault=vault, rule=rule)
        for delivery in read_deliveries(raw, source=source.name)
    ]
    hashes = FileHashes(settings.file_hashes)
    ledger = _Ledger(entity, raw, vault, deliveries, rule, key.fingerprint if key else "")
    readers = list(_readers(entity, source, landing=settings.landing_dir, is_known=bool(ledger.deliveries)))
    listed = {reader.shown for reader in readers}
    loads = [ledger.receive(reader, hashes, listed=listed) for reader in readers]
    hashes.save()
    gone = {name: d for name, d in ledger.current.items() if name not in listed}
    return loads + [Load(entity.name, name, "missing", d.row_count, _now()) for name, d in sorted(gone.items())]


def _readers(entity: Entity, source: Source, *, landing: Path, is_known: bool) -> list[FileReader]:
    """Every file as each part reads it.

    A pattern with wildcards may match nothing once files were received: an inbox is empty on some days.
    """
    readers = []
    for part in source.entities.get(entity.name, ()):
        try:
            files = source.files(part, entity=entity.name, landing=landing)
        except InputError:
            if not is_known or not all(set(pattern) & set("*?[") for pattern in part.files):
                raise
            files = []
        lookup_files = source.lookup_files(part, entity=entity.name, landing=landing)
        readers += [FileReader(path, shown, part, entity, source, lookup_files) for shown, path in files]
    return readers


def register(
    connection: Connection, entity: Entity, *, source: Source, settings: Settings, known_at: datetime | None = None
) -> None:
    """Make the view `raw.<entity>` over what was received by `known_at`, with every contract column, mapped or not.

    The same content read again under a changed mapping replaces its older reading instead of adding to it.
    """
    home = settings.raw_dir / entity.name
    deliveries = received_by(read_deliveries(home, source=source.name), known_at)
    current = current_deliveries(deliveries).values()
    readings = _readings(deliveries)
    paths = [str(home / d.folder_name / "*.parquet") for d in readings]
    attributes = source.attributes if entity.takes_attributes else ()
    columns = dict.fromkeys([*entity.public, "updated_at", *attributes], "varchar") | PROVENANCE
    stamps = [literal(delivery.received_at) for delivery in current]
    superseded = f"_received_at not in ({', '.join(stamps)})" if stamps else "false"
    connection.execute("create schema if not exists raw")
    connection.execute(
        f"create or replace view raw.{entity.name} as "
        f"select *, {superseded} as _is_superseded from ({_union(connection, paths, columns)})"
    )


def erased_rows(*, source: Source, settings: Settings, known_at: datetime | None = None) -> pl.DataFrame:
    """One row per delivery x currency with rows that were erased or refused: how many they were, and their money."""
    rows = [
        (entity, delivery.source_file, tally["currency"], tally["row_count"], tally["amount"])
        for entity in ENTITIES
        for delivery in _readings(received_by(read_deliveries(settings.raw_dir / entity, source=source.name), known_at))
        for tally in delivery.erased
    ]
    schema = {"entity": pl.String, "source_file": pl.String, "currency": pl.String, "row_count": pl.Int64}
    frame = pl.DataFrame(rows, schema={**schema, "amount": pl.String}, orient="row")
    return frame.with_columns(pl.col("amount").cast(pl.Decimal(38, 4)))


def _readings(deliveries: list[Delivery]) -> list[Delivery]:
    """Each content once: read again under a changed mapping, it replaces its older reading."""
    current = current_deliveries(deliveries).values()
    return list({(d.source_file, d.file_hash): d for d in [*deliveries, *current]}.values())


class _Ledger:
    """The deliveries of one entity, and which of them stands for which file."""

    def __init__(
        self, entity: Entity, raw: Path, vault: Path, deliveries: list[Delivery], rule: Rule, pseudonym_key: str
    ) -> None:
        self._entity = entity
        self._raw = raw
        self._vault = vault
        self._rule = rule
        self._pseudonym_key = pseudonym_key
        self.deliveries = deliveries
        if any(delivery.pseudonym_key != pseudonym_key for delivery in deliveries):
            raise InputError(
                f"{entity.name} was received under other customer ids: privacy.pseudonymous_ids, or the key in "
                "CLIENTELE_PRIVACY_KEY, has changed since. Nothing was read. Put it back, or use another data folder."
            )

    @property
    def current(self) -> dict[str, Delivery]:
        """The delivery that stands for each file name."""
        return current_deliveries(self.deliveries)

    def receive(self, reader: FileReader, hashes: FileHashes, *, listed: set[str]) -> Load:
        """Load one file unless its content is known."""
        shown, before = reader.shown, self.current.get(reader.shown)
        try:
            stamp = hashes.stamp(reader.path)
            content = (hashes.of(reader.path), _mapping_hash(reader), _place(reader, hashes))
        except OSError as error:
            raise as_unreadable(f"{reader.source.path.name}: entities.{self._entity.name}: {shown}", error) from None
        if before and before.has(*content):
            return Load(self._entity.name, shown, "unchanged", before.row_count, before.received_at)
        same = [d for d in self.deliveries if d.has(*content)]
        moved = [d for d in self.deliveries if d.names and d.file_hash == content[0] and not set(d.names) & listed]
        outcome = "changed" if before else "renamed" if moved else "loaded"
        note = None
        if same:
            delivery = same[-1]
            outcome = "repeated" if outcome == "loaded" and delivery.names else outcome
        else:
            delivery, note = self._deliver(reader, content, stamp)
        self._name(shown, delivery, without=set(delivery.names) - listed)
        for other in moved if outcome == "renamed" else []:
            if other.folder_name != delivery.folder_name:
                self._rename(other, [])
        return Load(self._entity.name, shown, outcome, delivery.row_count, delivery.received_at, note)

    def _deliver(
        self, reader: FileReader, content: tuple[str, str, dict[str, str]], stamp: Stamp
    ) -> tuple[Delivery, str | None]:
        file_hash, mapping_hash, place = content
        alike = [d for d in self.deliveries if d.mapping_hash == mapping_hash]
        delivery = Delivery(
            *(reader.source.name, self._entity.name, reader.shown, file_hash, mapping_hash, _now()),
            place=place,
            pseudonym_key=self._pseudonym_key,
        )
        delivery, reading = deliver(
            delivery,
            reader,
            raw=self._raw,
            vault=self._vault,
            known=alike[-1].columns if alike else {},
            stamp=stamp,
            rule=self._rule,
        )
        self.deliveries.append(delivery)
        return delivery, "; ".join(reading.notes) or None

    def _name(self, name: str, delivery: Delivery, *, without: set[str]) -> None:
        """Let one delivery, and no other, stand for a file name."""
        for other in [d for d in self.deliveries if name in d.names]:
            self._rename(other, [known for known in other.names if known != name])
        self._rename(delivery, [*(known for known in delivery.names if known not in without), name])

    def _rename(self, delivery: Delivery, names: list[str]) -> None:
        at = self.deliveries.index(delivery)
        self.deliveries[at] = rename(delivery, names, homes=[self._raw, self._vault])


def _mapping_hash(reader: FileReader) -> str:
    """What decides how a file is read and which of its columns leave the vault."""
    published = [name for name in reader.entity.private if name not in reader.source.private(reader.entity.name)]
    return hashlib.sha256((reader.part.model_dump_json(exclude={"files"}) + "".join(published)).encode()).hexdigest()


def _place(reader: FileReader, hashes: FileHashes) -> dict[str, str]:
    """What the rows take from elsewhere than the file: where it lies, and the content of its lookups."""
    looked_up = {
        f"lookup {name}": [hashes.of(path) for _, path in files] for name, files in reader.lookup_files.items()
    }
    return reader.place | {
        name: hashlib.sha256("".join(found).encode()).hexdigest() for name, found in looked_up.items()
    }


def _now() -> str:
    """The time of arrival, UTC."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _union(connection: Connection, paths: list[str], columns: dict[str, str]) -> str:
    """All files as one query. DuckDB alone fails on a column that is text in one file and a date in another."""
    by_types: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for path in paths:
        query = f"describe from read_parquet({literal(path)}, union_by_name = true)"
        described = connection.execute(query).fetchall()
        by_types.setdefault(tuple((row[0], row[1]) for row in described), []).append(path)
    types = [dict(group) for group in by_types]
    shared = {
        name: kind if all(group.get(name, kind) == kind for group in types) else "varchar"
        for group in types
        for name, kind in group.items()
    } | {name: kind for name, kind in columns.items() if name in PROVENANCE}
    selects = []
    for group, files in zip(types, by_types.values(), strict=True):
        values = [
            f"{quoted(name) if name in group else 'null'}::{shared.get(name, kind)} as {quoted(name)}"
            for name, kind in columns.items()
        ]
        listed = ", ".join(map(literal, files))
        selects.append(f"select {', '.join(values)} from read_parquet([{listed}], union_by_name = true)")
    nothing = ", ".join(f"null::{kind} as {quoted(name)}" for name, kind in columns.items())
    return " union all ".join(selects) or f"select {nothing} where false"
