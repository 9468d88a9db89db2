"""What was measured, a JSON file per size, so that sizes from several invocations stand in one table and one plot."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.process import Measured

FOLDER = Path(__file__).with_name("results")
SOFTWARE = ("duckdb", "polars", "dagster", "dbt-core", "scikit-learn", "lifetimes")


@dataclass
class Results:
    """Everything measured at one size: by name, such as `run.first`, `stage.features`, `floor.features`."""

    size: str
    customers: int
    lines: int
    machine: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, taken: Measured) -> None:
        """Keep one measurement at once, so that what fails later takes nothing along."""
        self.measured[name] = _rounded(asdict(taken))
        self.save()

    def save(self) -> None:
        """Write the file of this size."""
        FOLDER.mkdir(exist_ok=True)
        self.machine = machine()
        (FOLDER / f"{self.size}.json").write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n")

    def seconds(self, *names: str) -> float | None:
        """CPU seconds of the work of all of these together, getting ready left out; none where one was not measured.

        dbt's stages are counted without what starting dbt costs.
        """
        found = [self._work(name) for name in names]
        return None if any(one is None for one in found) else sum(one for one in found if one is not None)

    def _work(self, name: str) -> float | None:
        if name not in self.measured:
            return None
        taken = self.measured[name]
        work = float(taken["told"].get("work_cpu", taken["cpu"]))
        if name in ("stage.clean", "stage.aggregate"):
            return max(0.0, work - (self._work("stage.start_dbt") or 0.0))
        return work

    def told(self, name: str) -> dict[str, Any]:
        """What a process told of itself."""
        found: dict[str, Any] = self.measured.get(name, {}).get("told", {})
        return found


def load(size: str) -> Results | None:
    """What was measured at a size before."""
    file = FOLDER / f"{size}.json"
    return Results(**json.loads(file.read_text())) if file.exists() else None


def everything() -> list[Results]:
    """All sizes, the smallest first."""
    found = [Results(**json.loads(file.read_text())) for file in FOLDER.glob("*.json")]
    return sorted(found, key=lambda results: results.customers)


def machine() -> dict[str, Any]:
    """What a reader needs to know of the machine, and nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "load": round(os.getloadavg()[2], 1),
        "python": platform.python_version(),
        "software": {name: version(name) for name in SOFTWARE},
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    return {key: _rounded(one) for key, one in value.items()} if isinstance(value, dict) else value
