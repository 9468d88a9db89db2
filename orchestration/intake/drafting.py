"""A first source file from the data files themselves: which entity each is, and which column means what, as guesses.

It looks at names, types and the first rows. What a user makes of the draft is checked by `source_file` and `preview`.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestration.errors import InputError
from orchestration.intake.draft_formats import USUAL, Format, format_of
from orchestration.intake.draft_words import ENTITY_WORDS, SYNONYMS, UNIT_PRICE
from orchestration.intake.entities import ENTITIES, Entity
from orchestration.warehouse import Connection, DatabaseError, literal, quoted, sandbox

SAMPLE_ROWS: Final = 20_000
SHOWN_ROWS: Final = 2_000
"""Rows whose values are looked at for how dates and numbers are written."""
ENDINGS: Final = ("", "date", "amount", "at", "on")
ENDINGS_OF_IDS: Final = ("", "id", "no", "nr", "number", "nummer", "code", "key")
"""What may follow a word that means a column."""
SHEETS: Final = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
MOMENTS: Final = ("timestamp", "date")
NUMBERS: Final = ("money", "quantity", "rate", "double")


@dataclass(frozen=True)
class Draft:
    """What one file seems to be: its entity and, by contract column, the expression and why it was taken."""

    file: Path
    entity: Entity
    columns: dict[str, tuple[str, str]]
    missing: list[str]
    unused: list[str]
    written: Format


def draft(files: list[Path], *, out: Path) -> str:
    """The text of a source file for some data files, every guess marked as one.

    Raises:
        InputError: a file does not exist or cannot be read as Parquet, CSV or JSON lines.
    """
    drafts = [_draft_file(file) for file in files]
    lines = [
        f"# Drafted by `clientele init` from {len(files)} file(s). Every line marked `guess` wants a look;",
        "# then `clientele check --source` this file.",
        f"name: {_identifier(out.stem)}",
        "timezone: UTC # guess: the IANA time zone of the business, such as Europe/Berlin",
        "currency: EUR # guess: the reporting currency",
        "",
        "entities:",
    ]
    for entity in ENTITIES.values():
        parts = [found for found in drafts if found.entity is entity]
        if parts:
            lines.append(f"  {entity.name}: # one row per {entity.grain}")
        for part in parts:
            lines += _part_lines(part, out=out, is_listed=len(parts) > 1)
    return "\n".join(lines) + "\n"


def _draft_file(file: Path) -> Draft:
    header, texts = _looked_at(file)
    best = max(ENTITIES.values(), key=lambda entity: _fit(entity, header, file))
    guessed = _guess(best, header)
    used = {column: [name for name in header if name in sql] for column, (sql, _) in guessed.items()}
    written = _format(best, used, texts)
    columns = _whole_ids(_guess(best, header, written=written), used, texts)
    return Draft(
        file=file,
        entity=best,
        columns=columns,
        missing=[name for name in best.required if name not in columns],
        unused=[name for name in header if not any(name in names for names in used.values())],
        written=written,
    )


def _whole_ids(
    guessed: dict[str, tuple[str, str]], used: dict[str, list[str]], texts: dict[str, list[str]]
) -> dict[str, tuple[str, str]]:
    """Ids without the `.0` that a spreadsheet or pandas writes behind whole numbers of a column with gaps."""
    for column, (sql, reason) in guessed.items():
        values = [text for name in used[column] for text in texts.get(name, ())]
        if column.endswith("_id") and values and all(re.fullmatch(r"\d+\.0", text) for text in values):
            guessed[column] = (f"regexp_replace({sql}, '\\.0$', '')", f"{reason}, without the .0 behind its numbers")
    return guessed


def _format(entity: Entity, used: dict[str, list[str]], texts: dict[str, list[str]]) -> Format:
    """How the file's columns are written that stand for moments and for numbers of an entity."""
    kinds = {column.name: column.type for column in entity.columns}
    by_kind = {
        is_moment: [
            texts[name]
            for column, names in used.items()
            for name in names
            if name in texts and kinds[column] in (MOMENTS if is_moment else NUMBERS)
        ]
        for is_moment in (True, False)
    }
    return format_of(by_kind[True], by_kind[False])


