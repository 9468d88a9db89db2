"""The one key of a data folder: it makes hashes that nobody without it can compare with a list of customers.

It comes from the environment, or is made at first need in the vault. What is hashed with it belongs elsewhere.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.settings import Settings
from orchestration.storage import kept_files

_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Key:
    """A secret and the keyed hashes that it makes."""

    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What tells two keys apart and says nothing of either."""
        return self.hashes(("fingerprint",), [""])[""][:16]

    def hashes(self, scope: tuple[str, ...], values: Iterable[str]) -> dict[str, str]:
        """HMAC-SHA256 of each value as hexadecimal; the same value hashes otherwise in another scope."""
        start = _SEPARATOR.join(scope) + _SEPARATOR
        return {value: hmac.digest(self.secret, (start + value).encode(), hashlib.sha256).hex() for value in values}


def privacy_key(settings: Settings) -> Key:
    """The key of `CLIENTELE_PRIVACY_KEY`, or of the vault; a new one there where neither is."""
    if settings.privacy_key is not None:
        return Key(settings.privacy_key.get_secret_value().encode())
    file = settings.vault_dir / "privacy.key"
    if not file.exists():
        _make(file)
    return Key(file.read_text().strip().encode())


def _make(file: Path) -> None:
    kept_files.write(file, secrets.token_hex(32).encode())
