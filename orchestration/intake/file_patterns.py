"""Which files a pattern of a source file means: a name, wildcards, files of a package, or what was fetched.

What is in them belongs in `file_reader`.
"""

import importlib.util
import itertools
import re
from pathlib import Path
from typing import Final

from orchestration.errors import InputError

FETCHED: Final = re.compile(r"landing:(?P<connection>[^/]+)/(?P<table>[^/]+)")
"""A pattern that means the rows of a connection's table."""


def matches(pattern: str, *, folder: Path, landing: Path) -> list[tuple[str, Path]]:
    """The files of a pattern as (name as shown to people, path).

    A pattern that is the name of a file means that file, brackets and all. `folder` is where the source file lies,
    `landing` where the rows of its connections do.

    Raises:
        InputError: wildcards match a link that leads elsewhere.
    """
    if fetched := FETCHED.fullmatch(pattern):
        found = sorted((landing / fetched["connection"] / fetched["table"]).glob("[!.]*.parquet"))
        return [(f"{pattern}/{path.name}", path) for path in found]
    if pattern.startswith("package:"):
        package, _, inner = pattern.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        roots = list(spec.submodule_search_locations or []) if spec and ".." not in Path(inner).parts else []
        return [
            (f"package:{package}/{path.relative_to(root).as_posix()}", path)
            for root in map(Path, roots)
            for path in root.glob(inner)
            if path.is_file()
        ]
    whole = Path(pattern)
    if (folder / whole).is_file():
        return [(_shown(pattern), folder / whole)]
    fixed = list(itertools.takewhile(lambda part: not set(part) & set("*?["), whole.parts))
    root, rest = folder.joinpath(*fixed), whole.parts[len(fixed) :]
    found = [path for path in root.glob(str(Path(*rest))) if path.is_file()] if rest else []
    names = [_shown(str(path if whole.is_absolute() else path.relative_to(folder))) for path in found]
    for name, path in zip(names, found, strict=True):
        if not path.resolve().is_relative_to(root.resolve()):
            raise InputError(
                f"{name} leads out of the folder of '{pattern}'. If it is meant, name the file without wildcards."
            )
    return list(zip(names, found, strict=True))


def searched(pattern: str, *, folder: Path) -> str:
    """Where a pattern was looked for, in words."""
    return "the installed packages" if pattern.startswith("package:") else str(folder)


def _shown(name: str) -> str:
    """A file name as people can see it: line breaks, control characters and broken bytes are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
