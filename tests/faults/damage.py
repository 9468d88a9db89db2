"""Damage to files: what a disk, a crash or a hand may do to them, seeded."""

import random
from pathlib import Path

CACHES = (
    "warehouse.duckdb",
    "warehouse.duckdb.wal",
    "published/current/manifest.json",
    "last_run.json",
    "file_hashes.json",
)
"""Files below a data folder that are built again when they are broken."""


def damage(file: Path, *, seed: int) -> str:
    """Cut a file, write over some of it, or fill it with noise; makes it where there is none. Returns what was done."""
    chance = random.Random(f"{seed} {file.name}")  # noqa: S311 - repeatable
    content = bytearray(file.read_bytes() if file.exists() else b"")
    kind = chance.choice(["cut", "overwritten", "noise"]) if content else "noise"
    if kind == "cut":
        content = content[: chance.randrange(len(content))]
    elif kind == "overwritten":
        begin = chance.randrange(len(content))
        content[begin : begin + 64] = chance.randbytes(len(content[begin : begin + 64]))
    else:
        content = bytearray(chance.randbytes(4096))
    file.write_bytes(content)
    return kind
