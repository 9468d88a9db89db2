"""Experiments as a run needs them: who is in which arm up to a day, how far each is, and what is kept of them.

What comes of an arm is read by `experiment_outcomes`; how arms are drawn and compared is `ml.experiments`'s.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import polars as pl

from ml.experiment_schemas import EXPERIMENT_ASSIGNMENTS
from ml.experiments.analysis import Progress
from ml.experiments.assignment import assign, taking_part
from ml.experiments.design import Arm, Design, Metric
from ml.schemas import conform, empty
from orchestration.intake.experiments import (
    ALWAYS,
    GLOBAL_CONTROL,
    PROPORTIONS,
    Experiment,
    slots,
    with_global_control,
)
from orchestration.intake.source_file import Source
from orchestration.models.segments import inputs
from orchestration.privacy import consent
from orchestration.privacy.keys import Key, privacy_key
from orchestration.runs.run import Run
from orchestration.storage.history import History
from orchestration.warehouse import literal

SUBJECT: Final = "experiment_assignments"
TODAY: Final = """
    from ml.experiment_assignments where assigned_by = 'keyed_hash'
    and assigned_date = (select as_of_date from marts.dim_as_of) order by experiment_id, customer_id
"""
"""Whom we assigned on the as-of date."""


def declared(source: Source) -> dict[str, Experiment]:
    """Every experiment of a source by its name, the global control among them."""
    return {**assigned_by_us(source), **source.experiments}


def assigned_by_us(source: Source) -> dict[str, Experiment]:
    """The experiments whose customers we draw, the global control first."""
    actions = source.actions
    return with_global_control(source.experiments, actions.global_control_share, is_activated=bool(actions.activations))


def design(name: str, one: Experiment) -> Design:
    """An experiment as the analysis knows it."""
    total = sum(arm.share or 0 for arm in one.arms.values())
    arms = (
        Arm(arm, declared.share / total if declared.share else None, is_control=arm == one.control)
        for arm, declared in one.arms.items()
    )
    return Design(
        experiment_id=name,
        arms=tuple(arms),
        metrics=tuple(Metric(metric.title, metric.measure in PROPORTIONS) for metric in one.metrics),
        assigned_by=one.assigned_by,
        purpose=one.purpose,
        starts_on=None if one.starts_on == ALWAYS else one.starts_on,
        ends_on=one.ends_on,
        analysis=one.analysis,
        planned_customers=one.planned_customers,
        correction=one.correction,
        confidence=one.confidence,
    )


def assignments(run: Run) -> pl.DataFrame:
    """EXPERIMENT_ASSIGNMENTS up to the as-of date: as kept, as drawn today, and as the data says.

    A day before the published one assigns nobody: whoever was in an experiment by then is on record.
    """
    known = kept(run)
    for name, one in assigned_by_us(run.source).items():
        is_open = one.starts_on is None or one.starts_on <= run.as_of <= (one.ends_on or date.max)
        if is_open and not run.is_scratch:
            known = pl.concat([known, _entering(run, name, one, known)])
    data = [_of_data(run, name, one) for name, one in run.source.experiments.items() if one.assigned_by == "data"]
    everybody = pl.concat([known.filter(pl.col("experiment_id").is_in(list(declared(run.source)))), *data])
    return consent.of_permitted(run, everybody, purpose="analytics").sort("experiment_id", "customer_id")


def kept(run: Run) -> pl.DataFrame:
    """Whom we assigned up to the as-of date, of every experiment that ever was."""
    history = History(run.settings.history_dir, source=run.source.name)
    days = [history.read(SUBJECT, day) for day in history.days(SUBJECT) if day <= run.as_of]
    return pl.concat([empty(EXPERIMENT_ASSIGNMENTS), *days]).unique(
        ["experiment_id", "customer_id"], keep="first", maintain_order=True
    )


def _entering(run: Run, name: str, one: Experiment, known: pl.DataFrame) -> pl.DataFrame:
    """Who takes part from today on: eligible, drawn, in none of the experiments that it shares nobody with."""
    taken = known.filter(
        pl.col("experiment_id").is_in([name, *_apart(run.source, name, one)])
        | ((pl.col("experiment_id") == GLOBAL_CONTROL) & (pl.col("arm") == "control"))
    )["customer_id"]
    new = sorted({*_eligible(run, one)} - {*taken.to_list()})
    key, source = privacy_key(run.settings), run.source.name
    slot = slots(run.source.experiments).get(name, (0.0, 1.0))
    drawn = taking_part(_hashes(key, ("layer", source, one.exclusive_group or name), new), slot=slot)
    found = assign(_hashes(key, ("experiment", source, name), drawn), design(name, one).arms)
    window = one.window_days
    return conform(
        found.with_columns(
            experiment_id=pl.lit(name),
            assigned_by=pl.lit(one.assigned_by),
            assigned_date=run.as_of,
            first_date=run.as_of + timedelta(days=1),
            last_date=pl.lit(run.as_of + timedelta(days=window) if window else None),
        ),
        EXPERIMENT_ASSIGNMENTS,
    )


def _hashes(key: Key, scope: tuple[str, ...], customers: list[str]) -> dict[str, str]:
    return key.hashes(("experiments", *scope), customers)


def _apart(source: Source, name: str, one: Experiment) -> Iterator[str]:
    """The experiments of its exclusive group that overlap in time."""
    for other, declared_other in source.experiments.items():
        is_of_group = one.exclusive_group is not None and declared_other.exclusive_group == one.exclusive_group
        if other != name and is_of_group and one.overlaps(declared_other):
            yield other


def _eligible(run: Run, one: Experiment) -> Iterator[str]:
    condition = one.eligible

    def holds(customers: pl.DataFrame) -> pl.DataFrame:
        found = customers if condition is None else customers.filter(pl.sql_expr(condition))
        return found.select("customer_id")

    frames = consent.map_customers(
        run,
        "marts.dim_customers" if condition is None else inputs(run),
        holds,
        purpose="marketing",
        columns=("customer_id",) if condition is None else ("*",),
        where=consent.allowed("analytics"),
    )
    for frame in frames:
        yield from frame["customer_id"]


def _of_data(run: Run, name: str, one: Experiment) -> pl.DataFrame:
    """Whom the data says was assigned: customers in one arm alone; a contact without a day is on the middle one of the
    others, else on the campaign's first or the experiment's.
    """
    arms = [(arm, ", ".join(literal(one) for one in declared.campaigns)) for arm, declared in one.arms.items()]
    listed = ", ".join(campaigns for _, campaigns in arms if campaigns)
    cases = " ".join(f"when campaign_id in ({known}) then {literal(arm)}" for arm, known in arms if known)
    start, end = one.starts_on or date.min, one.ends_on or date.max
    found = run.warehouse.read(f"""
        with contacts as (
            select
                customer_id,
                case when is_control then {literal(one.control)} {cases} end as arm,
                cast(coalesce(
                    contacted_at,
                    quantile_disc(contacted_at, 0.5) over (),
                    (select started_at from marts.dim_campaigns where campaign_id = contacts.campaign_id),
                    {f"timestamp '{one.starts_on}'" if one.starts_on else "null"}
                ) as date) as contact_date
            from marts.fct_campaign_contacts as contacts
            where campaign_id in ({listed}) and {consent.allowed("analytics")}
        )
        select customer_id, min(arm) as arm, min(contact_date) as first_date
        from contacts
        where coalesce(contact_date between date '{start}' and date '{end}', true)
        group by customer_id
        having count(distinct arm) = 1
        order by customer_id
    """)
    last = pl.col("first_date") + pl.duration(days=one.window_days - 1) if one.window_days else pl.lit(None)
    return conform(
        found.with_columns(
            experiment_id=pl.lit(name), assigned_by=pl.lit("data"), assigned_date="first_date", last_date=last
        ),
        EXPERIMENT_ASSIGNMENTS,
    )


def progress(one: Experiment, assigned: pl.DataFrame, *, as_of: date) -> Progress:
    """How far an experiment is, from its EXPERIMENT_ASSIGNMENTS."""
    counts = dict(assigned.group_by("arm").len().iter_rows())
    if one.starts_on is not None and as_of < one.starts_on:
        return Progress("not_started", f"It starts on {one.starts_on}.", counts)
    if assigned.is_empty():
        campaigns = ", ".join(campaign for arm in one.arms.values() for campaign in arm.campaigns)
        who = f"campaign_contacts has nobody in one arm of it alone: {campaigns}" if campaigns else "nobody is eligible"
        return Progress("no_data", f"{who[0].upper()}{who[1:]}.", counts)
    if one.assigned_by == "keyed_hash" and (one.ends_on is None or one.window_days is None):
        return Progress("running", "It has no end.", counts)
    ends = [day for day in (assigned["last_date"].max(), one.ends_on) if isinstance(day, date)]
    if one.assigned_by == "keyed_hash" and one.ends_on is not None and as_of < one.ends_on:  # others may still enter
        ends.append(one.ends_on + timedelta(days=one.window_days or 0))
    if ends and max(ends) > as_of:
        return Progress("running", f"Its last outcomes are known by {max(ends)}.", counts)
    return Progress("final", None, counts)
