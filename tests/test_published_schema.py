"""What BI may rely on: every published table with the types of its columns, as this contract promises them."""

import json
from pathlib import Path

from orchestration.publishing.generations import current
from orchestration.publishing.publish import SCHEMA_VERSION, breaking_changes
from orchestration.settings import Settings

PROMISED = Path(__file__).with_name("published_schema.json")


def test_what_is_published_is_what_is_promised(settings: Settings, tmp_path: Path) -> None:
    found = current(settings)
    assert found is not None
    declared = set(found.manifest["declared_columns"])
    tables = {
        name: {
            c: kind
            for c, kind in table["columns"].items()
            if (name, c) not in {("marts.dim_customers", d) for d in declared}
        }
        for name, table in found.manifest["tables"].items()
    }
    promised = json.loads(PROMISED.read_text())
    broken = breaking_changes(promised["tables"], tables)
    assert not broken or promised["schema_version"] < SCHEMA_VERSION, f"raise SCHEMA_VERSION, or bring back: {broken}"
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(tables[name])}" for name in sorted(tables))
    now = tmp_path / PROMISED.name
    now.write_text(f'{{"schema_version": {SCHEMA_VERSION}, "tables": {{\n{lines}\n}}}}\n')
    assert (promised["schema_version"], promised["tables"]) == (SCHEMA_VERSION, tables), (
        f"promise it: cp {now} {PROMISED}"
    )
