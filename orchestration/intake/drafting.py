"""A first source file from the data files themselves: which entity each is, and which column means what, as guesses.

It looks at names, types and the first rows. What a user makes of the draft is checked by `source_file` and `preview`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestration.errors import InputError
from orchestration.intake.entities import ENTITIES, Entity
from orchestration.warehouse import DatabaseError, literal, quoted, sandbox

SAMPLE_ROWS: Final = 20_000

SYNONYMS: Final = {
    "transaction_id": "transaction invoice invoiceno order orderid basket receipt bill ticket sale",
    "customer_id": "customer client household user member buyer account shopper",
    "occurred_at": "occurred transactiondate transactiontimestamp invoicedate orderdate purchasedate ordered purchased "
    "sold placed booked orderpurchasetimestamp date timestamp datetime day",
    "product_id": "product stockcode sku item article upc ean",
    "quantity": "qty units pieces count",
    "amount": "amount netamount salesvalue sales total totalprice linetotal revenue value paid payment spend",
    "discount_amount": "discount retaildisc rebate",
    "cost_amount": "cost cogs",
    "store_id": "store shop branch location outlet",
    "name": "title description productname",
    "category": "productcategory productcategoryname group",
    "created_at": "created signup registered joined since registrationdate",
    "birth_date": "birthdate birthday dob dateofbirth",
    "age_band": "age agegroup",
    "income_band": "income",
    "gender": "sex",
    "email": "mail emailaddress",
    "phone": "telephone mobile phonenumber",
    "full_name": "fullname customername",
    "postal_code": "zip zipcode postcode zipcodeprefix",
    "region": "state province",
    "started_at": "start startdate from",
    "ended_at": "end enddate until",
    "kind": "type campaigntype",
    "responded_at": "responded redemptiondate responsedate",
    "contacted_at": "contacted sent sentat",
    "feedback_id": "feedback review reviewid ticket message",
    "text": "comment review message body reviewtext",
    "rating": "score stars reviewscore",
    "plan": "contract tariff",
    "monthly_amount": "monthlycharges monthlyprice fee",
}
"""Words that mean a contract column, beside its own name."""

ENTITY_WORDS: Final = {
    "transactions": "transaction sale order invoice retail basket purchase",
    "customers": "customer demographic client member household",
    "products": "product item article catalogue catalog sku",
    "campaigns": "campaign promotion description",
    "campaign_contacts": "contact redemption response campaigns",
}
_UNIT_PRICE: Final = ("unitprice", "price", "itemprice", "unitamount")


@dataclass(frozen=True)
class Draft:
    """What one file seems to be: its entity and, by contract column, the expression and why it was taken."""

    file: Path
    entity: Entity
    columns: dict[str, tuple[str, str]]
    missing: list[str]
    unused: list[str]


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
    header = _header(file)
    best = max(ENTITIES.values(), key=lambda entity: _fit(entity, header, file))
    columns = _guess(best, header)
    used = " ".join(sql for sql, _ in columns.values())
    return Draft(
        file=file,
        entity=best,
        columns=columns,
        missing=[name for name in best.required if name not in columns],
        unused=[name for name in header if name not in used],
    )


def _header(file: Path) -> dict[str, str]:
    """The file's own columns with their types, from its first rows."""
    if not file.is_file():
        raise InputError(f"{file} does not exist.")
    name = literal(str(file.absolute()))
    readers = {
        ".parquet": f"read_parquet({name})",
        ".jsonl": f"read_json({name}, format = 'newline_delimited', sample_size = {SAMPLE_ROWS})",
        ".ndjson": f"read_json({name}, format = 'newline_delimited', sample_size = {SAMPLE_ROWS})",
    }
    suffix = next((part for part in reversed(file.suffixes) if part in readers), "")
    table = readers.get(suffix, f"read_csv({name}, sample_size = {SAMPLE_ROWS}, ignore_errors = true)")
    with sandbox(files=[file.absolute()]) as connection:
        try:
            return {row[0]: row[1] for row in connection.execute(f"describe from {table}").fetchall()}
        except DatabaseError:
            raise InputError(
                f"{file.name} cannot be read as Parquet, CSV or JSON lines. Name it by what it is, or draft by hand."
            ) from None


def _fit(entity: Entity, header: dict[str, str], file: Path) -> float:
    """How well a file fits an entity: required columns count most, then other columns, then the file's name."""
    columns = _guess(entity, header)
    found = sum(name in columns for name in entity.required)
    named = any(word in _plain(file.stem) for word in ENTITY_WORDS.get(entity.name, entity.name).split())
    return 10 * found / len(entity.required) + 2 * found + 2 * named + len(columns) / (len(header) + 1)


def _guess(entity: Entity, header: dict[str, str]) -> dict[str, tuple[str, str]]:
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
    price = next((name for name in free if _plain(name) in _UNIT_PRICE), None)
    if entity.name == "transactions" and "amount" not in taken and price:
        factors = [taken["quantity"][0]] if "quantity" in taken else []
        product = " * ".join(f"try_cast({factor} as decimal(18, 4))" for factor in [*factors, _expression(price)])
        taken["amount"] = (product, "quantity times unit price")
    return {column.name: taken[column.name] for column in entity.columns if column.name in taken}


def _means(name: str, column: str, is_exact: bool) -> bool:
    plain = _plain(name)
    if is_exact:
        return plain in (_plain(column), _plain(column).removesuffix("id") if column.endswith("_id") else "")
    words = SYNONYMS.get(column, "").split()
    endings = (
        ("", "id", "no", "number", "code", "key") if column.endswith("_id") else ("", "date", "amount", "at", "on")
    )
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
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _identifier(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"source_{plain}"
