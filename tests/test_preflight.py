import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from orchestration.errors import ClienteleError
from orchestration.runs import preflight
from orchestration.settings import Settings

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(data_dir=tmp_path / "data")
    found.published_dir.mkdir(parents=True)
    return found


def with_free_bytes(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(2 * free, free, free))


def test_a_run_that_has_no_room_to_end_does_not_begin(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with_free_bytes(monkeypatch, preflight.LEAST_BYTES - 1)
    with pytest.raises(ClienteleError, match=rf"{settings.data_dir}: 67,108,863 bytes are free.*about 67,108,864"):
        preflight.check(settings)
    with_free_bytes(monkeypatch, preflight.LEAST_BYTES)
    preflight.check(settings)


def test_what_is_published_and_the_working_file_say_how_much_room_a_run_needs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = settings.published_dir / "versions" / "run-1"
    version.mkdir(parents=True)
    (version / "clientele.duckdb").write_bytes(bytes(10_000_000))
    (settings.published_dir / "current").symlink_to("versions/run-1")
    settings.warehouse_file.write_bytes(bytes(20_000_000))
    monkeypatch.setattr(preflight, "LEAST_BYTES", 1)
    with_free_bytes(monkeypatch, 31_999_999)
    with pytest.raises(ClienteleError, match="about 32,000,000"):
        preflight.check(settings)
    preflight.room_to_publish(settings, settings.warehouse_file)
    with_free_bytes(monkeypatch, 11_999_999)
    with pytest.raises(ClienteleError, match="about 12,000,000"):
        preflight.room_to_publish(settings, settings.warehouse_file)


def test_a_folder_that_may_not_be_written_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, _mode: path != settings.published_dir)
    with pytest.raises(ClienteleError, match=rf"^{settings.published_dir}: no permission to write"):
        preflight.check(settings)
