"""Jobs and schedules: what runs when. What a run does belongs in the assets."""

from typing import TYPE_CHECKING

import dagster as dg

from orchestration.settings import Settings

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

TO_MARTS = dg.AssetSelection.groups(
    "landing", "raw", "staging", "intermediate", "marts", "quality"
) - dg.AssetSelection.assets(["quality", "capabilities"])
"""From the files to the marts and what the data can tell; `quality.capabilities` waits for the segments."""


def jobs() -> list["UnresolvedAssetJobDefinition"]:
    """`refresh` trains what is due, `retrain` everything, both from the files to the published version; `check` stops
    before any model, `evaluate` after the contest.
    """
    contest = dg.AssetSelection.assets(
        *(
            ["ml", name]
            for name in ("churn_model", "clv_model", "model_versions", "model_evaluations", "model_comparisons")
        )
    )
    return [
        dg.define_asset_job(
            "refresh",
            selection=dg.AssetSelection.all(),
            executor_def=dg.in_process_executor,
            description="From the source files to the published version; models are trained when they are due.",
        ),
        dg.define_asset_job(
            "retrain",
            selection=dg.AssetSelection.all(),
            executor_def=dg.in_process_executor,
            config={"resources": {"run": {"config": {"retrain": True}}}},
            description="As refresh, with every model and every cut point fitted again.",
        ),
        dg.define_asset_job(
            "check",
            selection=TO_MARTS,
            executor_def=dg.in_process_executor,
            description="From the source files to the marts and what they can answer; nothing is trained or published.",
        ),
        dg.define_asset_job(
            "evaluate",
            selection=TO_MARTS | contest,
            executor_def=dg.in_process_executor,
            config={"resources": {"run": {"config": {"retrain": True}}}},
            description="From the source files to every candidate tested beside every rule; nothing is published.",
        ),
    ]


def schedules(settings: Settings, *, timezone: str) -> list[dg.ScheduleDefinition]:
    """Daily refresh and weekly retrain in an explicit time zone, on from the start unless settings say otherwise."""
    status = dg.DefaultScheduleStatus.RUNNING if settings.schedules else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.ScheduleDefinition(
            name=f"{job}_schedule",
            job_name=job,
            cron_schedule=cron,
            execution_timezone=settings.timezone or timezone,
            default_status=status,
            description=f"Starts the job {job}.",
        )
        for job, cron in (("refresh", settings.refresh_cron), ("retrain", settings.retrain_cron))
    ]
