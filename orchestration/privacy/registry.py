"""The one registry of where data about people lies: every column of every table, and every folder that is kept.

Tables come from dbt's `meta`, kept folders from the input contract; both as the source at hand fills them. What is done
with it (consent, erasure, access, retention) belongs in the other modules of this package.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from orchestration.activation.changes import LEDGER as TOLD_ELSEWHERE
from orchestration.errors import ClienteleError
from orchestration.intake.deliveries import PROVENANCE
from orchestration.intake.entities import ENTITIES, Entity
from orchestration.intake.source_file import Source
from orchestration.publishing.generations import PUBLIC_SCHEMAS
from orchestration.storage.history import LEDGER

Personal = Literal["none", "aggregate", "customer", "identifier", "direct"]
"""What a value says of people: nothing; something about a group; about the one customer whom the row names; who that
customer is, by the source's id; or directly who they are or what they wrote.
"""
Purpose = Literal["operation", "analytics", "profiling", "marketing"]
"""What it is held for: keeping the books in order, or one of the purposes of the input contract's consents."""
Holds = Literal["rows", "models", "tables", "nobody"]
"""What lies in a folder: rows of customers, what was fitted on them, copies of tables, or nothing about anybody."""

ABOUT_ONE: Final = ("customer", "identifier", "direct")
RETENTIONS: Final = (
    *ENTITIES,
    "segments",
    "scores",
    "segment_snapshots",
    "experiments",
    "activations",
    "models",
    "run",
)
"""With what a value goes: the received rows of an entity, a subject of the history, or the next run."""
KEY: Final = "customer_id"
HISTORY: Final = {
    "segments": "ml.customer_segments",
    "segment_changes": "ml.segment_changes",
    "segment_snapshots": "ml.segment_snapshots",
    "experiment_assignments": "ml.experiment_assignments",
    "activation_changes": "activation.changes",
    **{f"scores/{model}": table for model, table in LEDGER.items()},
}
"""Subjects of the history with rows of single customers, each the published table that it keeps day by day."""
COPIES: Final = ("warehouse.duckdb", "warehouse.spill", "warehouse.spark", "scratch", "published")
"""Where the tables lie, once or in several versions; a run makes them again."""
NOBODYS: Final = (
    *(f"history/{subject}" for subject in ("segment_definitions", "segment_strategies", "segment_evaluations")),
    *("history/totals", "history/drift", "history/loads", "history/days", "history/tombstones", "history/receipts"),
    "history/syncs",
    "vault/privacy.key",
    *("dagster", "dbt", "file_hashes.json", "last_run.json", "pace.json", "alerts.json", "drawing.js"),
    *("writer.lock", "writer.pid"),
)
"""What is never about a single person: definitions, totals, the record of loads, event storage, artefacts, locks."""


@dataclass(frozen=True)
class Column:
    """One column: what it says of people, what for, and with what it goes."""

    name: str
    personal: Personal
    purpose: Purpose
    retention: str


def _key(columns: tuple[Column, ...]) -> str | None:
    names = [column.name for column in columns if column.personal == "identifier"]
    return KEY if KEY in names else next(iter(names), None)


@dataclass(frozen=True)
class Table:
    """One table or view of the warehouse, `schema.table`, with the columns that are declared.

    `covers` is what any column of it says that is not declared by itself; none where each has to be.
    `small_groups` is why groups of few people may be in it, where it is about groups and nothing merges them.
    """

    name: str
    columns: tuple[Column, ...]
    purpose: Purpose
    retention: str
    is_stored: bool
    covers: Personal | None = None
    small_groups: str | None = None

    @property
    def key(self) -> str | None:
        """The column by which a row is that of one customer; none where rows are not about single people."""
        return KEY if self.covers in ABOUT_ONE else _key(self.columns)

    def column(self, name: str) -> Column | None:
        """What is declared of a column; none where nothing is."""
        found = next((column for column in self.columns if column.name == name), None)
        if found is None and self.covers is not None:
            personal = "identifier" if name == self.key else self.covers
            return Column(name, personal, self.purpose, self.retention)
        return found


@dataclass(frozen=True)
class Place:
    """One folder or file below the data folder, what lies in it, and whether it is kept or comes back by a run.

    `columns` are those of its Parquet files, where it holds rows; `*` stands for whatever a fetched table has.
    """

    path: str
    holds: Holds
    is_kept: bool
    retention: str
    columns: tuple[Column, ...] = ()

    @property
    def key(self) -> str | None:
        """The column by which a row is that of one customer."""
        return _key(self.columns)

    @property
    def is_about_people(self) -> bool:
        """Whether a person's data can lie in it."""
        return self.holds in ("models", "tables") or any(column.personal in ABOUT_ONE for column in self.columns)


@dataclass(frozen=True)
class Registry:
    """Every table by `schema.table`, and every place below the data folder by its path."""

    tables: Mapping[str, Table]
    places: Mapping[str, Place]

    def tables_of_people(self) -> list[Table]:
        """The stored tables in which rows are those of single customers, sorted by name."""
        return [table for _, table in sorted(self.tables.items()) if table.key and table.is_stored]

    def places_of_people(self) -> list[Place]:
        """The places in which a person's data can lie, sorted by path: kept rows, models, copies of tables."""
        return [place for _, place in sorted(self.places.items()) if place.is_about_people]


