"""What changed between a published version and the one before it: rows, customers, money, segments, models, warnings.

Both are read as files, so that a run of the same day is compared as well. Changes of tables from day to day, as SQL
knows them, are in `quality.changes` and `reports.rpt_segment_migrations`.
"""

from pathlib import Path
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from orchestration.publishing.generations import DATABASE, Generation, generations
from orchestration.settings import Settings
from orchestration.warehouse import Connection, reading_two, records
from orchestration.words import in_words

NEEDED: Final = {
    *("quality.reconciliation", "marts.dim_customers", "ml.customer_segments", "ml.model_warnings"),
    "reports.rpt_model_health",
}
"""What is compared; a version published before there was one of these is not."""
TOTALS: Final = """
    select
        (select coalesce(sum(received), 0)::bigint from {0}.quality.reconciliation where measure = 'rows')
            as received_row_count,
        (select coalesce(sum(rejected), 0)::bigint from {0}.quality.reconciliation where measure = 'rows')
            as rejected_row_count,
        (select count(*) from {0}.marts.dim_customers) as customer_count,
        (select coalesce(sum(accepted), 0) from {0}.quality.reconciliation
         where entity = 'transactions' and measure = 'amount')::double as net_amount
"""
MOVED: Final = """
    select now.strategy, count(*) as customer_count, count(*) filter (now.segment <> before.segment) as moved_count
    from now.ml.customer_segments as now
    inner join before.ml.customer_segments as before using (customer_id, strategy)
    group by 1 order by 1
"""
WAYS: Final = """
    select now.strategy, before.segment as previous_segment, now.segment, count(*) as customer_count
    from now.ml.customer_segments as now
    inner join before.ml.customer_segments as before using (customer_id, strategy)
    where now.segment <> before.segment
    group by all order by strategy, customer_count desc, previous_segment, segment
"""
VERDICTS: Final = """
    select model, horizon_days, before.candidate as previous_candidate, before.served_by as previous_served_by,
        now.candidate, now.served_by, before.model_version <> now.model_version as is_trained_anew
    from now.reports.rpt_model_health as now
    inner join before.reports.rpt_model_health as before using (model, horizon_days)
    order by model, horizon_days
"""
WARNINGS: Final = """
    select model, horizon_days, kind, warning from {0}.ml.model_warnings
    where (model, horizon_days, kind) not in (select (model, horizon_days, kind) from {1}.ml.model_warnings)
    order by all
"""


def changes(settings: Settings, folder: Path) -> dict[str, Any] | None:
    """What is different from the version that was published before; none where there is none of the same source."""
    before = _before(settings, folder)
    if before is None:
        return None
    with reading_two(folder / DATABASE, before.folder / DATABASE) as connection:
        totals = [records(connection, TOTALS.format(version))[0] for version in ("now", "before")]
        return {
            "run_id": before.run_id,
            "as_of_date": before.as_of.isoformat(),
            "totals": {name: value - totals[1][name] for name, value in totals[0].items()},
            "segments": _moves(connection),
            "models": records(connection, VERDICTS),
            "new_warnings": records(connection, WARNINGS.format("now", "before")),
            "gone_warnings": records(connection, WARNINGS.format("before", "now")),
        }


def rows(changed: dict[str, Any], facts: Table) -> None:
    """Add to a table of two columns what a person wants to know of it; what stayed is said in one word."""
    totals = changed["totals"]
    facts.add_section()
    facts.add_row("[bold]Since the last run[/bold]", f"{changed['run_id'][:8]}, as of {changed['as_of_date']}")
    named = {
        "Rows received": "received_row_count",
        "Rows rejected": "rejected_row_count",
        "Customers": "customer_count",
    }
    told = [f"{totals[column]:+,} {words.lower()}" for words, column in named.items() if totals[column]]
    told += [f"{totals['net_amount']:+,.2f} net amount"] if round(totals["net_amount"], 2) else []
    facts.add_row("Totals", ", ".join(told) or "unchanged")
    for strategy, moves in changed["segments"].items():
        if moves["moved_count"]:
            most = "; ".join(
                f"{way['customer_count']:,} from {in_words(way['previous_segment'])} to {in_words(way['segment'])}"
                for way in moves["ways"][:2]
            )
            facts.add_row(f"Moved ({strategy})", f"{moves['moved_count']:,} of {moves['customer_count']:,}: {most}")
    for model in changed["models"]:
        facts.add_row(f"{model['model'].upper()}, {model['horizon_days']} days", _verdict(model))
    for kind, found in (("[yellow]New warning[/yellow]", "new_warnings"), ("Warning is gone", "gone_warnings")):
        for one in changed[found]:
            facts.add_row(kind, escape(f"{one['model'].upper()}, {one['horizon_days']} days: {one['warning']}"))


def _before(settings: Settings, folder: Path) -> Generation | None:
    """The newest version of the same source, published before this one and still kept."""
    kept = generations(settings)
    now = next((one for one in kept if one.folder.resolve() == folder.resolve()), None)
    if now is None or now.is_scratch:
        return None
    earlier = [
        one
        for one in kept
        if one.published_at < now.published_at
        and not one.is_scratch
        and one.manifest["source"] == now.manifest["source"]
        and one.manifest["tables"].keys() >= NEEDED
    ]
    return earlier[-1] if earlier else None


def _moves(connection: Connection) -> dict[str, dict[str, Any]]:
    """By strategy: of how many customers with a segment in both versions how many have another one, and which."""
    found: dict[str, dict[str, Any]] = {row.pop("strategy"): row | {"ways": []} for row in records(connection, MOVED)}
    for way in records(connection, WAYS):
        found[way.pop("strategy")]["ways"].append(way)
    return found


def _verdict(model: dict[str, Any]) -> str:
    before = f"{in_words(model['previous_candidate'])} ({model['previous_served_by']})"
    now = f"{in_words(model['candidate'])} ({model['served_by']})"
    if before != now:
        return f"[bold]{now} serves instead of {before}[/bold]"
    return f"{now} serves as before" + (", trained anew" if model["is_trained_anew"] else "")
