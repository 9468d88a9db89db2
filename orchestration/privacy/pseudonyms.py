"""Ids that stand for the source's own where it asks for it: keyed hashes, and the map back to them in the vault.

Only rows as received are touched here; everything after raw sees pseudonyms and knows nothing else.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from orchestration.errors import InputError
from orchestration.intake.source_file import Source
from orchestration.privacy.keys import Key, privacy_key
from orchestration.settings import Settings
from orchestration.storage import kept_files

LENGTH: Final = 32
"""Hexadecimal digits: 128 bits, of which a thousand million customers share two with a chance of 1 in 10^21."""
SCHEMA: Final = {"customer_id": pl.String(), "pseudonym": pl.String()}


def key_of(source: Source, settings: Settings) -> Key | None:
    """The key of a source's pseudonyms; none where it does not ask for them.

    Raises:
        InputError: it does, and no key is set.
    """
    if not source.privacy.pseudonymous_ids:
        return None
    if settings.privacy_key is None:
        raise InputError(
            f"{source.path.name}: privacy.pseudonymous_ids needs a key: set CLIENTELE_PRIVACY_KEY to a long random "
            "text and keep it, for other ids come out of another. Nothing was read."
        )
    return privacy_key(settings)


def pseudonyms(key: Key, source: str, ids: Iterable[str]) -> dict[str, str]:
    """The pseudonym of each id."""
    return {one: digest[:LENGTH] for one, digest in key.hashes((source, "pseudonym"), ids).items()}


def giver(source: Source, settings: Settings) -> Callable[[Sequence[str]], dict[str, str]] | None:
    """What gives pseudonyms to ids and keeps them in the map before anybody uses them; none where real ids are kept."""
    key = key_of(source, settings)
    if key is None:
        return None

    def give(ids: Sequence[str]) -> dict[str, str]:
        given = pseudonyms(key, source.name, ids)
        known = read(settings, source=source.name)
        new = pl.DataFrame({"customer_id": list(given), "pseudonym": list(given.values())}, schema=SCHEMA)
        if not (fresh := new.join(known, on="customer_id", how="anti")).is_empty():
            _write(settings, source.name, pl.concat([known, fresh]))
        return given

    return give


def read(settings: Settings, *, source: str) -> pl.DataFrame:
    """The map of a source: real ids and their pseudonyms."""
    file = _file(settings, source)
    return pl.read_parquet(file) if file.exists() else pl.DataFrame(schema=SCHEMA)


def kept_ids(settings: Settings, ids: Sequence[str], *, source: Source) -> dict[str, str]:
    """How each id is spelt where rows are kept, by the source's own spelling; a pseudonym means whom it stands for."""
    key = key_of(source, settings)
    if key is None:
        return {one: one for one in ids}
    real = dict(read(settings, source=source.name).select("pseudonym", "customer_id").iter_rows())
    return pseudonyms(key, source.name, [real.get(one, one) for one in ids])


def forget(settings: Settings, customers: Iterable[str], *, source: str) -> bool:
    """Take customers, by their real ids, out of the map; whether anybody was in it."""
    known = read(settings, source=source)
    left = known.filter(~pl.col("customer_id").is_in(list(customers)))
    if left.height < known.height:
        _write(settings, source, left)
    return left.height < known.height


def _write(settings: Settings, source: str, frame: pl.DataFrame) -> None:
    kept_files.write_frame(_file(settings, source), frame.sort("customer_id"))


def _file(settings: Settings, source: str) -> Path:
    return settings.vault_dir / "pseudonyms" / f"{source}.parquet"
