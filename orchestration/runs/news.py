"""Whether there is any news: all that a day's tables follow from, and those tables themselves, as one fingerprint.

A run that finds it as the last one left it would make the same tables again. What it does instead belongs in the
assets.
"""

import hashlib
import platform
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from typing import Final

from orchestration.activation import LEDGERS, LOGS
from orchestration.intake.source_file import Source
from orchestration.publishing.generations import MANIFEST, Generation, current
from orchestration.runs.writer import RunRecord
from orchestration.settings import DBT_PROJECT_DIR, PROJECT_DIR, Settings
from orchestration.storage import kept_files

SOFTWARE: Final = ("clientele", "dagster", "dbt-core", "dbt-duckdb", "duckdb", "polars", "scikit-learn")
"""What computes."""
CODE: Final = (PROJECT_DIR / "orchestration", PROJECT_DIR / "ml", DBT_PROJECT_DIR)


def software() -> dict[str, str]:
    """The version of everything that computes."""
    return {"python": platform.python_version()} | {name: version(name) for name in SOFTWARE}


def unchanged_since(
    last: RunRecord | None, *, source: Source, requested_as_of: date | None, settings: Settings
) -> Generation | None:
    """What is published, where the last run published it and all is as that run left it; none where there is news."""
    published = current(settings)
    if published is None or last is None or last.state is None or last.run_id != published.run_id:
        return None
    is_same = last.state == state(source=source, requested_as_of=requested_as_of, settings=settings)
    return published if is_same and settings.warehouse_file.exists() else None


def state(*, source: Source, requested_as_of: date | None, settings: Settings) -> str | None:
    """The fingerprint of files kept and published, of the source file, the day asked for, and of the code.

    None where tables follow from the clock as well: without transactions, the day is the one on which a run happens.
    """
    published = current(settings)
    if published is None or not published.manifest["tables"]["marts.fct_transactions"]["row_count"]:
        return None
    digest = hashlib.sha256(f"{requested_as_of} {sorted(software().items())}".encode())
    for part in (*_kept(settings), *_published(published), *code(), source.path.read_bytes()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def _kept(settings: Settings) -> Iterator[bytes]:
    """Name and hash of each kept file that tables follow from; what was fetched counts once it is received."""
    without = {settings.landing_dir, *(settings.history_dir / subject for subject in (LEDGERS, LOGS))}
    for folder in (settings.raw_dir, settings.vault_dir, settings.history_dir):
        for file in kept_files.files(folder):
            if not without & {*file.parents}:
                yield f"{file.relative_to(settings.data_dir)} {kept_files.digest(file)}".encode()


def _published(generation: Generation) -> Iterator[bytes]:
    for file in kept_files.files(generation.folder):
        if file.name != MANIFEST:
            yield f"{file.relative_to(generation.folder)} {kept_files.digest(file)}".encode()


def code() -> Iterator[bytes]:
    """Each file of the code that computes."""
    for folder in CODE:
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".py", ".sql", ".yml") and "target" not in file.relative_to(folder).parts:
                yield file.read_bytes()
