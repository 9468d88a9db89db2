"""The `experiments` block of a source file: what is tried on whom, and how it will be read, declared before it begins.

The unit is always the customer. Who lands in which arm is `ml.experiments.assignment`'s to say; what came of it,
`ml.experiments.analysis`'s.
"""

from collections.abc import Container, Mapping
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from orchestration.intake.conditions import check_condition, known_of_customer
from orchestration.intake.known_keys import nearest
from orchestration.intake.strict import Strict, as_tuple

GLOBAL_CONTROL: Final = "global_control"
ALWAYS: Final = date.min
"""The first day of what has none."""
Measure = Literal[
    "conversion", "purchase_count", "net_amount", "response", "interaction", "interaction_count", "interaction_value",
    "attribute",
]  # fmt: skip
PROPORTIONS: Final = ("conversion", "response", "interaction")
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$")]


class Arm(Strict):
    """One arm of an experiment; a bare number is its share."""

    share: float | None = Field(None, gt=0, description="its part of the customers, relative to the sum of all arms")
    campaigns: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (), description="campaign_ids of campaign_contacts whose customers are in it, where `assigned_by` is data"
    )


class Metric(Strict):
    """One outcome per customer; a bare word is its measure."""

    measure: Measure = Field(
        description="conversion (bought at all), purchase_count, net_amount, response (responded_at of the arms' "
        "campaigns), interaction (had one of a kind), interaction_count, interaction_value, or a customer attribute"
    )
    name: Name | None = Field(None, description="name in the results; none: the measure, kind or attribute")
    kind: str | None = Field(None, description="kind of interaction")
    attribute: str | None = Field(None, description="customer attribute that holds the outcome as a number")

    @property
    def title(self) -> str:
        """The name in the results."""
        return self.name or self.kind or self.attribute or self.measure

    @model_validator(mode="after")
    def _complete(self) -> "Metric":
        if self.measure.startswith("interaction") != (self.kind is not None):
            raise ValueError(f"{self.measure}: `kind` says which interactions, and belongs to those alone")
        if (self.measure == "attribute") != (self.attribute is not None):
            raise ValueError(f"{self.measure}: `attribute` says which one, and belongs to that measure alone")
        return self


def _number_is_share(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: {"share": arm} if isinstance(arm, int | float | str) else arm or {} for name, arm in value.items()}


def _word_is_measure(value: object) -> object:
    items = as_tuple(value)
    listed = isinstance(items, list | tuple)
    return [{"measure": item} if isinstance(item, str) else item for item in items] if listed else items  # type: ignore[attr-defined]


class Experiment(Strict):
    """One experiment on customers."""

    purpose: str = Field("", description="what it is to find out, in words")
    assigned_by: Literal["keyed_hash", "data"] = Field(
        "keyed_hash", description="keyed_hash: we assign; data: campaign_contacts says who was assigned at random"
    )
    arms: Annotated[dict[Name, Arm], BeforeValidator(_number_is_share)] = Field(
        min_length=2, description="arms by name, with their shares: `{control: 1, offer: 1}`"
    )
    control: str = Field("control", description="the arm that others are compared with; rows that are is_control")
    eligible: str | None = Field(
        None, description="SQL condition on who may take part, as of `segments.rules`; none: all who allow marketing"
    )
    share: float = Field(1, gt=0, le=1, description="share of the eligible customers who take part")
    exclusive_group: Name | None = Field(
        None, description="experiments of one group that overlap in time share no customer; their shares add up"
    )
    starts_on: date | None = Field(None, description="first day on which customers are assigned")
    ends_on: date | None = Field(None, description="last day on which customers are assigned")
    window_days: int | None = Field(
        30,
        ge=1,
        le=3650,
        description="days of a customer's outcomes: from the day after they are assigned, or in data from the day of "
        "the contact on; none: up to the as-of date",
    )
    metrics: Annotated[tuple[Metric, ...], BeforeValidator(_word_is_measure)] = Field(
        (Metric(measure="conversion"), Metric(measure="purchase_count"), Metric(measure="net_amount")),
        min_length=1,
        description="outcomes that are compared: measures, or mappings with a measure",
    )
    covariate_days: int = Field(
        90, ge=0, le=3650, description="days before whose purchases or interactions CUPED takes out; 0: none"
    )
    covariate_attribute: str | None = Field(
        None, description="customer attribute known before, as a number, that CUPED takes out of every metric instead"
    )
    analysis: Literal["fixed_horizon", "sequential"] = Field(
        "fixed_horizon", description="fixed_horizon: read once, at the end; sequential: may be read and stopped any day"
    )
    planned_customers: int = Field(
        10_000,
        ge=100,
        description="customers of two arms at which the sequential interval is narrowest; it holds at any number",
    )
    correction: Literal["holm", "benjamini_hochberg"] = Field(
        "holm", description="how the p-values of all arms and metrics are corrected"
    )
    confidence: float = Field(0.95, ge=0.5, lt=1, description="of the intervals; the rest is the false-positive rate")

    @field_validator("metrics")
    @classmethod
    def _distinct(cls, value: tuple[Metric, ...]) -> tuple[Metric, ...]:
        titles = [metric.title for metric in value]
        for title in titles:
            if titles.count(title) > 1:
                raise ValueError(f"two metrics are called '{title}': give one a `name`")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Experiment":
        if self.control not in self.arms:
            raise ValueError(f"no arm is called '{self.control}': name the control arm in `control`")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError(f"ends_on {self.ends_on} is before starts_on {self.starts_on}")
        shares = [arm.share for arm in self.arms.values()]
        if any(shares) and None in shares:
            raise ValueError("arms: give a share to every arm, or to none")
        (self._of_data if self.assigned_by == "data" else self._of_hash)(shares)
        return self

    def _of_data(self, shares: list[float | None]) -> None:  # noqa: ARG002 - as the other
        if self.eligible or self.exclusive_group or self.share < 1:
            raise ValueError(
                "eligible, share and exclusive_group are of experiments that we assign: the data has theirs"
            )
        listed = [campaign for arm in self.arms.values() for campaign in arm.campaigns]
        for name, arm in self.arms.items():
            if not arm.campaigns and name != self.control:
                raise ValueError(f"arms.{name}: name its `campaigns`, since the data says who is in it")
        if len(listed) > len(set(listed)):
            raise ValueError("arms: a campaign is that of one arm; is_control says who of it is in the control arm")

    def _of_hash(self, shares: list[float | None]) -> None:
        if None in shares:
            raise ValueError("arms: each needs a share, such as {control: 1, offer: 1}")
        if self.starts_on is None:
            raise ValueError("starts_on is required where we assign")
        if self.analysis == "fixed_horizon" and (self.ends_on is None or self.window_days is None):
            raise ValueError("ends_on and window_days say when a fixed horizon is over; or set analysis: sequential")
        if any(arm.campaigns for arm in self.arms.values()):
            raise ValueError("arms: `campaigns` are of experiments with assigned_by: data")
        if any(metric.measure in ("response", "attribute") for metric in self.metrics):
            raise ValueError("metrics: response and attribute are known of experiments with assigned_by: data alone")

    def overlaps(self, other: "Experiment") -> bool:
        """Whether the days of both, outcomes included, have one in common; without an end it never ends."""
        first, second = sorted((self, other), key=lambda one: one.starts_on or date.min)
        window = first.window_days
        if first.ends_on is None or window is None:
            return True
        return (second.starts_on or date.min).toordinal() <= first.ends_on.toordinal() + window


