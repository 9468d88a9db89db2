"""Source files: the YAML that says which files a company has and which column means what.

Reading and validating it belongs here; opening the data files it names belongs in `file_reader`.
"""

import re
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from orchestration.errors import InputError
from orchestration.intake import activations, campaigns
from orchestration.intake import experiments as declared
from orchestration.intake.configuration import (
    ActionsConfig,
    FreshnessConfig,
    Limits,
    ModelsConfig,
    PrivacyConfig,
    SegmentsConfig,
)
from orchestration.intake.connections import Connection, Name
from orchestration.intake.entities import ENTITIES, START_ENTITIES
from orchestration.intake.file_patterns import FETCHED, matches, searched
from orchestration.intake.holidays import Holidays
from orchestration.intake.known_keys import known_keys, nearest
from orchestration.intake.rules import Rules
from orchestration.intake.strict import Strict, as_tuple

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class FileOptions(Strict):
    """How the files of one entity are written, where that cannot be seen from the file itself."""

    delimiter: str | None = Field(None, min_length=1, max_length=1, description="none: the one the header line shows")
    quote: str = Field('"', max_length=1, description="empty: no value is quoted")
    escape: str | None = Field(None, min_length=1, max_length=1, description="none: a quote is doubled")
    encoding: Literal["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"] = Field(
        "utf-8", description="utf-8, utf-8-sig, latin-1, cp1252 or utf-16"
    )
    names: tuple[str, ...] = Field((), description="column names of files without a header line")
    decimal: Literal[".", ","] = Field(".", description="mark before the decimals of numbers that are text")
    thousands: str | None = Field(
        None, min_length=1, max_length=1, description="mark between thousands of such numbers"
    )
    date_formats: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (), description="strptime formats of dates that are text, tried in order; ISO 8601 is understood without"
    )
    null_markers: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        ("",), description="texts that stand for a missing value"
    )
    repeats: Literal["drop", "keep"] = Field(
        "drop", description="keep: rows that are equal in every column are several; drop: one, delivered again"
    )

    @property
    def nulls(self) -> tuple[str, ...]:
        """What stands for a missing value; nothing at all always does."""
        return tuple(dict.fromkeys(["", *self.null_markers]))

    @model_validator(mode="after")
    def _distinct_marks(self) -> "FileOptions":
        """One character cannot mean two things."""
        for one, other in (("delimiter", "quote"), ("decimal", "thousands"), ("delimiter", "escape")):
            mark = getattr(self, one)
            if mark and mark == getattr(self, other):
                raise ValueError(f"{one} and {other} are both '{mark}'; they must differ")
        for name in ("delimiter", "quote", "escape"):
            if getattr(self, name) in ("\n", "\r", "\0"):
                raise ValueError(f"{name}: a line break or NUL ends a line and cannot be a mark within it")
        return self


class Lookup(Strict):
    """Other files that say more about a row, such as the order of an item; expressions use it as `<name>.<column>`."""

    files: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        min_length=1, description="as those of an entity"
    )
    key: str = Field(description="the column of those files that names a row")
    by: str = Field(description="SQL expression over the part's own columns, or an earlier lookup's, that has the key")
    options: FileOptions = FileOptions()


