"""What dbt tells while it builds, as events of Dagster: rows, pictures, lineage, and in words what fails.

Which models are built belongs in `assets`.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import dagster as dg

from orchestration.dbt import check_words, column_lineage
from orchestration.dbt.dagster_dbt import DagsterDbtCliRuntimeError, DbtCliInvocation
from orchestration.runs.run import Run
from orchestration.ui import pictures

PROGRESS: Final = "built "
"""Starts the log line of each model, for whoever watches."""


def events(invocation: DbtCliInvocation, run: Run, context: dg.AssetExecutionContext, manifest: Path) -> Iterator[Any]:
    """dbt's events, the models last: their rows are counted, and pictures drawn, when dbt has let go of the file.

    dagster-dbt's own `fetch_row_counts` waits for that as well, and then keeps the file open in this process.
    """
    built: list[dg.Output[Any]] = []
    failure: Exception | None = None
    nodes = invocation.manifest["nodes"]
    stream = invocation.stream()
    try:
        for event in stream:
            if isinstance(event, dg.Output):
                built.append(event)
                context.log.info(f"{PROGRESS}{event.metadata['unique_id'].value}")
            elif isinstance(event, dg.AssetCheckResult) and not event.passed:
                yield check_words.failed(event, nodes, run.settings)
            else:
                yield event
    except DagsterDbtCliRuntimeError as error:  # what was built before is still reported
        failure = error
    finally:
        _end(invocation, stream)
    names = {output.output_name: ".".join(context.asset_key_for_output(output.output_name).path) for output in built}
    run.warehouse.take_back(names.values(), manifest)
    counts = run.warehouse.row_counts()
    made_of = _lineage([nodes[output.metadata["unique_id"].value] for output in built], run)
    for output in built:
        name = names[output.output_name]
        shown = dict(output.metadata) | made_of.get(str(output.metadata["unique_id"].value), {})
        if name in counts:
            shown |= {"dagster/row_count": counts[name], **pictures.of_report(name, run)}
        yield dg.Output(output.value, output_name=output.output_name, metadata=shown)
    if failure:
        raise failure


def _end(invocation: DbtCliInvocation, stream: Iterator[Any]) -> None:
    """Let no dbt go on where nobody listens any more: its step failed or was cancelled."""
    if invocation.process.poll() is None:
        invocation.process.terminate()
        with suppress(DagsterDbtCliRuntimeError):  # of the one that was just ended
            for _ in stream:
                pass


def _lineage(models: list[dict[str, Any]], run: Run) -> dict[str, dict[str, Any]]:
    """The column lineage of models as metadata, by unique id; none of what another engine built."""
    if run.settings.dbt_target != column_lineage.DIALECT:
        return {}
    found = column_lineage.lineage(models, target=run.settings.dbt_target_dir, columns=run.warehouse.column_types())
    return {name: {"dagster/column_lineage": lineage} for name, lineage in found.items()}
