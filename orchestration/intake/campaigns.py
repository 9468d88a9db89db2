"""What a source file may say of campaigns: what models need, segments to find look-alikes of, offers and their costs.

Which contacts chance decided is said in `experiments`, nowhere else.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from orchestration.intake.conditions import check_condition, known_of_customer
from orchestration.intake.experiments import PROPORTIONS, Experiments, Name
from orchestration.intake.known_keys import nearest
from orchestration.intake.strict import Strict, as_tuple


class CampaignsConfig(Strict):
    """Campaigns: when a response counts, what is known of customers before, and what contests need."""

    response_window_days: int = Field(
        60, ge=1, le=365, description="days from the contact on in which an answer is a response to it"
    )
    without_attributes: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (),
        description="customer attributes that no model of campaigns looks at: those that a contact may have changed, "
        "since attributes are known as they are now",
    )
    minimum_contacts: int = Field(500, ge=50, description="contacts that training and test of the response need")
    minimum_outcomes: int = Field(100, ge=10, description="contacts with and without a response that they need")
    minimum_arm_customers: int = Field(500, ge=50, description="customers contacted, and controls, that uplift needs")
    minimum_arm_outcomes: int = Field(50, ge=10, description="outcomes of either side that uplift needs")
    minimum_joined: int = Field(30, ge=10, description="customers who joined a segment that a look-alike list needs")


class Lookalike(Strict):
    """A list of customers who are like those who joined a segment."""

    strategy: str = Field(description="strategy of `segments`, or one of `segments.rules`")
    segment: str = Field(description="the segment of it, as in ml.customer_segments")
    size: int = Field(500, ge=11, le=1_000_000, description="customers on the list at most")
    horizon_days: int = Field(60, ge=1, le=730, description="days ahead in which they should join")


class Offer(Strict):
    """An offer: what it changes, what that is worth, what it costs, and to how many it may go."""

    experiment: str | None = Field(
        None, description="experiment that shows what the offer changes; its uplift is taken"
    )
    arm: str | None = Field(None, description="arm of the experiment that is the offer")
    metric: str | None = Field(None, description="metric of the experiment that is worth something; none: its first")
    assumed_effect: float | None = Field(
        None,
        gt=0,
        description="instead of an experiment: the share of customers whom the offer is believed to win; rows say that "
        "it is declared, and the profit has no interval",
    )
    value_amount: float | Literal["clv"] = Field(
        description="what one more of the outcome is worth: an amount, for a metric in money the margin of one unit of "
        "it (0.3); or `clv`, the customer's own expected amount"
    )
    margin_share: float = Field(1, gt=0, le=1, description="share of `clv` that is profit")
    risk: Literal["none", "churn"] = Field(
        "none", description="churn: only what the customer would be lost with counts, value x churn probability"
    )
    cost_amount: float = Field(ge=0, description="what the offer costs for each customer who gets it")
    cost_per_outcome_amount: float = Field(
        0, ge=0, description="what it costs beside for each who does it, by the outcome expected once contacted"
    )
    budget_amount: float | None = Field(None, gt=0, description="what it may cost in all; none: no limit")
    maximum_customers: int | None = Field(None, ge=1, description="customers who may get it; none: no limit")
    eligible: str | None = Field(
        None,
        description="SQL condition on who may get it, as of `segments.rules`; none: everybody who allows marketing",
    )

    @model_validator(mode="after")
    def _one_effect(self) -> "Offer":
        if (self.experiment is None) == (self.assumed_effect is None):
            raise ValueError("name the `experiment` that shows what it changes, or an `assumed_effect`: one of them")
        if (self.arm is None) != (self.experiment is None) or (self.metric is not None and self.experiment is None):
            raise ValueError("`arm` and `metric` are of the `experiment`: name its arm, and no arm without it")
        if self.assumed_effect is not None and self.cost_per_outcome_amount:
            raise ValueError("cost_per_outcome_amount needs an `experiment`, which says how many do it once contacted")
        return self


Lookalikes = dict[Name, Lookalike]
Offers = dict[Name, Offer]


def check(
    lookalikes: Mapping[str, Lookalike],
    offers: Mapping[str, Offer],
    *,
    strategies: tuple[str, ...],
    experiments: Experiments,
    attributes: tuple[str, ...],
) -> None:
    """Refuse names of strategies, experiments, arms, metrics and columns that are not there.

    Raises:
        ValueError: naming the look-alike list or the offer.
    """
    for name, lookalike in lookalikes.items():
        if lookalike.strategy not in strategies:
            hint = nearest(lookalike.strategy, strategies)
            raise ValueError(f"actions.lookalikes.{name}: '{lookalike.strategy}' is no strategy of segments{hint}")
    for name, offer in offers.items():
        if offer.eligible is not None:
            check_condition(f"actions.offers.{name}.eligible", offer.eligible, known=known_of_customer(attributes))
        if offer.experiment is not None:
            _check_effect(f"actions.offers.{name}", offer, experiments)


def _check_effect(field: str, offer: Offer, experiments: Experiments) -> None:
    experiment = experiments.get(offer.experiment or "")
    if experiment is None:
        raise ValueError(
            f"{field}: '{offer.experiment}' is no experiment{nearest(offer.experiment or '', experiments)}"
        )
    arms = [arm for arm in experiment.arms if arm != experiment.control]
    if offer.arm not in arms:
        raise ValueError(f"{field}: '{offer.arm}' is no arm of it{nearest(offer.arm or '', arms)}")
    metrics = {metric.title: metric.measure for metric in experiment.metrics}
    if offer.metric is not None and offer.metric not in metrics:
        raise ValueError(
            f"{field}: '{offer.metric}' is no metric of {offer.experiment}{nearest(offer.metric, metrics)}"
        )
    measure = metrics[offer.metric] if offer.metric else experiment.metrics[0].measure
    if offer.value_amount == "clv" and measure not in PROPORTIONS:
        raise ValueError(f"{field}: value_amount `clv` is that of a customer won or kept; {measure} is no yes or no")