class Part(Strict):
    """Some files of an entity and what their columns mean."""

    files: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(min_length=1)
    columns: dict[str, str] = Field(min_length=1)
    lookups: dict[str, Lookup] = Field({})
    where: str | None = None
    options: FileOptions = FileOptions()

    @field_validator("columns", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        """YAML reads a bare `1` or `true` as a number or boolean; as an expression it is text."""
        return {name: str(sql) for name, sql in value.items()} if isinstance(value, dict) else value


class Source(Strict):
    """One company's data: files, columns, time zone, currency and the few choices that depend on the business."""

    name: str = Field(pattern=f"^{_NAME.pattern}$")
    timezone: str
    currency: str = Field(pattern="^[A-Z]{3}$")
    as_of: date | None = None
    notice: str | None = Field(None, description="printed at every run: what users of the data must know")
    connections: dict[Name, Connection] = Field({}, description="databases and APIs whose tables `files` may name")
    entities: dict[str, Annotated[tuple[Part, ...], BeforeValidator(as_tuple)]]
    rules: Rules = Rules()
    holidays: Holidays = Holidays()
    limits: Limits = Limits()
    models: ModelsConfig = ModelsConfig()
    segments: SegmentsConfig = SegmentsConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    freshness: FreshnessConfig = FreshnessConfig()
    experiments: declared.Experiments = Field({}, description="what is tried on whom, by name")
    actions: ActionsConfig = ActionsConfig()
    path: Path = Field(exclude=True)

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"'{value}' is no IANA time zone; write one such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _contract(self) -> "Source":
        for entity_name, parts in self.entities.items():
            _check_entity(entity_name, parts)
            self._check_fetched(entity_name, parts)
        identifiers = [f"customers.{name}" for name in ENTITIES["customers"].private]
        for name in self.privacy.publishable:
            if name not in identifiers:
                raise ValueError(f"privacy.publishable: '{name}' cannot be published{nearest(name, identifiers)}")
        self.segments.check_rules(self.attributes)
        declared.check(self.experiments, attributes=self.attributes, entities=self.entities)
        activations.check(self.actions.activations, attributes=self.attributes)
        campaigns.check(
            self.actions.lookalikes,
            self.actions.offers,
            strategies=(*self.segments.strategies, *self.segments.rules),
            experiments=self.experiments,
            attributes=self.attributes,
        )
        if not set(self.entities) & set(START_ENTITIES):
            raise ValueError(f"entities: at least one of {', '.join(START_ENTITIES)} is required")
        return self

    def _check_fetched(self, entity_name: str, parts: tuple[Part, ...]) -> None:
        """What `landing:` patterns name must be declared."""
        tables = {f"landing:{name}/{table}" for name, c in self.connections.items() for table in c.tables}
        named = [pattern for part in parts for pattern in part.files]
        named += [pattern for part in parts for lookup in part.lookups.values() for pattern in lookup.files]
        for pattern in named:
            if pattern.startswith("landing:") and pattern not in tables:
                raise ValueError(f"entities.{entity_name}.files: '{pattern}' is no table{nearest(pattern, tables)}")

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """Customer columns beyond the contract, as declared, and private ones that are declared publishable."""
        known = {column.name for column in ENTITIES["customers"].columns} | {"updated_at"}
        known -= {name for name in ENTITIES["customers"].private if name not in self.private("customers")}
        parts = self.entities.get("customers", ())
        return tuple(dict.fromkeys(name for part in parts for name in part.columns if name not in known))

    def private(self, entity: str) -> tuple[str, ...]:
        """The columns of an entity that leave the vault for no table."""
        declared = self.privacy.publishable
        return tuple(name for name in ENTITIES[entity].private if f"{entity}.{name}" not in declared)

    def files(self, part: Part, *, entity: str, landing: Path) -> list[tuple[str, Path]]:
        """The files of a part as (name as shown to people, path), sorted by name.

        What was fetched lies below `landing`; a table without a row has no file.

        A file that an earlier part of the entity reads as well gets a name of its own, so that a file's name and a
        row number still name one row.

        Raises:
            InputError: a pattern matches no file, or names a package that is not installed.
        """
        found = self._matching(part.files, field=f"entities.{entity}.files", landing=landing)
        parts = self.entities[entity]
        number = parts.index(part) + 1
        earlier = [pattern for part in parts[: number - 1] for pattern in part.files]
        where = {"folder": self.path.parent, "landing": landing / self.name}
        taken = {path for pattern in earlier for _, path in matches(pattern, **where)}
        return sorted((f"{name} (part {number})" if path in taken else name, path) for name, path in found.items())

    def lookup_files(self, part: Part, *, entity: str, landing: Path) -> dict[str, tuple[tuple[str, Path], ...]]:
        """The files of each lookup of a part, as `files` gives them."""
        field = f"entities.{entity}.lookups"
        return {
            name: tuple(sorted(self._matching(one.files, field=f"{field}.{name}.files", landing=landing).items()))
            for name, one in part.lookups.items()
        }

    def _matching(self, patterns: tuple[str, ...], *, field: str, landing: Path) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for pattern in patterns:
            expanded = dict(matches(pattern, folder=self.path.parent, landing=landing / self.name))
            if not expanded and not FETCHED.fullmatch(pattern):
                raise InputError(
                    f"{self.path.name}: {field}: no file matches '{pattern}' "
                    f"(looked in {searched(pattern, folder=self.path.parent)}). "
                    "Correct the pattern or put the file there."
                )
            found |= expanded
        return found


class _Yaml(yaml.SafeLoader):
    """YAML in which `on`, `off`, `yes` and `no` are words, as in YAML 1.2: they may be names of columns."""


def _truth(_loader: _Yaml, node: yaml.ScalarNode) -> bool | str:
    """What YAML 1.1 takes for true or false, where YAML 1.2 does so too; else the word itself."""
    word = str(node.value)
    return {"true": True, "false": False}.get(word.lower(), word)


_Yaml.add_constructor("tag:yaml.org,2002:bool", _truth)


def load_source(path: Path) -> Source:
    """Read and validate a source file.

    Raises:
        InputError: the file is missing, is no YAML, or breaks the contract; the message names the field.
    """
    if not path.is_file():
        raise InputError(f"Source file {path} does not exist. Name one with --source or CLIENTELE_SOURCE.")
    try:
        content = _Yaml(path.read_text(encoding="utf-8")).get_single_data()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise InputError(f"{path.name}{where}: not readable as YAML ({getattr(error, 'problem', error)}).") from None
    if not isinstance(content, dict):
        raise InputError(f"{path.name}: a source file is a mapping with name, timezone, currency and entities.")
    try:
        return Source(**content, path=path)
    except ValidationError as error:
        lines = [_explain(dict(item)) for item in error.errors()]
        raise InputError("\n".join(f"{path.name}: {line}" for line in lines)) from None
    except TypeError:
        raise InputError(f"{path.name}: 'path' is not a key of a source file; remove it.") from None


def _check_entity(name: str, parts: tuple[Part, ...]) -> None:
    entity = ENTITIES.get(name)
    if entity is None:
        raise ValueError(f"entities.{name}: unknown entity{nearest(name, ENTITIES)}")
    known = {column.name for column in entity.columns} | {"updated_at"}
    for part in parts:
        for name_of_lookup in part.lookups:
            if not _NAME.fullmatch(name_of_lookup):
                raise ValueError(
                    f"entities.{name}.lookups.{name_of_lookup}: names are lower case letters, digits and _"
                )
        for column in part.columns:
            if not _NAME.fullmatch(column):
                raise ValueError(f"entities.{name}.columns.{column}: names are lower case letters, digits and _")
            if column not in known and not entity.takes_attributes:
                raise ValueError(f"entities.{name}.columns.{column}: unknown column{nearest(column, known)}")
        missing = [column for column in entity.required if column not in part.columns]
        if missing:
            raise ValueError(f"entities.{name}.columns: {', '.join(missing)} must be mapped")


def _explain(error: dict[str, Any]) -> str:
    location = [str(part) for part in error["loc"] if not isinstance(part, int)]
    field = ".".join(location)
    if error["type"] == "extra_forbidden":
        return f"{field}: unknown key{nearest(location[-1], known_keys(Source, location[:-1]))}"
    if error["type"] == "missing":
        return f"{field}: is required"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{field}: {message}" if field else message
