"""Who may read what a run writes: its user alone, and, of what is published, a group that the settings name.

BI tools run as users of their own; they get a path down to the published folder and nothing beside it.
"""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestration.errors import InputError

if TYPE_CHECKING:  # loaded before every command
    from orchestration.settings import Settings

PRIVATE: Final = 0o077


def keep_private() -> None:
    """Let everything that this process and its children make be their user's alone: files 0600, folders 0700."""
    os.umask(PRIVATE)


def share(folder: Path, settings: "Settings") -> None:
    """Let the group of the settings read a published version, before anybody is led to it.

    Raises:
        InputError: there is no such group, or this user may not give it anything.
    """
    group = settings.published_group
    if not group:
        return
    way = [settings.data_dir, settings.published_dir, folder.parent]
    inside = [folder, *folder.rglob("*")]
    try:
        for path in (*way, *inside):
            shutil.chown(path, group=group)
            path.chmod(0o710 if path == settings.data_dir else 0o750 if path.is_dir() else 0o640)
    except (LookupError, PermissionError):
        raise InputError(
            f"CLIENTELE_PUBLISHED_GROUP: '{group}' is no group that this user belongs to. Nothing was published; "
            "what was published before stays."
        ) from None