def load_registry(manifest: Path, *, source: Source) -> Registry:
    """The registry of a source, from dbt's manifest file.

    Raises:
        ClienteleError: a declaration uses a word that is none; it names table and column.
    """
    return read_registry(json.loads(manifest.read_text()), source=source)


def read_registry(manifest: Mapping[str, Any], *, source: Source) -> Registry:
    """The registry of a source, from dbt's manifest."""
    tables = {table.name: table for table in _tables(manifest, source)}
    return Registry(tables, {place.path: place for place in _places(tables, source)})


def _tables(manifest: Mapping[str, Any], source: Source) -> Iterator[Table]:
    for node in [*manifest["nodes"].values(), *manifest["sources"].values()]:
        if node["resource_type"] not in ("model", "source"):
            continue
        name, meta = f"{node['schema']}.{node['name']}", node["config"]["meta"]
        declared = {column["name"]: {**meta, **column["config"]["meta"]} for column in node["columns"].values()}
        if node["schema"] in PUBLIC_SCHEMAS:  # those before them hold rows as received, declared as a whole
            declared = {column: words for column, words in declared.items() if _is_declared(node, column)}
        columns = tuple(_column(name, column, words) for column, words in declared.items() if "personal" in words)
        covers = None if node["schema"] in PUBLIC_SCHEMAS else meta.get("personal")
        everything = _column(name, "*", {"personal": covers or "none", **meta})
        is_received = node["schema"] == "raw" and node["name"] in ENTITIES
        if is_received:
            columns = _received(ENTITIES[node["name"]], source)
        elif name == "marts.dim_customers":
            columns += _attributes(source, everything.purpose)
        yield Table(
            name,
            columns,
            everything.purpose,
            everything.retention,
            is_stored=not is_received and node["config"].get("materialized") != "view",
            covers=covers,
            small_groups=meta.get("small_groups"),
        )


def _is_declared(node: Mapping[str, Any], column: str) -> bool:
    return "personal" in node["columns"][column]["config"]["meta"]


def _column(table: str, name: str, words: Mapping[str, Any]) -> Column:
    found = {"purpose": "operation", "retention": "run", **words}
    for field, known in (("personal", get_args(Personal)), ("purpose", get_args(Purpose)), ("retention", RETENTIONS)):
        if found[field] not in known:
            raise ClienteleError(f"{table}.{name}: meta.{field} is '{found[field]}'; known are {', '.join(known)}.")
    return Column(name, found["personal"], found["purpose"], found["retention"])


def _attributes(source: Source, purpose: Purpose) -> tuple[Column, ...]:
    """The columns that the source file adds to customers: values about them, or identifiers that it publishes."""
    private = ENTITIES["customers"].private
    return tuple(
        Column(name, "direct" if name in private else "customer", purpose, "customers") for name in source.attributes
    )


def _received(entity: Entity, source: Source) -> tuple[Column, ...]:
    """The columns of an entity's rows outside the vault: all of them are about the customer whom a row names."""
    is_about_one = KEY in (column.name for column in entity.columns)
    attributes = _attributes(source, "operation") if entity.takes_attributes else ()
    return (
        *(
            Column(name, _whose(name) if is_about_one else "none", "operation", entity.name)
            for name in (*entity.public, "updated_at")
        ),
        *attributes,
        *(Column(name, "none", "operation", entity.name) for name in PROVENANCE),
    )


def _whose(name: str) -> Personal:
    return "identifier" if name == KEY else "customer"


def _places(tables: Mapping[str, Table], source: Source) -> Iterator[Place]:
    for entity in ENTITIES.values():
        yield Place(f"raw/{entity.name}", "rows", True, entity.name, _received(entity, source))
        if entity.private:
            yield Place(f"vault/{entity.name}", "rows", True, entity.name, _taken_out(entity))
    real = (Column(KEY, "identifier", "operation", "run"), Column("pseudonym", "identifier", "operation", "run"))
    yield Place("vault/pseudonyms", "rows", True, "run", real)
    yield Place("vault/landing", "rows", True, "run", (Column("*", "direct", "operation", "run"),))
    for subject, table in HISTORY.items():
        yield Place(f"history/{subject}", "rows", True, tables[table].retention, tables[table].columns)
    yield Place("history/activations", "rows", True, "activations", tuple(_told_elsewhere()))
    yield Place("history/models", "models", True, "models")
    for path in COPIES:
        yield Place(path, "tables", False, "run")
    for path in NOBODYS:
        yield Place(path, "nobody", path.startswith("history/"), "run")


def _told_elsewhere() -> Iterator[Column]:
    """The columns of what other systems were told of customers."""
    for name in TOLD_ELSEWHERE:
        yield Column(name, _whose(name), "marketing", "activations")


def _taken_out(entity: Entity) -> tuple[Column, ...]:
    """The columns of an entity's rows in the vault: who it is, what the row's key is, and what is private."""
    kept = dict.fromkeys((KEY, *entity.required, *entity.private))
    return (
        *(
            Column(name, "direct" if name in entity.private else _whose(name), "operation", entity.name)
            for name in kept
        ),
        *(Column(name, "none", "operation", entity.name) for name in PROVENANCE),
    )
