"""Every candidate beside every rule, per cut-off: the contest held now, as tables for people and as one object.

Training is the assets'; what is shown stands in `ml.model_evaluations`, `ml.model_comparisons` and `ml.model_versions`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from orchestration.intake.source_file import load_source
from orchestration.settings import Settings
from orchestration.warehouse import reader, records

SHOWN: Final = {
    "churn": {
        "auc": "AUC",
        "average_precision": "AP",
        "brier": "Brier",
        "calibration_slope": "slope",
        "calibration_intercept": "icept",
        "expected_calibration_error": "ECE",
        "lift_at_10_percent": "lift10",
    },
    "clv": {
        "normalised_gini": "Gini",
        "rmse": "RMSE",
        "bias": "bias",
        "decile_error": "dec err",
        "top_decile_capture": "top10",
        "interval_coverage": "cover",
    },
    "recommendations": {
        "recall_at_10": "recall10",
        "ndcg_at_10": "NDCG10",
        "success_at_10": "success10",
        "item_coverage": "items",
    },
    "feedback": {"auc": "AUC", "macro_f1": "F1", "brier": "Brier", "calibration_slope": "slope"},
}
"""Columns of the printed tables; the database has the other metrics, and every interval."""

TRUST: Final = {
    "reason_stability": "{:.0%} keep their top reason from one day to the next",
    "reason_agreement": "{:.0%} of quick top reasons are the exact ones",
    "early_warning_days": "the first alert comes {:.0f} days before the lapse (median)",
    "early_warning_share": "{:.0%} of lapses are alerted",
    "alert_precision": "{:.0%} of alerts are followed by a lapse",
}
"""What else is measured of the candidate that serves."""

_NEWEST: Final = """
    with newest as (
        select model, horizon_days, max_by(model_version, (as_of_date, trained_at)) as model_version
        from ml.model_versions group by all
    )
    select {columns} from {table} inner join newest using (model, horizon_days, model_version)
"""


def evaluate(
    settings: Settings, *, as_of: str | None, listener: Callable[[Any], None]
) -> tuple[dict[str, Any], Exception | None]:
    """Train every candidate on the past and test it; gives the report and the error that the run ended with, if any.

    The trainings are kept like those of the job `retrain`, so the next run serves what won. Nothing is published.
    """
    from orchestration.runs.runner import run_job

    source = load_source(settings.source)
    config = {"source": str(settings.source), "as_of": as_of, "retrain": True}
    outcome = run_job("evaluate", settings, config=config, listener=listener)
    if outcome.error:
        return {}, outcome.error
    return report(settings.warehouse_file, source=source.name), None


def report(database: Path, *, source: str) -> dict[str, Any]:
    """The newest training of each model in a working or published file."""
    with reader(database) as connection:
        return {
            "source": source,
            "as_of_date": records(connection, "select as_of_date from marts.dim_as_of")[0]["as_of_date"],
            "versions": records(connection, _newest("ml.model_versions")),
            "evaluations": records(connection, _newest("ml.model_evaluations")),
            "comparisons": records(connection, _newest("ml.model_comparisons")),
        }


def named(model: dict[str, Any]) -> str:
    """A model by its name and horizon; what speaks of no future has none."""
    return f"{model['model']}, {model['horizon_days']} days" if model["horizon_days"] else str(model["model"])


def _newest(table: str) -> str:
    return _NEWEST.format(table=table, columns=f"{table.split('.')[1]}.*")


def show(found: dict[str, Any], console: Console) -> None:
    """Print who serves and why, and every candidate per cut-off, the one that serves marked."""
    serving = [row for row in found["versions"] if row["served_by"]]
    for version in sorted(serving, key=lambda row: (row["model"], row["horizon_days"])):
        title = f"{named(version)}, {found['source']} as of {found['as_of_date']}"
        console.print(f"\n[bold]{title}[/bold]", highlight=False)
        console.print(f"Served by the {version['served_by']}: {version['reason']}", highlight=False)
        mine = [row for row in found["evaluations"] if row["model_version"] == version["model_version"]]
        for cutoff in sorted({row["cutoff_date"] for row in mine}, reverse=True):
            rows = [row for row in mine if row["cutoff_date"] == cutoff]
            _print_cutoff(console, version, cutoff, rows)
        value = {row["metric"]: row["value"] for row in mine if row["candidate"] == version["candidate"]}
        known = [text.format(value[name]) for name, text in TRUST.items() if value.get(name) is not None]
        if known:
            console.print(f"Of what serves: {'; '.join(known)}.", highlight=False)
        for row in found["versions"]:
            if row["model_version"] == version["model_version"] and row["status"] in ("rejected", "challenger"):
                console.print(f"{row['candidate']} ({row['status']}): {row['reason']}", style="dim", highlight=False)


def _print_cutoff(console: Console, version: dict[str, Any], cutoff: Any, rows: list[dict[str, Any]]) -> None:
    metrics = SHOWN[version["model"].partition("_")[0]]
    count = max((row["customer_count"] for row in rows if row["metric"] in metrics), default=0)
    table = Table(
        title=f"tested on {cutoff}, {count:,} {'customers' if version['horizon_days'] else 'messages'}",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("candidate", no_wrap=True)
    for label in metrics.values():
        table.add_column(label, justify="right", no_wrap=True)
    for candidate in dict.fromkeys(row["candidate"] for row in rows if row["metric"] in metrics):
        value = {row["metric"]: row["value"] for row in rows if row["candidate"] == candidate}
        cells = [_number(value.get(metric)) for metric in metrics]
        is_serving = candidate == version["candidate"]
        table.add_row(("* " if is_serving else "  ") + candidate, *cells, style="bold" if is_serving else "")
    console.print(table)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3f}"
