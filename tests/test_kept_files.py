from pathlib import Path

import polars as pl
import pytest

from orchestration.errors import CheckError
from orchestration.storage import kept_files


def test_what_is_written_is_readable_by_nobody_else_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "history" / "day.parquet"
    kept_files.write(file, b"a")
    kept_files.write(file, b"b")
    assert (file.read_bytes(), file.stat().st_mode & 0o077) == (b"b", 0)
    kept_files.verify([tmp_path])


def test_a_frame_is_kept_like_any_other_file_whatever_a_kill_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "history" / "day.parquet"
    frame = pl.DataFrame({"customer_id": ["c1"]})
    kept_files.write_frame(file, frame.clear())
    file.with_name(".day.parquet").write_bytes(b"half")
    kept_files.write_frame(file, frame)
    assert (pl.read_parquet(file).rows(), file.stat().st_mode & 0o077) == ([("c1",)], 0)
    kept_files.verify([tmp_path])


def test_what_is_removed_leaves_no_seal_behind(tmp_path: Path) -> None:
    kept_files.write(tmp_path / "day.parquet", b"a")
    kept_files.remove(tmp_path / "day.parquet")
    assert list(tmp_path.iterdir()) == []


def test_every_file_that_differs_from_its_seal_is_named(tmp_path: Path) -> None:
    for number in range(8):
        kept_files.write(tmp_path / f"{number}.parquet", bytes([number]))
    (tmp_path / "3.parquet").write_bytes(b"other")
    with pytest.raises(CheckError, match=r"(?s)1 kept files.*- \S+/3\.parquet\n.*Nothing is guessed"):
        kept_files.verify([tmp_path])
    for number in range(8):
        (tmp_path / f"{number}.parquet").write_bytes(b"other")
    with pytest.raises(CheckError, match="- and 3 more"):
        kept_files.verify([tmp_path])


def test_what_is_somebody_elses_to_judge_is_passed_over(tmp_path: Path) -> None:
    kept_files.write(tmp_path / "landing" / "a.parquet", b"a")
    (tmp_path / "landing" / "a.parquet").write_bytes(b"other")
    kept_files.verify([tmp_path], without=[tmp_path / "landing"])


@pytest.mark.parametrize("is_renamed", [True, False])
def test_a_kill_between_seal_and_rename_leaves_a_known_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_renamed: bool
) -> None:
    file = tmp_path / "day.parquet"
    kept_files.write(file, b"old")
    aside = tmp_path / ".day.parquet"
    aside.write_bytes(b"new")

    class KilledError(Exception):
        pass

    def killed(self: Path, target: Path) -> None:
        if target == file:
            if is_renamed:
                aside.rename(target)
            raise KilledError
        self.rename(target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KilledError):
            kept_files.replace(file, aside)
    kept_files.verify([tmp_path])
    kept_files.write(file, b"newest")
    kept_files.verify([tmp_path])
    file.write_bytes(b"old")  # what was once there is no longer what is kept
    with pytest.raises(CheckError):
        kept_files.verify([tmp_path])


def test_a_folder_is_sealed_before_it_has_its_name(tmp_path: Path) -> None:
    (tmp_path / ".new").mkdir()
    (tmp_path / ".new" / "rows.parquet").write_bytes(b"rows")
    kept_files.seal(tmp_path / ".new")
    (tmp_path / ".new").rename(tmp_path / "new")
    kept_files.verify([tmp_path])
    (tmp_path / "new" / "rows.parquet").write_bytes(b"row")
    with pytest.raises(CheckError, match=r"new/rows\.parquet"):
        kept_files.verify([tmp_path])


def test_a_file_from_before_there_were_seals_gets_one(tmp_path: Path) -> None:
    (tmp_path / "day.parquet").write_bytes(b"a")
    kept_files.verify([tmp_path])
    (tmp_path / "day.parquet").write_bytes(b"b")
    with pytest.raises(CheckError):
        kept_files.verify([tmp_path])
