"""What a source file may declare as an experiment, and how it is told what cannot be one."""

from pathlib import Path

import pytest

from orchestration.errors import InputError
from orchestration.intake.source_file import load_source
from tests.experiments import EXCLUSIVE, SOURCE


@pytest.mark.parametrize(
    ("experiments", "words"),
    [
        ("offer: {arms: {control: 1, b: 1}}", "starts_on is required"),
        ("offer: {arms: {control: 1}, starts_on: 2026-01-01}", "at least 2 items"),
        ("offer: {arms: {a: 1, b: 1}, starts_on: 2026-01-01}", "no arm is called 'control'"),
        ("offer: {arms: {control: 1, b: 1}, starts_on: 2026-01-01}", "ends_on and window_days say when"),
        ("offer: {arms: {control: 1, b: {shar: 1}}}", "offer.arms.b.shar: unknown key; did you mean 'share'?"),
        ("offer: {arms: {control: 1, b: 1}, windows_days: 3}", "windows_days: unknown key; did you mean 'window_days'"),
        ("offer: {assigned_by: data, arms: {control: {}, b: {}}}", "arms.b: name its `campaigns`"),
        (
            "offer: {assigned_by: data, arms: {control: {}, b: {campaigns: m}}, metrics: visits}",
            "metrics.measure: Input",
        ),
        (
            "offer: {assigned_by: data, arms: {control: {}, b: {campaigns: m}}, covariate_attribute: spent_befor}",
            "'spent_befor' is no declared customer attribute; did you mean 'spent_before'?",
        ),
        ("global_control: {assigned_by: data, arms: {control: {}, b: {campaigns: m}}}", "the name is taken"),
        (
            "offer: {arms: {control: 1, b: 1}, starts_on: 2026-01-01, analysis: sequential, eligible: recency > 3}",
            "experiments.offer.eligible: 'recency > 3'",
        ),
    ],
)
def test_what_cannot_be_an_experiment_is_refused_with_a_way_out(tmp_path: Path, experiments: str, words: str) -> None:
    file = tmp_path / "shop.yml"
    file.write_text(f"{SOURCE}experiments:\n  {experiments}\n")
    with pytest.raises(InputError, match=r"shop.yml: ") as refused:
        load_source(file)
    assert words in str(refused.value)


def test_shares_that_overlap_in_time_and_exceed_everybody_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "shop.yml"
    file.write_text(
        SOURCE + EXCLUSIVE.replace("group: mail, share: 0.5}\n  second", "group: mail, share: 0.6}\n  second")
    )
    with pytest.raises(InputError, match=r"second: its share of 0.5 does not fit"):
        load_source(file)
    later = "second: {arms: {control: 1, b: 1}, starts_on: 2026-05-02, ends_on: 2026-05-31"
    file.write_text(file.read_text().replace(later.replace("05-02", "03-01").replace("05-31", "03-31"), later))
    assert set(load_source(file).experiments) == {"first", "second"}
