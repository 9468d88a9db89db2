"""Which failure of a run people are told of."""

from pathlib import Path

import dagster as dg
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from orchestration.runs.failures import error_of
from orchestration.settings import Settings


@dg.op
def forecasts() -> None:
    raise IndexError("a defect of ours")


@dg.op
def reports() -> None:
    raise DagsterDbtCliRuntimeError("26 of 245 ERROR the table of forecasts does not exist")


def test_dbt_that_misses_what_failed_before_is_not_the_reason(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)

    @dg.job(executor_def=dg.in_process_executor)
    def both() -> None:
        forecasts()
        reports()

    @dg.job(executor_def=dg.in_process_executor)
    def one() -> None:
        reports()

    for job, told in ((both, "The step forecasts failed unexpectedly"), (one, "A check or a model in dbt failed")):
        events = job.execute_in_process(raise_on_error=False).all_events
        assert told in str(error_of(events, describe=lambda _: None, settings=settings))
