"""Jobs and schedules: what runs when. What a run does belongs in the assets; whose day it is, in `timetable`."""

from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.storage.tags import RETRY_STRATEGY_TAG
from dagster._time import get_current_datetime  # the clock that the daemon goes by

from orchestration.automation.timetable import Timetable, refresh_of, retrain_of
from orchestration.errors import InputError
from orchestration.runs.run import RUN_CONFIG
from orchestration.settings import Settings

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

TO_MARTS = dg.AssetSelection.groups("landing", "raw", "staging", "marts", "quality") - dg.AssetSelection.assets(
    ["quality", "capabilities"]
)
"""From the files to the marts and what the data can tell; `quality.capabilities` waits for the segments."""

TELLING = dg.AssetSelection.groups("sync")
"""What follows a publication: another system that is away must not fail what was published."""

WHOLE = {RETRY_STRATEGY_TAG: "ALL_STEPS"}
"""A run whose process died starts anew: what others wrote since, its steps would not know."""


def asked(*, retrain: bool | None = None) -> dg.ConfigMapping:
    """The form of a job in the launchpad: what a run can be asked for and nothing else, `retrain` with its default."""
    field = RUN_CONFIG["retrain"]
    own = dg.Field(field.config_type, default_value=retrain, description=field.description)

    @dg.config_mapping(config_schema={**RUN_CONFIG, "retrain": own})
    def form(given: dict[str, Any]) -> dict[str, Any]:
        return {"resources": {"run": {"config": given}}}

    return form


def jobs() -> list["UnresolvedAssetJobDefinition"]:
    """`refresh` trains what is due, `retrain` everything, both from the files to the published version; `check` stops
    before any model, `evaluate` after the contest.
    """
    contest = dg.AssetSelection.assets(
        *(
            ["ml", name]
            for name in (
                *("churn_model", "clv_model", "recommendation_model", "feedback_messages", "feedback_model"),
                *("model_versions", "model_evaluations", "model_comparisons"),
            )
        )
    )
    return [
        dg.define_asset_job(
            "refresh",
            selection=dg.AssetSelection.all() - TELLING,
            executor_def=dg.in_process_executor,
            tags=WHOLE,
            config=asked(),
            description="From the source files to the published version; models are trained when they are due.",
        ),
        dg.define_asset_job(
            "retrain",
            selection=dg.AssetSelection.all() - TELLING,
            executor_def=dg.in_process_executor,
            tags=WHOLE,
            config=asked(retrain=True),
            description="As refresh, with every model and every cut point fitted again.",
        ),
        dg.define_asset_job(
            "check",
            selection=TO_MARTS,
            executor_def=dg.in_process_executor,
            tags=WHOLE,
            config=asked(),
            description="From the source files to the marts and what they can answer; nothing is trained or published.",
        ),
        dg.define_asset_job(
            "evaluate",
            selection=TO_MARTS | contest,
            executor_def=dg.in_process_executor,
            tags=WHOLE,
            config=asked(retrain=True),
            description="From the source files to every candidate tested beside every rule; nothing is published.",
        ),
    ]


def sync_job() -> "UnresolvedAssetJobDefinition":
    """Tells every destination what changed in what is published."""
    return dg.define_asset_job(
        "sync",
        selection=TELLING,
        executor_def=dg.in_process_executor,
        tags=WHOLE,
        description="From what is published to where customers are addressed: who may be, and only what changed.",
    )


def schedules(settings: Settings, *, timezone: str) -> list[dg.ScheduleDefinition]:
    """Daily refresh and weekly retrain in an explicit time zone, on from the start unless settings say otherwise.

    Raises:
        InputError: Dagster does not understand a cron expression.
    """
    timetable = Timetable.of(settings, timezone=timezone)
    status = dg.DefaultScheduleStatus.RUNNING if settings.schedules else dg.DefaultScheduleStatus.STOPPED

    def refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return refresh_of(timetable, timetable.day(context.scheduled_execution_time), context.instance)

    def retrain(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        day = timetable.day(context.scheduled_execution_time)
        return retrain_of(timetable, day, context.instance, now=get_current_datetime())

    try:
        return [
            dg.ScheduleDefinition(
                name=f"{job}_schedule",
                job_name=job,
                cron_schedule=cron,
                execution_timezone=timetable.zone.key,
                execution_fn=evaluation,
                default_status=status,
                description=f"Starts the job {job}, one run per local day.",
            )
            for job, cron, evaluation in (
                ("refresh", settings.refresh_cron, refresh),
                ("retrain", settings.retrain_cron, retrain),
            )
        ]
    except dg.DagsterInvalidDefinitionError as error:
        raise InputError(f"CLIENTELE_REFRESH_CRON or CLIENTELE_RETRAIN_CRON: {error}") from None
