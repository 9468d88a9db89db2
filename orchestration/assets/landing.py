"""What a source's databases and APIs hold, as assets: one per table, fetched before anything is received."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.dbt.assets import OWNERS
from orchestration.errors import InputError
from orchestration.intake import landing
from orchestration.intake.connections import Connection
from orchestration.intake.source_file import Source
from orchestration.runs.run import Run
from orchestration.settings import Settings

PAUSES = (5, 30, 120)
"""Seconds before each further attempt to fetch, where the trouble may pass by itself."""


def fetched_tables(source: Source | None, settings: Settings) -> tuple[list[dg.AssetsDefinition], dict[str, Any]]:
    """The assets of every connection and the resource they need; nothing where the source has no connection.

    Raises:
        InputError: the extra is not installed or a URL is not set.
    """
    if source is None or not source.connections:
        return [], {}
    if lack := landing.missing(source, settings):
        raise InputError(lack)
    from dagster_dlt import DagsterDltResource

    assets = [_fetched(name, source.connections[name], source, settings) for name in source.connections]
    return assets, {"dlt": DagsterDltResource()}


def _fetched(name: str, connection: Connection, source: Source, settings: Settings) -> dg.AssetsDefinition:
    from dagster_dlt import DagsterDltResource, DagsterDltTranslator, dlt_assets
    from dagster_dlt.translator import DltResourceTranslatorData
    from dlt.common.exceptions import DltException

    class Translator(DagsterDltTranslator):
        """Key = connection and table, as `files: landing:<connection>/<table>` names them."""

        def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
            table = data.resource.name
            return dg.AssetSpec(
                ["landing", f"{name}_{table}"],
                group_name="landing",
                kinds={"dlt", "parquet"},
                owners=OWNERS,
                description=f"One row per row of {table} fetched from {name}, in the vault until it is received.",
            )

    given = landing.secret(name, settings)

    @dlt_assets(
        dlt_source=landing.fetcher(name, connection, given=given),
        dlt_pipeline=landing.pipeline(name, source=source, settings=settings),
        name=f"landing_{name}",
        dagster_dlt_translator=Translator(),
    )
    def fetched(
        context: dg.AssetExecutionContext, dlt: DagsterDltResource, run: dg.ResourceParam[Run]
    ) -> Iterator[Any]:
        home = run.settings.landing_dir / source.name / name
        try:
            results = list(dlt.run(context=context, loader_file_format="parquet"))
        except DltException as error:  # around whatever SQLAlchemy, a driver or an API's client raised
            if landing.may_pass(error) and context.retry_number < len(PAUSES):
                raise dg.RetryRequested(len(PAUSES), seconds_to_wait=PAUSES[context.retry_number]) from None
            raise landing.explained(name, error, given) from None
        for result in results:
            asset, told = result.asset_key or dg.AssetKey([]), dict(result.metadata or {})
            table = asset.path[-1].removeprefix(f"{name}_")
            count = landing.settle(home / table, is_incremental=connection.tables[table].is_incremental)
            told.pop("jobs", None)
            yield dg.MaterializeResult(asset_key=asset, metadata={**told, "dagster/row_count": count})

    return fetched
