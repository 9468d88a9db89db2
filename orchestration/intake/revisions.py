"""Kept deliveries without rows that may not be kept any more: a new revision beside the old one, then the old one goes.

Which rows those are says a rule (`refusal`); a kill at any point leaves the delivery in its old or its new revision.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from orchestration.intake.deliveries import Delivery, describe
from orchestration.intake.entities import Entity
from orchestration.intake.refusal import KEPT, Rule, added, judge
from orchestration.storage import kept_files
from orchestration.warehouse import Connection, literal, sandbox

ROWS = "rows.parquet"


def revise(delivery: Delivery, *, entity: Entity, raw: Path, vault: Path, rule: Rule) -> Delivery:
    """A delivery without the rows that a rule refuses, counted in its `erased`; as it was where there are none."""
    rows = raw / delivery.folder_name / ROWS
    with sandbox(folders=[raw, vault]) as connection:
        read = f"from read_parquet({literal(str(rows))})"
        columns = [row[0] for row in connection.execute(f"describe {read}").fetchall()]
        tallies = judge(connection, read, columns, entity=entity, rule=rule)
        if not tallies:
            return delivery
        erased = tuple(added([*delivery.erased, *tallies]))
        revised = replace(delivery, revision=delivery.revision + 1, erased=erased)
        # The vault first: raw marks a delivery complete.
        homes = [home for home in (vault, raw) if (home / delivery.folder_name).is_dir()]
        for home in homes:
            _write(connection, home / delivery.folder_name, home / f".{revised.folder_name}", revised)
    for home in homes:
        (home / f".{revised.folder_name}").rename(home / revised.folder_name)
    for home in reversed(homes):
        shutil.rmtree(home / delivery.folder_name)
    return revised


def _write(connection: Connection, old: Path, aside: Path, revised: Delivery) -> None:
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    for file in old.glob("*.parquet"):
        if file.name != ROWS:  # lines without values
            shutil.copy(file, aside / file.name)
    connection.execute(
        f"copy (from read_parquet({literal(str(old / ROWS))}) where {KEPT}) to {literal(str(aside / ROWS))} "
        "(format parquet, compression zstd)"
    )
    describe(revised, aside)
    kept_files.seal(aside)


def without_rows(file: Path, numbers: Iterable[int]) -> None:
    """Rewrite a Parquet file without some of its rows, from 1, under its own name."""
    aside = file.with_name(f".{file.name}")
    listed = ", ".join(str(number) for number in numbers)
    with sandbox(folders=[file.parent]) as connection:
        read = f"read_parquet({literal(str(file))}, hive_partitioning = false)"
        rows = f"select *, row_number() over () as _kept_number from {read}"
        connection.execute(
            f"copy (select * exclude (_kept_number) from ({rows}) where _kept_number not in ({listed})) "
            f"to {literal(str(aside))} (format parquet, compression zstd)"
        )
    aside.replace(file)


def remember_emptied(delivery: Delivery, hashes: Mapping[str, str], *, homes: Iterable[Path]) -> None:
    """Let a delivery stand for its fetched file without the rows taken out of it; `hashes` are new ones by old."""
    new = [hashes[known] for known in (delivery.file_hash, *delivery.emptied_hashes) if known in hashes]
    if set(new) - set(delivery.emptied_hashes):
        known = replace(delivery, emptied_hashes=tuple(dict.fromkeys([*delivery.emptied_hashes, *new])))
        for home in homes:
            if (home / delivery.folder_name).is_dir():
                describe(known, home / delivery.folder_name)
