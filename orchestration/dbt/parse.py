"""Parses the dbt project in a process of its own: `python -m orchestration.dbt.parse` and words for dbt.

Beside the parsed project it leaves what each of dbt's selections stands for, so that nobody who reads the manifest
has to load dbt. Where all that lies belongs in `manifest`.
"""

import json
import sys
from pathlib import Path
from typing import cast

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from orchestration.dbt.manifest import MANIFEST, SELECTED, SELECTIONS, selection_key


def main(target: Path, words: list[str]) -> None:
    """Parse into a target folder and add the ids that each selection stands for to its manifest, as `selected`."""
    places = ["--target-path", str(target), *words]
    parsed = dbtRunner().invoke(["--quiet", "parse", *places])
    if not parsed.success or not isinstance(parsed.result, Manifest):
        sys.exit(str(parsed.exception or "See the lines above."))
    file = target / MANIFEST
    manifest = json.loads(file.read_text())
    runner = dbtRunner(manifest=parsed.result)
    manifest[SELECTED] = {}
    for select, exclude in SELECTIONS.values():
        listing = ["--quiet", "list", "--output", "json", "--output-keys", "unique_id", "--select", select, *places]
        listed = runner.invoke([*listing, *(["--exclude", exclude] if exclude else [])]).result
        ids = [json.loads(line)["unique_id"] for line in cast("list[str]", listed)]
        manifest[SELECTED][selection_key(select, exclude)] = ids
    file.write_text(json.dumps(manifest))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
