"""From sums to findings: every arm beside the control, metric by metric, with what may be concluded and when.

How two arms are compared is in `comparison`; several metrics at once, and the arms' shares, in `corrections`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import polars as pl

from ml.comparison import Comparison, Sample, anytime, proportions, welch
from ml.experiment_schemas import EXPERIMENT_RESULTS
from ml.experiments import cuped
from ml.experiments.corrections import corrected
from ml.experiments.design import Design
from ml.moments import Moments
from ml.randomisation import MISMATCH, sample_ratio
from ml.small_groups import told

Status = Literal["not_started", "running", "final", "no_data"]

LEAST_CUSTOMERS: Final = 30
"""In each of two arms that are compared: below it, intervals of means do not hold what they say."""


@dataclass(frozen=True)
class Progress:
    """How far an experiment is: its status, why, and how many customers were assigned to each arm."""

    status: Status
    reason: str | None
    assigned: Mapping[str, int]


def analyse(
    design: Design, progress: Progress, moments: Mapping[tuple[str, int], Moments], *, as_of: date
) -> pl.DataFrame:
    """EXPERIMENT_RESULTS of one experiment.

    A fixed-horizon experiment says nothing of outcomes before its end: looked at day by day, and stopped on a good day,
    it would find something far more often than it says. Numbers of one to ten people are left out.
    """
    is_open = progress.status == "final" or (progress.status == "running" and design.analysis == "sequential")
    known = dict(moments) if is_open else {}
    rows = [
        _shared(design, progress, as_of)
        | {
            "arm": arm.name,
            "is_control": arm.is_control,
            "assigned_count": told(progress.assigned.get(arm.name, 0)),
            "declared_share": arm.share,
            "metric": metric.name,
            "is_proportion": metric.is_proportion,
        }
        | _measured(design, known, arm.name, number)
        for arm in design.arms
        for number, metric in enumerate(design.metrics)
    ]
    return pl.DataFrame(_concluded(rows, design), schema=EXPERIMENT_RESULTS)


def _shared(design: Design, progress: Progress, as_of: date) -> dict[str, Any]:
    """What all rows of an experiment say."""
    ratio = None
    if all(arm.share is not None for arm in design.arms):
        shares = [arm.share or 0.0 for arm in design.arms]
        ratio = sample_ratio([progress.assigned.get(arm.name, 0) for arm in design.arms], shares)
    return dict.fromkeys(EXPERIMENT_RESULTS) | {
        "as_of_date": as_of,
        **{
            name: getattr(design, name)
            for name in (
                *("experiment_id", "purpose", "assigned_by", "analysis", "starts_on", "ends_on"),
                *("correction", "confidence"),
            )
        },
        "status": progress.status,
        "reason": progress.reason,
        "sample_ratio_p_value": ratio,
        "is_sample_ratio_kept": None if ratio is None else ratio >= MISMATCH,
    }


def _measured(design: Design, known: Mapping[tuple[str, int], Moments], arm: str, number: int) -> dict[str, Any]:
    """One arm and metric: its mean, and its differences from the control."""
    own, control = known.get((arm, number)), known.get((design.control.name, number))
    if own is None or told(own.n) is None:
        return {}
    if told(own.positive) is None:
        return {"customer_count": own.n}
    found: dict[str, Any] = {"customer_count": own.n, "mean": own.mean}
    if arm == design.control.name or control is None or told(control.positive) is None:
        return found
    if min(own.n, control.n) < LEAST_CUSTOMERS:
        return found
    is_proportion = design.metrics[number].is_proportion and design.analysis == "fixed_horizon"
    plain = (
        proportions(own, control, confidence=design.confidence)
        if is_proportion
        else _compared(design, _sample(own), _sample(control))
    )
    found["effect"] = own.mean - control.mean
    if plain is not None:
        found |= _named(plain, "effect", "effect_lower", "effect_upper", "effect_p_value")
    arms = [known[each.name, number] for each in design.arms if (each.name, number) in known]  # in one order always
    return found | _adjusted(design, arms, own, control)


def _adjusted(design: Design, arms: Sequence[Moments], own: Moments, control: Moments) -> dict[str, Any]:
    """The same difference with what came before taken out of it."""
    theta = cuped.slope(arms)
    if theta is None:
        return {}
    found = _compared(design, cuped.adjusted(own, theta), cuped.adjusted(control, theta))
    named = _named(found, "cuped_effect", "cuped_lower", "cuped_upper", "cuped_p_value") if found else {}
    return named | {"variance_reduction": cuped.variance_reduction(arms, theta)}


def _compared(design: Design, own: Sample, control: Sample) -> Comparison | None:
    if design.analysis == "sequential":
        return anytime(own, control, confidence=design.confidence, planned_customers=design.planned_customers)
    return welch(own, control, confidence=design.confidence)


def _sample(moments: Moments) -> Sample:
    return Sample(moments.n, moments.mean, moments.variance)


def _named(found: Comparison, *names: str) -> dict[str, float]:
    return dict(zip(names, (found.effect, found.lower, found.upper, found.p_value), strict=True))


def _concluded(rows: list[dict[str, Any]], design: Design) -> list[dict[str, Any]]:
    """The rows with p-values corrected for all of them, and what may be said.

    The adjusted difference decides wherever there is one, so that nobody chooses the one that looks better.
    """
    deciding = [row["cuped_p_value"] if row["cuped_p_value"] is not None else row["effect_p_value"] for row in rows]
    asked = [number for number, value in enumerate(deciding) if value is not None]
    for number, value in zip(
        asked, corrected([deciding[number] for number in asked], by=design.correction), strict=True
    ):
        rows[number]["corrected_p_value"] = value
        rows[number]["conclusion"] = _conclusion(rows[number])
    return rows


def _conclusion(row: Mapping[str, Any]) -> str:
    if row["is_sample_ratio_kept"] is False:
        return "invalid"
    if row["corrected_p_value"] < 1 - row["confidence"]:
        effect = row["effect"] if row["cuped_effect"] is None else row["cuped_effect"]
        return "higher" if effect > 0 else "lower"
    return "undecided" if row["status"] == "running" else "no_difference_shown"
