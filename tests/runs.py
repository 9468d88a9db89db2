"""A run as its assets see it, without a pipeline: tests fill its warehouse themselves."""

from datetime import UTC, datetime
from pathlib import Path

from orchestration.intake.source_file import load_source
from orchestration.runs.run import Run
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse
from tests.shop import SOURCE


def run_on(settings: Settings, *, run_id: str = "run-1", warehouse: Warehouse | None = None) -> Run:
    """A run that began now, on the warehouse of the settings unless another is given."""
    warehouse = warehouse or Warehouse(settings.warehouse_file, settings=settings)
    now = datetime.now(UTC).replace(tzinfo=None)
    return Run(run_id, settings, load_source(settings.source), None, now, None, warehouse, is_scratch=False)


def shop_run(folder: Path, *, source: str = SOURCE) -> Run:
    """A run of the shop below a folder, without files and with an empty warehouse."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "shop.yml"
    file.write_text(source)
    return run_on(Settings(data_dir=folder / "data", source=file))
