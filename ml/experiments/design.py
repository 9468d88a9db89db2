"""What an experiment is before anybody is in it: arms, metrics, and how it will be read. Nothing is computed here."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Analysis = Literal["fixed_horizon", "sequential"]
Correction = Literal["holm", "benjamini_hochberg"]


@dataclass(frozen=True)
class Arm:
    """One arm; `share` is its part of the customers, none where nobody says what it was meant to be."""

    name: str
    share: float | None
    is_control: bool


@dataclass(frozen=True)
class Metric:
    """One outcome per customer; of a proportion it is 0 or 1."""

    name: str
    is_proportion: bool


@dataclass(frozen=True)
class Design:
    """One experiment as declared; shares sum to 1, and exactly one arm is the control.

    `planned_customers` is the number in a pair of arms at which the sequential interval is narrowest.
    """

    experiment_id: str
    arms: tuple[Arm, ...]
    metrics: tuple[Metric, ...]
    assigned_by: str
    purpose: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    analysis: Analysis = "fixed_horizon"
    planned_customers: int = 10_000
    correction: Correction = "holm"
    confidence: float = 0.95

    @property
    def control(self) -> Arm:
        """The arm that the others are compared with."""
        return next(arm for arm in self.arms if arm.is_control)
