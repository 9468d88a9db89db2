"""The job `backfill` of the UI: a partition for each past day, run by the command line that people use.

Dagster drops the partitions of a job whose assets have none, and ours have none: their day is the run's.
"""

import subprocess
import sys
from pathlib import Path

import dagster as dg

from orchestration.errors import BusyError
from orchestration.settings import Settings

CLIENTELE = str(Path(sys.executable).with_name("clientele"))
WAITING = dg.RetryPolicy(max_retries=10, delay=60, backoff=dg.Backoff.LINEAR)  # while another run holds the lock


def past_days(settings: Settings) -> dg.JobDefinition:
    """A job that runs the day of its partition, keeps it in the history, and marks it as back-filled."""

    @dg.op(description="`clientele backfill` for the day of the partition.", retry_policy=WAITING)
    def past_day(context: dg.OpExecutionContext) -> None:
        day = context.partition_key
        command = [CLIENTELE, "backfill", "--from", day, "--to", day]
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            command, env=settings.environment(), capture_output=True, text=True, check=False
        )
        context.log.info(done.stderr)
        if done.returncode:
            raise dg.Failure(done.stderr.strip(), allow_retries=done.returncode == BusyError.exit_code)

    @dg.job(
        partitions_def=dg.DailyPartitionsDefinition(start_date=settings.backfill_from.isoformat()),
        executor_def=dg.in_process_executor,
        description="A past day for each partition: built aside, kept in the history, marked as back-filled.",
    )
    def backfill() -> None:
        past_day()

    return backfill
