"""`python -m handbook [FOLDER]`: build the site, by default in `site/`."""

import sys
from pathlib import Path

from handbook.build import build
from orchestration.errors import ClienteleError
from orchestration.settings import PROJECT_DIR, Settings


def main(site: Path) -> None:
    """Build, and say where; an error that is meant for people ends it with its sentence."""
    try:
        build(site, Settings())
    except ClienteleError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{site / 'index.html'}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT_DIR / "site")
