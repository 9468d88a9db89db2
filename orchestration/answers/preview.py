"""What a source would bring, before any training: where every row goes, what the rules leave, what can be answered.

The marts are built aside from the same files by the same rules as in a run; nothing of it is kept.
"""

import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.errors import InputError
from orchestration.intake.source_file import Source, load_source
from orchestration.settings import Settings
from orchestration.warehouse import reader, records

TABLES = {
    "files": "select entity, source_file, outcome, row_count, note from quality.loads order by entity, source_file",
    "reconciliation": "from quality.reconciliation",
    "rejected": "select entity, reason, field, count(*) as n from quality.rejected_rows group by all order by all",
    "rule_steps": "from quality.rule_steps order by step_number",
    "profile": "from quality.data_profile",
    "missing_values": "from quality.missing_values where missing_count between 1 and row_count - 1",
    "models": "from quality.model_readiness",
    "capabilities": "from quality.data_capabilities",
}
"""What is reported, each a query over the marts built aside."""

IN_FORCE = ("rules", "holidays", "limits", "models", "segments", "privacy", "actions")


def preview(settings: Settings, listener: Callable[[Any], None]) -> tuple[dict[str, Any], Exception | None]:
    """Build the marts in a folder that is gone afterwards; gives the report and the error that a run would end with.

    Raises:
        InputError: the source file breaks the contract, or a file of it cannot be read as it says.
    """
    from orchestration.runs.runner import run_job

    source = load_source(settings.source)
    with tempfile.TemporaryDirectory(prefix="clientele-check-") as folder:
        aside = settings.model_copy(update={"data_dir": Path(folder)})
        config = {"source": str(settings.source), "as_of": None, "retrain": None}
        outcome = run_job("check", aside, config=config, listener=listener)
        if isinstance(outcome.error, InputError):
            raise outcome.error
        return _report(source, aside.warehouse_file), outcome.error


def _report(source: Source, warehouse: Path) -> dict[str, Any]:
    with reader(warehouse) as connection:
        built = {row["table_name"] for row in records(connection, "select table_name from duckdb_tables()")}
        known = {name: query for name, query in TABLES.items() if _table(query) in built}
        day = records(connection, "from marts.dim_as_of") if "dim_as_of" in built else []
        return {
            "source": source.name,
            "source_file": str(source.path),
            "timezone": source.timezone,
            "currency": source.currency,
            "as_of_date": day[0]["as_of_date"] if day else None,
            **{name: records(connection, query) for name, query in known.items()},
            "in_force": {name: getattr(source, name).model_dump(mode="json") for name in IN_FORCE},
        }


def _table(query: str) -> str:
    return query.split("quality.")[1].split()[0]


def show(report: dict[str, Any], console: Console) -> None:
    """Print a report for people."""
    head = f"[bold]{report['source']}[/bold] as of {report['as_of_date']}: {report['timezone']}, {report['currency']}"
    console.print(head, highlight=False)
    sections: list[tuple[str, list[str], list[list[Any]]]] = [
        ("Files", ["entity", "file", "rows", "note"], _files(report)),
        ("Rows", ["entity", *STATUSES], _statuses(report)),
        ("Rejected", ["entity", "reason", "field", "rows"], [list(row.values()) for row in report.get("rejected", [])]),
        (
            "Transaction lines, step by step",
            ["step", "lines", "money", "lines left", "customers", "money left"],
            _steps(report),
        ),
        ("What the data holds", ["measure", "value"], _profile(report)),
        ("Partly missing", ["column", "missing"], _missing(report)),
        ("Models", ["model", "verdict", "no purchase", "purchase", "precision", "reason"], _models(report)),
    ]
    for title, columns, rows in sections:
        if rows:
            _print_table(console, title, columns, rows)
    off = [row for row in report.get("capabilities", []) if row["level"] == "off"]
    on = [row["capability"] for row in report.get("capabilities", []) if row["level"] == "available"]
    console.print(f"\n[bold]Can answer[/bold] {', '.join(on) or 'nothing'}", highlight=False)
    _print_table(
        console, "Cannot answer", ["capability", "reason"], [[row["capability"], row["reason"]] for row in off]
    )
    console.print("\n[bold]In force[/bold]", highlight=False)
    in_force = yaml.safe_dump(report["in_force"], sort_keys=False, default_flow_style=None, width=100)
    console.print(in_force, highlight=False, markup=False, soft_wrap=True)


def as_json(report: dict[str, Any]) -> str:
    """The report as one JSON object."""
    return json.dumps(
        report, indent=1, default=lambda value: float(value) if isinstance(value, Decimal) else str(value)
    )


STATUSES = ("received", "accepted", "rejected", "excluded", "repeated", "superseded")


def _print_table(console: Console, title: str, columns: list[str], rows: list[list[Any]]) -> None:
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for row in rows:
        table.add_row(
            *("" if value is None else f"{value:,}" if isinstance(value, int) else escape(str(value)) for value in row)
        )
    console.print(f"\n[bold]{title}[/bold]")
    console.print(table, highlight=False)


def _files(report: dict[str, Any]) -> list[list[Any]]:
    return [[row["entity"], row["source_file"], row["row_count"], row["note"]] for row in report.get("files", [])]


def _statuses(report: dict[str, Any]) -> list[list[Any]]:
    counted = [row for row in report.get("reconciliation", []) if row["measure"] == "rows" and row["received"]]
    return [[row["entity"], *(int(row[status]) for status in STATUSES)] for row in counted]


def _steps(report: dict[str, Any]) -> list[list[Any]]:
    return [
        [
            row["step"].replace("_", " "),
            row["line_count"],
            f"{row['net_amount']:,.2f}",
            row["line_count_left"],
            row["customer_count_left"],
            f"{row['net_amount_left']:,.2f}",
        ]
        for row in report.get("rule_steps", [])
        if row["line_count"] and row["step"] != "kept"
    ]


def _profile(report: dict[str, Any]) -> list[list[Any]]:
    held = [row for row in report.get("profile", []) if row["value"] is not None]
    return [
        [
            row["measure"].replace("_", " "),
            f"{row['value']:.1%}" if "share" in row["measure"] else f"{row['value']:,.0f}",
        ]
        for row in held
    ]


def _missing(report: dict[str, Any]) -> list[list[Any]]:
    return [
        [f"{row['entity']}.{row['column_name']}", f"{row['missing_share']:.1%}"]
        for row in report.get("missing_values", [])
    ]


def _models(report: dict[str, Any]) -> list[list[Any]]:
    def precision(row: dict[str, Any]) -> str:
        value = row["expected_precision"]
        if value is None:
            return ""
        return f"AUC ± {value:.3f}" if row["model"] == "churn" else f"mean amount ± {value:.1%}"

    return [
        [
            f"{row['model']}, {row['horizon_days']} days",
            row["level"],
            row["positive_count"],
            row["negative_count"],
            precision(row),
            row["reason"],
        ]
        for row in report.get("models", [])
    ]
