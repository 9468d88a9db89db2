"""Uplift as a run asks for it: which arms of which experiments, their customers and outcomes, and what came of each.

Only experiments that are declared, and over, are asked about: that chance decided is the source file's word.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from ml.campaigns.contacts import CONTACTS
from ml.schemas import Schema, conform
from ml.small_groups import told
from orchestration.intake.experiments import GLOBAL_CONTROL, PROPORTIONS, Experiment, Metric
from orchestration.models import contacts, training
from orchestration.models.evidence import Evidence
from orchestration.models.experiment_outcomes import outcomes
from orchestration.models.experiments import declared, design, progress
from orchestration.runs.run import Run
from orchestration.storage.model_files import ModelCard
from orchestration.warehouse import literal

if TYPE_CHECKING:  # scikit-learn is loaded by who trains
    from ml.campaigns.uplift_training import Question

UNITS: Final[Schema] = {
    "customer_id": pl.String,
    "arm": pl.String,
    "first_date": pl.Date,
    "outcome": pl.Float64,
}
LONG_AGO: Final = "1900-01-01"
"""The day of a contact that has none: nothing before it is known, so that nothing after it can be taken for it."""


@dataclass(frozen=True)
class Target:
    """One arm of an experiment against its control, by one metric."""

    experiment_id: str
    experiment: Experiment
    arm: str
    number: int  # of the metric

    @property
    def metric(self) -> Metric:
        """The metric."""
        return self.experiment.metrics[self.number]

    @property
    def model(self) -> str:
        """The name of its model."""
        return f"uplift_{self.experiment_id}_{self.arm}_{self.metric.title}"

    @property
    def named(self) -> dict[str, str]:
        """The columns that name it."""
        return {"experiment_id": self.experiment_id, "arm": self.arm, "metric": self.metric.title}


def targets(run: Run) -> list[Target]:
    """Every arm by the first metric of its experiment, and by those that offers rest on."""
    found = []
    for name, one in declared(run.source).items():
        if name == GLOBAL_CONTROL:
            continue
        wanted = {one.metrics[0].title}
        wanted |= {
            offer.metric for offer in run.source.actions.offers.values() if offer.experiment == name and offer.metric
        }
        found += [
            Target(name, one, arm, number)
            for arm in one.arms
            if arm != one.control
            for number, metric in enumerate(one.metrics)
            if metric.title in wanted
        ]
    return found


def judged(run: Run, target: Target) -> tuple[dict[str, Any], ModelCard | None]:
    """A row of UPLIFT_DESIGNS, and the training that serves if uplift is learned; it is made anew when due."""
    row: dict[str, Any] = {"as_of_date": run.as_of, **target.named, "design": "randomised"}
    assigned = run.warehouse.read(
        f"from ml.experiment_assignments where experiment_id = {literal(target.experiment_id)}"
    )
    state = progress(target.experiment, assigned, as_of=run.as_of)
    if state.status != "final":
        return row | {"status": "refused", "reason": f"it is {state.status.replace('_', ' ')}: {state.reason}"}, None
    card = training.serving_card(run, question(run, target), as_of=run.as_of)
    if card is None or training.is_due(run, card, as_of=run.as_of):
        found = units(run, target)
        from ml.campaigns.uplift_training import check_design

        checked = check_design(found, _asked(run, target, None), shares=_shares(target))
        said = {name: value for name, value in vars(checked).items() if name != "refusal"}
        said |= {name: told(said[name]) for name in ("contacted_count", "control_count")}
        if checked.refusal is not None:
            return row | {"status": "refused", "reason": checked.refusal, **said}, None
        card = _trained(run, target, found, said, champion=card)
    return row | {"status": "modelled", "reason": card.reason, **card.quality["design"]}, card


def units(run: Run, target: Target) -> pl.DataFrame:
    """UNITS of both arms with what was known before, as `ml.campaigns.uplift_training` takes them."""
    one, name = target.experiment, literal(target.experiment_id)
    outcome = f"select customer_id, arm, cast(value_{target.number} as double) as outcome"
    both = f"arm in ({literal(target.arm)}, {literal(one.control)})"
    relation = f"""(
        select found.customer_id, found.arm, assigned.first_date, found.outcome
        from ({outcome} from {outcomes(target.experiment_id, one, as_of=run.as_of)} as known where {both}) as found
        inner join ml.experiment_assignments as assigned on found.customer_id = assigned.customer_id
        where assigned.experiment_id = {name}
    )"""
    frames = contacts.map_parts(
        run,
        partial(_known, arm=target.arm),
        units=(relation, UNITS),
        among=f"select customer_id from ml.experiment_assignments where {both} and experiment_id = {name}",
        at_most=run.source.models.maximum_customers,
    )
    return pl.concat(frames, how="diagonal").sort("customer_id")


def question(run: Run, target: Target) -> training.Question:
    """What is asked of a model: one with another answer to any of it does not serve."""
    config, one = run.source.models.campaigns, target.experiment
    asked = {
        **config.model_dump(
            mode="json", include={"minimum_arm_customers", "minimum_arm_outcomes", "without_attributes"}
        ),
        "experiment": one.model_dump(mode="json"),
        **target.named,
    }
    return training.Question(
        model=target.model,
        horizon_days=one.window_days or 0,
        config=asked | training.shared_config(run),
        minimum_history_days=0,
        maximum_training_cutoffs=0,
        maximum_customers=run.source.models.maximum_customers,
    )


def scored(
    parts: contacts.Parts, *, model: Any, bands: pl.DataFrame, asked_on: Any, named: dict[str, Any]
) -> pl.DataFrame:
    """The uplift of every customer of a bucket, were they contacted on a day."""
    from ml.campaigns.bands import band_of
    from ml.campaigns.contacts import thought_of

    asked = thought_of(parts["customers"]["customer_id"], [None], on=asked_on)
    known = contacts.known(parts, asked)
    uplift = model.predict(known)
    return known.select("customer_id").with_columns(
        uplift=pl.Series(uplift, dtype=pl.Float64),
        band=pl.Series(band_of(uplift, bands), dtype=pl.Int64),
        expected_outcome=pl.Series(model.response.predict(known), dtype=pl.Float64),
        **{name: pl.lit(value) for name, value in named.items()},
    )


def _known(parts: contacts.Parts, *, arm: str) -> pl.DataFrame:
    rows = parts["units"]
    asked = rows.select(
        "customer_id",
        campaign_id=pl.lit(arm),
        campaign_kind=pl.lit(None, pl.String),
        contact_date=pl.col("first_date").fill_null(pl.lit(LONG_AGO).str.to_date()),
        response_date=pl.lit(None, pl.Date),
    )
    sides = rows.select("customer_id", is_treated=pl.col("arm") == arm, outcome="outcome")
    return contacts.known(parts, conform(asked, CONTACTS)).join(sides, on="customer_id", maintain_order="left")


def _asked(run: Run, target: Target, champion: str | None) -> "Question":
    from ml.campaigns.uplift_training import Question

    config = run.source.models.campaigns
    return Question(
        model=target.model,
        as_of=run.as_of,
        window_days=target.experiment.window_days or 0,
        is_truth=target.metric.measure in PROPORTIONS,
        seed=run.source.models.seed,
        minimum_customers=config.minimum_arm_customers,
        minimum_outcomes=config.minimum_arm_outcomes,
        champion=champion,
    )


def _shares(target: Target) -> tuple[float, float] | None:
    arms = {arm.name: arm.share for arm in design(target.experiment_id, target.experiment).arms}
    shares = arms[target.arm], arms[target.experiment.control]
    return None if None in shares else shares  # type: ignore[return-value] # neither is none


def _trained(
    run: Run, target: Target, found: pl.DataFrame, said: dict[str, Any], *, champion: ModelCard | None
) -> ModelCard:
    from ml.campaigns.uplift_training import train

    serving = champion.candidate if champion is not None and champion.served_by == "champion" else None
    trained = train(found, _asked(run, target, serving))
    evidence = Evidence(
        counts={"customers": found.height},
        quality={"design": said, "bands": trained.bands.to_dicts()},
    )
    return training.keep(run, question(run, target), trained, as_of=run.as_of, evidence=evidence)


def served(run: Run) -> Iterator[tuple[Target, ModelCard]]:
    """Every target whose uplift is learned, with the training that serves: those of ml.uplift_designs."""
    modelled = run.warehouse.read("select experiment_id, arm, metric from ml.uplift_designs where status = 'modelled'")
    listed = set(modelled.rows())
    for target in targets(run):
        card = training.serving_card(run, question(run, target), as_of=run.as_of)
        if tuple(target.named.values()) in listed and card is not None:
            yield target, card
