"""`make audit`: known vulnerabilities of everything in the lock files, and the licence of everything installed.

Exit code 0 if all was looked up and nothing found, 1 if something was found, 3 if nobody could be asked: then nothing
is known, and nothing is claimed.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

LOCK = Path(__file__).resolve().parent.parent / "requirements-dev.lock"
BIN = Path(sys.executable).parent
SERVICES: Final = ("pypi", "osv")
FOUND, NOT_LOOKED_UP = 1, 3

ALLOWED: Final = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|PSF|PSFL|Python Software Foundation|MPL|Mozilla Public|LGPL|Lesser General|Artistic|"
    r"HPND|Zlib|CC0|Unlicense|Public Domain)",
    re.IGNORECASE,
)
REFUSED: Final = re.compile(
    r"\b(AGPL|GPL|Affero|SSPL|BUSL|Commons Clause|Proprietary)|(?<!Lesser )General Public", re.I
)
KNOWN: Final = {
    "skops": "MIT, which only its LICENSE file says",
    "text-unidecode": "Artistic License, which it lets us choose instead of the GPL",
    "psycopg2-binary": "LGPL: used unchanged, as a library of its own",
}
"""Licences that a person has looked up."""


def vulnerabilities(lock: Path) -> tuple[list[str], int]:
    """What is known against a lock file's packages, and of how many of them nobody would say anything."""
    words = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "-f", "json", "--timeout", "10"]
    for service in SERVICES:
        command = [str(BIN / "pip-audit"), "-r", str(lock), *words, "-s", service]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        try:
            packages = json.loads(done.stdout)["dependencies"]
        except (json.JSONDecodeError, KeyError):  # it could not be reached; its traceback helps nobody
            continue
        skipped = [package for package in packages if "skip_reason" in package]
        if len(skipped) < len(packages):
            return list(_found(packages)), len(skipped)
    return [], len(re.findall(r"^[a-z0-9._-]+==", lock.read_text(), re.MULTILINE))


def _found(packages: list[dict[str, Any]]) -> Iterator[str]:
    for package in packages:
        for one in package.get("vulns", []):
            fixed = f"; fixed in {', '.join(one['fix_versions'])}" if one["fix_versions"] else ""
            yield f"{package['name']} {package['version']}: {one['id']}{fixed}"


def refused_licences(packages: list[dict[str, str]]) -> list[str]:
    """Packages whose licence is unknown or would bind what is built with them, each with what it says of itself."""
    refused = []
    for package in packages:
        said = " ".join(
            value.splitlines()[0] if field == "License-Metadata" and len(value) > 100 else value
            for field, value in package.items()
            if field.startswith("License-") and value != "UNKNOWN"
        )
        is_fine = ALLOWED.search(said) and (not REFUSED.search(said) or " OR " in said)
        if package["Name"].lower() not in KNOWN and not is_fine:
            refused.append(f"{package['Name']} {package['Version']}: {said[:80] or 'no licence named'}")
    return refused


def main() -> int:
    """Print what was found."""
    listed = subprocess.run(  # noqa: S603 - our own words
        [str(BIN / "pip-licenses"), "--format=json", "--from=all"], capture_output=True, text=True, check=True
    )
    packages = json.loads(listed.stdout)
    refused = refused_licences(packages)
    out = [f"{len(packages)} licences looked at, {len(refused)} refused.", *refused]
    vulnerable, unanswered = vulnerabilities(LOCK)
    out += [f"{LOCK.name}: {len(vulnerable)} known vulnerabilities, {unanswered} packages not looked up.", *vulnerable]
    if unanswered:
        out.append(
            f"Of {unanswered} packages no advisory service ({', '.join(SERVICES)}) told us anything: is this machine"
        )
        out.append("offline, or its package index a mirror without advisories? Nothing is known about them.")
    sys.stdout.write("\n".join(out) + "\n")
    return FOUND if refused or vulnerable else NOT_LOOKED_UP if unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