def _looked_at(file: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The file's own columns with their types, from its first rows, and of a text file the first values of each.

    Raises:
        InputError: it is no file, or none that can be read.
    """
    if file.is_dir():
        raise InputError(f"{file} is a folder: name the files in it, such as {file}/*.csv.")
    if not file.is_file():
        raise InputError(f"{file} does not exist.")
    if file.suffix.lower() in SHEETS:
        raise InputError(f"{file.name} is a spreadsheet: save each sheet of it as CSV, and name those files.")
    if not file.stat().st_size:
        raise InputError(f"{file.name} is empty: it needs a line with the names of its columns, and rows.")
    if b"\0" in file.open("rb").read(4096) and file.suffix not in (".parquet", ".gz"):
        raise InputError(f"{file.name} is no text: CSV and JSON lines are, and Parquet is known by its name.")
    name = literal(str(file.absolute()))
    readers = {
        ".parquet": f"read_parquet({name})",
        ".jsonl": f"read_json({name}, format = 'newline_delimited', sample_size = {SAMPLE_ROWS})",
        ".ndjson": f"read_json({name}, format = 'newline_delimited', sample_size = {SAMPLE_ROWS})",
    }
    suffix = next((part for part in reversed(file.suffixes) if part in readers), "")
    text = f"read_csv({name}, sample_size = {SAMPLE_ROWS}, ignore_errors = true"
    with sandbox(files=[file.absolute()]) as connection:
        try:
            table = readers.get(suffix, f"{text})")
            types = {row[0]: row[1] for row in connection.execute(f"describe from {table}").fetchall()}
            return types, {} if suffix else _texts(connection, f"{text}, header = true, all_varchar = true)", types)
        except DatabaseError:
            raise InputError(
                f"{file.name} cannot be read as Parquet, CSV or JSON lines. Name it by what it is, or draft by hand."
            ) from None


def _texts(connection: Connection, table: str, types: dict[str, str]) -> dict[str, list[str]]:
    """The first values of each column of a text file, as they are written; nothing where its header is not found."""
    rows = connection.execute(f"from {table} limit {SHOWN_ROWS}").fetchall()
    values = zip(*rows, strict=True) if rows and len(rows[0]) == len(types) else ()
    columns = dict(zip(types, values, strict=False))
    return {name: [one.strip() for one in column if one and one.strip()] for name, column in columns.items()}


def _fit(entity: Entity, header: dict[str, str], file: Path) -> float:
    """How well a file fits an entity: required columns count most, then other columns, then the file's name."""
    columns = _guess(entity, header)
    found = sum(name in columns for name in entity.required)
    named = any(word in _plain(file.stem) for word in ENTITY_WORDS.get(entity.name, entity.name).split())
    return 10 * found / len(entity.required) + 2 * found + 2 * named + len(columns) / (len(header) + 1)


def _guess(entity: Entity, header: dict[str, str], *, written: Format = USUAL) -> dict[str, tuple[str, str]]:
    """Contract column to (expression, reason): the exact name first, then a known word, each source column once."""
    free = dict.fromkeys(header)
    taken: dict[str, tuple[str, str]] = {}
    for is_exact in (True, False):
        for column in entity.columns:
            match = next(
                (name for name in free if column.name not in taken and _means(name, column.name, is_exact)), None
            )
            if match is not None and _has_type(header[match], column.type):
                del free[match]
                taken[column.name] = (_expression(match), "same name" if is_exact else "its name")
    price = next((name for name in free if _plain(name) in UNIT_PRICE), None)
    if entity.name == "transactions" and "amount" not in taken and price:
        factors = [taken["quantity"][0]] if "quantity" in taken else []
        numbers = [written.plain(factor) for factor in (*factors, _expression(price))]
        product = " * ".join(f"try_cast({number} as decimal(18, 4))" for number in numbers)
        taken["amount"] = (product, "quantity times unit price")
    return {column.name: taken[column.name] for column in entity.columns if column.name in taken}


def _means(name: str, column: str, is_exact: bool) -> bool:
    plain = _plain(name)
    if is_exact:
        return plain in (_plain(column), _plain(column).removesuffix("id") if column.endswith("_id") else "")
    words = SYNONYMS.get(column, "").split()
    endings = ENDINGS_OF_IDS if column.endswith("_id") else ENDINGS
    return any(plain == word + ending for word in words for ending in endings)


def _has_type(found: str, wanted: str) -> bool:
    """Whether a sniffed type may hold a contract type; text may hold anything."""
    is_number = found.startswith(("DECIMAL", "DOUBLE", "FLOAT", "BIGINT", "INTEGER", "HUGEINT", "SMALLINT"))
    is_time = found.startswith(("DATE", "TIMESTAMP"))
    if wanted in ("timestamp", "date"):
        return not is_number
    return not (wanted in ("money", "quantity", "double") and is_time)


def _part_lines(part: Draft, *, out: Path, is_listed: bool) -> list[str]:
    first, indent = ("    - ", "      ") if is_listed else ("    ", "    ")
    lines = [f"{first}files: {_yaml(_relative(part.file, out))} # guess: looks like {part.entity.name}"]
    lines.append(f"{indent}columns:")
    for name, (expression, reason) in part.columns.items():
        lines.append(f"{indent}  {name}: {_yaml(expression)} # guess by {reason}")
    lines += [f"{indent}  {name}: FILL_IN # required, and no column looks like it" for name in part.missing]
    if part.unused:
        lines.append(f"{indent}  # not used: {', '.join(map(_comment, part.unused))}")
    if options := part.written.line():
        lines.append(f"{indent}{options}")
    return lines


def _relative(file: Path, out: Path) -> str:
    home, whole = out.absolute().parent, file.absolute()
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else str(whole)


def _expression(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else quoted(name)


def _yaml(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_./ *(),-]+", text) else "'" + text.replace("'", "''") + "'"


def _comment(name: str) -> str:
    return re.sub(r"\s+", " ", name)[:60]


def _plain(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", bare.lower())


def _identifier(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"source_{plain}"
