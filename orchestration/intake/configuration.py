"""What a source file may configure beside its files: every key typed, defaulted and described, unknown ones refused.

Only choices that depend on the business belong here; what depends on the machine is in `settings`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Strict(BaseModel):
    """Frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def as_tuple(value: object) -> object:
    """One item where several may stand."""
    return (value,) if isinstance(value, str | dict | int) else value


class Limits(Strict):
    """When a run stops before publishing: too much rejected, or totals that jump against the last published day."""

    rejected_row_share: float = Field(
        0.2, ge=0, le=1, description="largest share of an entity's rows that may be rejected"
    )
    rejected_amount_share: float = Field(
        0.2, ge=0, le=1, description="largest share of the money received, in absolute amounts, that may be rejected"
    )
    shrink_share: float = Field(
        0.3, ge=0, le=1, description="largest share by which an entity's accepted rows may fall against the last day"
    )
    growth_factor: float = Field(
        3.0, ge=1, description="largest factor by which an entity's accepted rows may grow against the last day"
    )


class ChurnConfig(Strict):
    """Churn: what counts as churned, who is scored, and what a contest needs."""

    horizon_days: int = Field(90, ge=1, le=730, description="no purchase in so many days is churn")
    active_window_days: int = Field(180, ge=1, le=3650, description="who bought within so many days is scored")
    maximum_training_cutoffs: int = Field(6, ge=0, le=36, description="past days a model is trained on at most")
    minimum_history_days: int = Field(60, ge=1, description="history that a past day needs before it")
    minimum_customers: int = Field(500, ge=1, description="customers that training and test need")
    minimum_outcomes: int = Field(100, ge=1, description="churned and not churned that training and test need")
    risk_bands: tuple[float, float] = Field((0.2, 0.5), description="probabilities where medium and high risk begin")


class ClvConfig(Strict):
    """Customer lifetime value: horizons and what a contest needs."""

    horizons_days: Annotated[tuple[int, ...], BeforeValidator(as_tuple)] = Field(
        (365,), min_length=1, description="days ahead; several are allowed"
    )
    maximum_training_cutoffs: int = Field(3, ge=0, le=36, description="past days a model is trained on at most")
    minimum_history_days: int = Field(60, ge=1, description="history that a past day needs before it")
    minimum_customers: int = Field(500, ge=1, description="customers that fit and test need")
    minimum_outcomes: int = Field(
        100, ge=1, description="customers who had come back, and who bought later, that fit and test need"
    )


class ModelsConfig(Strict):
    """How models are trained and served."""

    churn: ChurnConfig = ChurnConfig()
    clv: ClvConfig = ClvConfig()
    maximum_customers: int = Field(50_000, ge=1000, description="customers that models are fitted on at most")
    retrain_after_days: int = Field(7, ge=1, description="age in days at which a refresh trains again by itself")
    keep_versions: int = Field(
        12, ge=1, description="files of trainings that stay on disk, for each model and horizon; cards always stay"
    )
    stale_after_days: int = Field(90, ge=1, description="age in days beyond which a model and its scores are stale")
    fairness_limit: float = Field(
        0.1, gt=0, description="difference of a declared group from the rest, in any metric, that is worth a warning"
    )
    drift_warning: float = Field(
        0.25, gt=0, description="population stability index of the scores or of a feature beyond which to warn"
    )
    calibration_warning: float = Field(
        0.1,
        gt=0,
        description="mean error of graded churn probabilities, or bias of graded CLV, beyond which to warn",
    )
    retrain_on_drift: bool = Field(
        False, description="whether drift beyond the warning on the last published day makes training due"
    )
    seed: int = Field(0, ge=0, description="seed of everything random")


class RfmConfig(Strict):
    """RFM segments."""

    quantiles: tuple[float, float, float, float] = Field(
        (0.2, 0.4, 0.6, 0.8), description="shares of customers at the four cut points of each measure"
    )


class SegmentsConfig(Strict):
    """How customers are divided."""

    strategies: tuple[Literal["rfm", "lifecycle"], ...] = Field(
        ("rfm", "lifecycle"), description="strategies that are computed"
    )
    rfm: RfmConfig = RfmConfig()


class PrivacyConfig(Strict):
    """What may leave the vault."""

    publishable: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (),
        description="identifiers that become columns of marts.dim_customers all the same: customers.email, "
        "customers.phone, customers.full_name; free text never leaves the vault",
    )


class ActionsConfig(Strict):
    """What is proposed and sent: nothing can be configured yet."""
