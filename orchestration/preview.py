"""What a source file would bring, before any waiting: files, rows, mapped and missing columns, and questions.

Nothing is kept. Whether the rows themselves are usable is decided in dbt's staging, at the run.
"""

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestration.entities import ENTITIES
from orchestration.settings import Settings
from orchestration.source import Source, load_source
from orchestration.source_reader import SourceReader

QUESTIONS = {
    "Segments, churn and CLV": [("transactions", "customer_id")],
    "CLV on margin": [("transactions", "cost_amount"), ("products", "unit_cost_amount")],
    "Product analysis": [("transactions", "product_id")],
    "Discount analysis": [("transactions", "discount_amount")],
    "Demographics": [("customers", "age_band"), ("customers", "birth_date"), ("customers", "gender")],
    "Regions": [("customers", name) for name in ("city", "region", "postal_code", "country")],
    "Acquisition": [("customers", "acquisition_channel")],
    "Campaign response": [("campaign_contacts", "responded_at")],
    "Campaign effect (needs a control group)": [("campaign_contacts", "is_control")],
    "Behaviour (visits, clicks, calls)": [("interactions", "kind")],
    "Ratings": [("feedback", "rating")],
    "Sentiment": [("feedback", "text")],
    "Churn of contracts": [("subscriptions", "ended_at")],
    "Consent": [("consents", "granted")],
    "Several currencies": [("exchange_rates", "rate")],
    "Stock": [("stock_levels", "on_hand_quantity")],
    "Outside factors": [("regressors", "value")],
}
"""What each question needs: one of these columns mapped."""


def preview(settings: Settings, console: Console) -> dict[str, Any]:
    """Bind every expression to its files and count their rows, and say which questions the mapping allows.

    Raises:
        InputError: the source file breaks the contract, or a file of it cannot be read as it says.
    """
    source = load_source(settings.source)
    files = []
    with console.status("reading") as shown:
        for name, parts in source.entities.items():
            for part in parts:
                others = source.lookup_files(part, entity=name, landing=settings.landing_dir)
                for file, path in source.files(part, entity=name, landing=settings.landing_dir):
                    shown.update(f"reading {file}")
                    rows = SourceReader(path, file, part, ENTITIES[name], source, others).count()
                    files.append({"entity": name, "file": file, "row_count": rows})
    return {
        "source": source.name,
        "source_file": str(source.path),
        "timezone": source.timezone,
        "currency": source.currency,
        "files": files,
        "not_mapped": {name: _not_mapped(source, name) for name in source.entities},
        "absent_entities": [name for name in ENTITIES if name not in source.entities],
        "attributes": list(source.attributes),
        "questions": {question: _lack(source, question) for question in QUESTIONS},
        "rules": source.rules.model_dump(mode="json"),
        "models": source.models.model_dump(mode="json"),
    }


def show(report: dict[str, Any], console: Console) -> None:
    """Print a preview for people."""
    console.print(f"[bold]{report['source']}[/bold]: {report['timezone']}, {report['currency']}\n", highlight=False)
    files = Table("Entity", "File", "Rows", box=None, padding=(0, 2, 0, 0))
    files.columns[2].justify = "right"
    for row in report["files"]:
        files.add_row(row["entity"], row["file"], f"{row['row_count']:,}")
    console.print(files, soft_wrap=True, highlight=False)
    for entity, names in report["not_mapped"].items():
        if names:
            console.print(f"Not mapped in {entity}: {', '.join(names)}", highlight=False, soft_wrap=True)
    if report["absent_entities"]:
        console.print(f"Absent: {', '.join(report['absent_entities'])}", highlight=False)
    console.print()
    questions = Table("Question", "Answer", box=None, padding=(0, 2, 0, 0))
    for question, lack in report["questions"].items():
        questions.add_row(question, "yes" if lack is None else f"no: {lack}")
    console.print(questions, soft_wrap=True, highlight=False)
    console.print(
        f"\nChurn over {report['models']['churn']['horizon_days']} days, CLV over "
        f"{', '.join(map(str, report['models']['clv']['horizons_days']))} days. `clientele run` runs it.",
        highlight=False,
    )


def as_json(report: dict[str, Any]) -> str:
    """The preview as one JSON object."""
    return json.dumps(report, indent=1)


def _lack(source: Source, question: str) -> str | None:
    needed = QUESTIONS[question]
    if any(column in part.columns for entity, column in needed for part in source.entities.get(entity, ())):
        return None
    names = " or ".join(f"{entity}.{column}" for entity, column in needed)
    return f"{names} is not mapped"


def _not_mapped(source: Source, entity: str) -> list[str]:
    mapped = {name for part in source.entities[entity] for name in part.columns}
    return [column.name for column in ENTITIES[entity].columns if column.name not in mapped]
