"""To be told: everything that is held about one customer, place by place of the registry, as JSON.

The document is for the person, so it is complete rather than short; nothing of it goes to a log.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.errors import InputError
from orchestration.intake.source_file import Source
from orchestration.privacy import pseudonyms
from orchestration.privacy.erasure import home_of, places
from orchestration.privacy.places import Persons, check_registered
from orchestration.settings import Settings


def access(settings: Settings, customer: str, *, source: Source) -> dict[str, Any]:
    """Everything about a customer, by their id in the source or in the marts.

    Raises:
        InputError: nothing is held about them.
        ClienteleError: data about people lies where nothing can tell of it.
    """
    home = home_of(settings, source)
    found = places(home)
    check_registered(home)
    ids = pseudonyms.kept_ids(settings, [customer.strip()], source=source)
    persons = Persons(frozenset(ids.values()))
    own = {row["transaction_id"] for row in found["raw/transactions"].tell(persons)}
    persons = Persons(persons.customers, frozenset(str(one).strip() for one in own if one is not None))
    told = {path: place.tell(persons) for path, place in found.items()}
    if not any(rows for path, rows in told.items() if not isinstance(rows, str)):
        raise InputError("Nothing is held about such a customer. Ids are spelt as in the source's files.")
    return {
        "source": source.name,
        "customer_id": next(iter(ids)),
        "told_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "held": told,
    }


def write(document: dict[str, Any], file: Path) -> None:
    """Write the document, readable by nobody else.

    Raises:
        InputError: the file is there already, or its folder is not.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{file} exists already: name another file with --out.") from None
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}): name another file with --out.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(document, opened, indent=1, ensure_ascii=False, default=str)
