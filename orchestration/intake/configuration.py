"""What a source file may configure beside its files: every key typed, defaulted and described, unknown ones refused.

Only choices that depend on the business belong here; what depends on the machine is in `settings`.
"""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from orchestration.intake.action_configuration import DemandConfig, RecommendationsConfig
from orchestration.intake.activations import Activation, Name
from orchestration.intake.campaigns import CampaignsConfig, Lookalikes, Offers
from orchestration.intake.conditions import check_condition, known_of_customer
from orchestration.intake.feedback_configuration import FeedbackConfig
from orchestration.intake.strict import Strict, as_tuple

Strategy = Literal["rfm", "lifecycle", "value", "behavioural", "demographic", "geographic"]


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
    recommendations: RecommendationsConfig = RecommendationsConfig()
    demand: DemandConfig = DemandConfig()
    feedback: FeedbackConfig = FeedbackConfig()
    campaigns: CampaignsConfig = CampaignsConfig()
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
    cut_points: dict[
        Literal["recency_days", "frequency_count", "monetary_amount"], tuple[float, float, float, float]
    ] = Field({}, description="four ascending values of a measure instead, such as recency_days: [30, 60, 90, 180]")

    @field_validator("cut_points")
    @classmethod
    def _ascending(cls, value: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for measure, points in value.items():
            if list(points) != sorted(points):
                raise ValueError(f"{measure}: {list(points)} is not in ascending order")
        return value


class ValueConfig(Strict):
    """Segments by value."""

    quantiles: tuple[float, float] = Field(
        (0.5, 0.8), description="shares of customers below medium and below high expected value"
    )


class BehaviouralConfig(Strict):
    """Segments that are found by clustering."""

    maximum_segments: int = Field(8, ge=2, le=20, description="segments at most")
    minimum_stability: float = Field(
        0.8, gt=0, le=1, description="adjusted Rand index over resamples below which nothing is published"
    )


class SegmentsConfig(Strict):
    """How customers are divided."""

    strategies: tuple[Strategy, ...] = Field(
        get_args(Strategy), description="strategies that are computed, where the data carries them"
    )
    horizon_days: int = Field(90, ge=1, le=730, description="period after a past day on which strategies are compared")
    minimum_customer_share: float = Field(
        0.02, ge=0, lt=0.5, description="share of customers below which a segment is joined to others, or reported"
    )
    minimum_revenue_share: float = Field(
        0.01, ge=0, lt=0.5, description="share of revenue below which a segment is joined to others, or reported"
    )
    rfm: RfmConfig = RfmConfig()
    value: ValueConfig = ValueConfig()
    behavioural: BehaviouralConfig = BehaviouralConfig()
    rules: dict[str, dict[str, str]] = Field(
        {},
        description="strategies of your own: name, then segment: condition in SQL over what is known of a customer "
        "(ml.customer_features, churn_probability, expected_amount, age_band, gender, income_band, household_size, "
        "city, region, country, attributes); the first that holds wins, the rest are other",
    )

    @field_validator("rules")
    @classmethod
    def _new_names(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for strategy in value:
            if not strategy.isidentifier() or len(strategy) > 63 or strategy in get_args(Strategy):
                raise ValueError(f"{strategy}: a name of letters, digits and _ other than {get_args(Strategy)}")
        return value

    def check_rules(self, attributes: tuple[str, ...]) -> None:
        """Refuse a condition that cannot be asked of one customer after the other.

        Raises:
            ValueError: it is no SQL, names an unknown column, is not true or false, or adds customers up.
        """
        for strategy, rules in self.rules.items():
            for segment, condition in rules.items():
                check_condition(f"segments.rules.{strategy}.{segment}", condition, known=known_of_customer(attributes))


AGEING = ("transactions", "interactions", "feedback", "campaign_contacts", "subscriptions", "history")


class FreshnessConfig(Strict):
    """When what is published, and the data in it, count as old: first a warning, then stale."""

    warn_after_hours: float = Field(30, ge=1, description="hours since the last publication beyond which to warn")
    fail_after_hours: float = Field(54, ge=1, description="hours since the last publication beyond which it is stale")
    data_warn_after_days: int | None = Field(
        None, ge=1, description="days since the day that the tables describe beyond which to warn; none: never"
    )
    data_fail_after_days: int | None = Field(
        None, ge=1, description="days since the day that the tables describe beyond which they are stale; none: never"
    )

    @model_validator(mode="after")
    def _in_order(self) -> "FreshnessConfig":
        """A warning comes before."""
        days = (self.data_warn_after_days, self.data_fail_after_days)
        if self.warn_after_hours >= self.fail_after_hours or (None not in days and days[0] >= days[1]):  # type: ignore[operator]
            raise ValueError("warn_after must be less than fail_after")
        return self


class PrivacyConfig(Strict):
    """What may leave the vault, whose data may be used for what, under which ids and for how long it is kept."""

    publishable: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (),
        description="identifiers that become columns of marts.dim_customers all the same: customers.email, "
        "customers.phone, customers.full_name; free text never leaves the vault",
    )
    consent: Literal["assumed", "required"] = Field(
        "assumed",
        description="what a customer's silence means for analytics, profiling and marketing: assumed (allowed until "
        "they opt out) or required (not allowed before they opt in)",
    )
    pseudonymous_ids: bool = Field(
        False,
        description="whether customer ids are replaced by keyed hashes everywhere but in the vault's map; needs "
        "CLIENTELE_PRIVACY_KEY",
    )
    retention_days: dict[str, Annotated[int, Field(ge=1)]] = Field(
        {},
        description="days that rows are kept, by entity (transactions, interactions, feedback, campaign_contacts, "
        "ended subscriptions) or for the history of scores and segments: `transactions: 1095`; absent: for ever",
    )

    @field_validator("retention_days")
    @classmethod
    def _ageing(cls, value: dict[str, int]) -> dict[str, int]:
        for subject in value:
            if subject not in AGEING:
                raise ValueError(f"'{subject}' does not age; known are {', '.join(AGEING)}")
        return value


class ActionsConfig(Strict):
    """What is proposed and sent, and to whom never."""

    global_control_share: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="share of all customers whom no experiment reaches, for as long as they are customers: what "
        "everything together changes is measured against them; they are drawn once an experiment or an activation is "
        "declared",
    )
    activations: dict[Name, Activation] = Field({}, description="who is told where, by name")
    lookalikes: Lookalikes = Field(
        {}, description="lists of customers who are like those who joined a segment, by name"
    )
    offers: Offers = Field({}, description="offers that customers are chosen for, by name; each gets one at most")
    offer_budget_amount: float | None = Field(None, gt=0, description="what all offers may cost in all; none: no limit")
