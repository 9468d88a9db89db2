"""The headline numbers of what is published, as one dictionary and as text for people."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.activation import LOGS
from orchestration.answers.since_last_run import changes, rows
from orchestration.automation.freshness import ages
from orchestration.errors import InputError
from orchestration.intake.source_file import load_source
from orchestration.publishing.generations import DATABASE, generations, read_manifest
from orchestration.runs.writer import last_run
from orchestration.settings import Settings
from orchestration.warehouse import literal, reader, records, sandbox
from orchestration.words import in_words

NET_AMOUNT = ("transactions", "amount")


def summarise(folder: Path) -> dict[str, Any]:
    """What a published version holds: rows in and rejected, customers, segments, and each model beside its rule."""
    manifest = read_manifest(folder)
    if manifest is None:
        return {}
    with reader(folder / DATABASE) as connection:
        reconciliation = records(connection, "from quality.reconciliation")
        return {
            "run_id": manifest["run_id"],
            "source": manifest["source"],
            "as_of_date": manifest["as_of_date"],
            "published_at": manifest["published_at"],
            "unchanged_since": manifest.get("unchanged_since"),
            "database": str(_lasting(folder) / DATABASE),
            "table_count": len(manifest["tables"]),
            "received_row_count": int(sum(r["received"] for r in reconciliation if r["measure"] == "rows")),
            "rejected_row_count": int(sum(r["rejected"] for r in reconciliation if r["measure"] == "rows")),
            "net_amount": next(
                (float(r["accepted"]) for r in reconciliation if (r["entity"], r["measure"]) == NET_AMOUNT), 0.0
            ),
            "currency": records(connection, "select currency from marts.dim_as_of")[0]["currency"],
            "customer_count": records(connection, "select count(*) as n from marts.dim_customers")[0]["n"],
            "segments": _segments(connection),
            "models": records(connection, "from reports.rpt_model_health order by model, horizon_days"),
            "unavailable": records(
                connection, "select capability, reason from quality.capabilities where not is_available"
            ),
        }


def of_version(settings: Settings, folder: Path) -> dict[str, Any]:
    """`summarise`, and what is different from the version before as `since_last_run`."""
    found = summarise(folder)
    return found | {"since_last_run": changes(settings, folder)} if found else {}


def status(settings: Settings) -> dict[str, Any]:
    """The last run, what is published, how old it is, and how the models do."""
    record = last_run(settings)
    try:
        found = ages(settings, load_source(settings.source), now=datetime.now(UTC))
    except InputError:  # what is published stays, whatever became of the source file
        found = []
    return {
        "data_dir": str(settings.data_dir),
        "last_run": asdict(record) if record else None,
        "too_old": [asdict(age) for age in found],
        "published": of_version(settings, settings.published_dir / "current"),
        "versions": [
            {"run_id": g.run_id, "as_of_date": g.as_of, "published_at": g.published_at, "is_scratch": g.is_scratch}
            for g in generations(settings)
        ],
        "syncs": syncs(settings),
    }


def syncs(settings: Settings) -> list[dict[str, Any]]:
    """The last sync of every activation, as its log has it."""
    logs = settings.history_dir / LOGS
    if not any(logs.glob("*/[!.]*.parquet")):
        return []
    with sandbox(folders=[logs]) as connection:
        return records(
            connection,
            f"select * exclude (filename, file_row_number) from read_parquet({literal(f'{logs}/*/[!.]*.parquet')}, "
            "filename = true, file_row_number = true) "
            "qualify row_number() over (partition by filename order by file_row_number desc) = 1 order by filename",
        )


def show_syncs(found: list[dict[str, Any]], console: Console) -> None:
    """Print a line for each sync."""
    for row in found:
        counts = [
            f"{row[f'{name}_count']:,} {name}"
            for name in ("added", "updated", "removed", "refused", "pending")
            if row[f"{name}_count"]
        ]
        told = ", ".join(counts) or ("no change" if row["status"] == "complete" else "nothing sent")
        why = f" {row['reason']}" if row["reason"] else ""
        console.print(
            f"Sync {row['activation']}: {row['status']} at {row['synced_at']:%Y-%m-%d %H:%M} UTC, {told}.{why}",
            highlight=False,
            markup=False,
        )


def show(summary: dict[str, Any], console: Console) -> None:
    """Print the headline numbers."""
    if not summary:
        console.print("Nothing is published yet: `clientele run` publishes.")
        return
    console.print(f"\n[bold]{summary['source']}[/bold] as of {summary['as_of_date']}", highlight=False)
    if summary.get("unchanged_since"):
        console.print(f"No news since run {summary['unchanged_since']}: its tables stand for this one as well.")
    facts = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    rejected = summary["rejected_row_count"]
    facts.add_row("Rows received", f"{summary['received_row_count']:,}, {rejected:,} of them rejected")
    facts.add_row("Customers", f"{summary['customer_count']:,}")
    facts.add_row("Net amount", f"{summary['net_amount']:,.2f} {summary['currency']}")
    for strategy, segments in summary["segments"].items():
        largest = ", ".join(f"{in_words(name)} {count:,}" for name, count in list(segments.items())[:5])
        facts.add_row(f"Segments ({strategy})", largest or "none")
    for model in summary["models"]:
        horizon = f", {model['horizon_days']} days" if model["horizon_days"] else ""
        facts.add_row(f"{model['model'].replace('_', ' ').upper()}{horizon}", _model_line(model))
        if model.get("warning"):  # a version published before there were warnings has none
            facts.add_row("", f"[yellow]Warning:[/yellow] {escape(model['warning'])}")
    off = ", ".join(row["capability"] for row in summary["unavailable"])
    facts.add_row("Switched off", f"{off or 'nothing'} (reasons in quality.capabilities)")
    if summary.get("since_last_run"):
        rows(summary["since_last_run"], facts)
    console.print(facts, highlight=False)
    console.print(f"For BI, read-only: {summary['database']}", soft_wrap=True, highlight=False)


def as_json(summary: dict[str, Any]) -> str:
    """The summary as one JSON object."""
    return json.dumps(summary, default=str, indent=1)


def _segments(connection: Any) -> dict[str, dict[str, int]]:
    """The customers of each segment by strategy, the largest first."""
    found: dict[str, dict[str, int]] = {}
    for row in records(connection, "from reports.rpt_segment_profiles order by strategy, customer_count desc, segment"):
        found.setdefault(row["strategy"], {})[row["segment"]] = row["customer_count"]
    return found


def _model_line(model: dict[str, Any]) -> str:
    serves = f"{in_words(model['candidate'])} serves ({model['served_by']})"
    if model["rank_value"] is None:
        return f"{serves}: {model['reason']}"
    return (
        f"{serves}; {'model' if model['served_by'] == 'champion' else 'best model'} against best rule: "
        f"{in_words(model['rank_metric'])} {model['rank_value']:.3f} / {model['best_rule_rank_value']:.3f}, "
        f"{in_words(model['loss_metric'])} {model['loss_value']:.4g} / {model['best_rule_loss_value']:.4g}"
    )


def _lasting(folder: Path) -> Path:
    """The link that stays when the next version comes, where the folder is the one it leads to."""
    current = folder.parent.parent / "current"
    return current if current.resolve() == folder.resolve() else folder
