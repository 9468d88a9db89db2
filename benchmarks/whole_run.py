"""`clientele run` on the shop, with the CPU and wall seconds of every step of Dagster and of every model of dbt.

`python -m benchmarks.whole_run SHOP DATA` does one. Steps run one after the other in this process, so that what it and
its children took between a step's first and last event is that step's.
"""

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.clock import cpu


class Steps:
    """Hears the events of a run."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[float, float]] = {}
        self.steps: dict[str, dict[str, float]] = {}
        self.models: dict[str, float] = {}

    def __call__(self, entry: Any) -> None:
        """Note when a step begins and ends, and how long dbt says that a model took."""
        if not entry.is_dagster_event:
            return
        event = entry.get_dagster_event()
        if event.event_type_value == "STEP_START":
            self._begun[event.step_key] = (cpu(), entry.timestamp)
        elif event.event_type_value in ("STEP_SUCCESS", "STEP_FAILURE") and event.step_key in self._begun:
            began, at = self._begun[event.step_key]
            self.steps[event.step_key] = {"cpu": cpu() - began, "wall": entry.timestamp - at}
        elif event.event_type_value == "ASSET_MATERIALIZATION":
            made = event.step_materialization_data.materialization
            if seconds := made.metadata.get("Execution Duration"):
                self.models[".".join(made.asset_key.path)] = float(seconds.value)


def main(shop: Path, data: Path) -> None:
    """Run the job `refresh` as the command line does, and print its seconds by step as JSON."""
    from orchestration.runs.runner import run_job
    from orchestration.runs.writer import writer_lock
    from orchestration.settings import Settings

    settings, heard = Settings(data_dir=data, source=shop / "shop.yml"), Steps()
    config = {"source": str(settings.source), "as_of": None, "known_at": None, "retrain": None}
    with writer_lock(settings, wait=False):
        outcome = run_job("refresh", settings, config=config, listener=heard)
    if outcome.error:
        raise outcome.error
    print(json.dumps({"steps": heard.steps, "models": heard.models}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