Experiments = dict[Name, Experiment]


def slots(experiments: Mapping[str, Experiment]) -> dict[str, tuple[float, float]]:
    """Where in [0, 1) of the hash of its group each experiment takes its customers: those that overlap in time, apart.

    They are laid out in the order of the file, so that one added at its end moves none of those before.

    Raises:
        ValueError: the shares of experiments that overlap are more than everybody.
    """
    found: dict[str, tuple[float, float]] = {}
    for name, one in experiments.items():
        others = [
            found[other]
            for other in found
            if one.exclusive_group is not None
            and experiments[other].exclusive_group == one.exclusive_group
            and experiments[other].overlaps(one)
        ]
        starts = sorted({0.0, *(end for _, end in others)})
        free = [
            start
            for start in starts
            if all(start >= end or start + one.share <= begin + 1e-12 for begin, end in others)
        ]
        if not free or free[0] + one.share > 1 + 1e-9:
            raise ValueError(
                f"experiments.{name}: its share of {one.share:g} does not fit beside the others of exclusive group "
                f"{one.exclusive_group} that overlap in time: lower shares, or move its days"
            )
        found[name] = (free[0], free[0] + one.share)
    return found


def check(experiments: Mapping[str, Experiment], *, attributes: tuple[str, ...], entities: Container[str]) -> None:
    """Refuse what single experiments cannot see: names, conditions, attributes and shares that do not fit.

    Raises:
        ValueError: naming the experiment.
    """
    for name, one in experiments.items():
        if name == GLOBAL_CONTROL:
            raise ValueError(f"experiments.{name}: the name is taken; its share is actions.global_control_share")
        if one.eligible is not None:
            check_condition(f"experiments.{name}.eligible", one.eligible, known=known_of_customer(attributes))
        for attribute in (one.covariate_attribute, *(metric.attribute for metric in one.metrics)):
            if attribute is not None and attribute not in attributes:
                hint = nearest(attribute, attributes) if attributes else ""
                raise ValueError(f"experiments.{name}: '{attribute}' is no declared customer attribute{hint}")
        asked = {metric.title: _entity(metric) for metric in one.metrics}
        if one.assigned_by == "data":
            asked["assigned_by: data"] = "campaign_contacts"
        for what, entity in asked.items():
            if entity not in entities:
                raise ValueError(f"experiments.{name}: {what} needs entities.{entity}, which is not declared")
    slots(experiments)


def _entity(metric: Metric) -> str:
    """Where a metric is read from."""
    if metric.measure.startswith("interaction"):
        return "interactions"
    return {"response": "campaign_contacts", "attribute": "customers"}.get(metric.measure, "transactions")


def with_global_control(
    experiments: Mapping[str, Experiment], share: float, *, is_activated: bool
) -> dict[str, Experiment]:
    """All experiments with customers of ours, the global control first where there is anything to hold out from: an
    experiment, or customers who are told of elsewhere.
    """
    ours = {name: one for name, one in experiments.items() if one.assigned_by == "keyed_hash"}
    if not share or not (ours or is_activated):
        return ours
    held_out = Experiment(
        purpose="what everything together changes",
        arms={"control": Arm(share=share), "reached": Arm(share=1 - share)},
        starts_on=ALWAYS,
        window_days=90,
        analysis="sequential",
    )
    return {GLOBAL_CONTROL: held_out, **ours}
