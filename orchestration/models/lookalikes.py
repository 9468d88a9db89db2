"""Look-alike lists as a run asks for them: who was in a segment on past days, and who came to be in it.

A past day is divided by the definition in force now, which says what the segment is; what the models would have said
then is what a purchase model of the histories until then says.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from ml.backtest import build_snapshots
from ml.schemas import LABELS
from orchestration.intake.campaigns import Lookalike
from orchestration.models import contacts, segments, training
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.model_files import ModelCard
from orchestration.warehouse import quoted

ALL_BUYERS: Final = "marts.fct_transactions"


def question(run: Run, name: str, one: Lookalike) -> training.Question:
    """What is asked of a list's model."""
    config = run.source.models.campaigns
    return training.Question(
        model=f"lookalike_{name}",
        horizon_days=one.horizon_days,
        config={
            **one.model_dump(mode="json"),
            **config.model_dump(mode="json", include={"minimum_joined", "without_attributes"}),
            **training.shared_config(run),
        },
        minimum_history_days=run.source.models.churn.minimum_history_days,
        maximum_training_cutoffs=0,
        maximum_customers=run.source.models.maximum_customers,
    )


def lack(run: Run, one: Lookalike) -> str:
    """Why there is no list, in words; nothing where there is one."""
    record = segments.on_record(run, segments.newest(run, as_of=run.as_of))
    if record is None or one.strategy not in record.published:
        return f"the strategy {one.strategy} has no segments: ml.segment_strategies says why"
    if one.segment not in run.warehouse.read(_segments_of(one))["segment"].to_list():
        known = record.definitions.filter(pl.col("strategy") == one.strategy)
        return f"nobody is in the segment {one.segment} of {one.strategy}" + (
            "" if known.height else ", which is unknown"
        )
    return ""


def _segments_of(one: Lookalike) -> str:
    return f"select distinct segment from ml.customer_segments where strategy = '{one.strategy}' order by segment"


def train(run: Run, name: str, one: Lookalike, *, champion: str | None) -> ModelCard:
    """Hold the contest on the two days one and two horizons ago, and keep who serves."""
    from ml.campaigns.lookalike_training import Question
    from ml.campaigns.lookalike_training import train as contest
    from orchestration.models.evidence import Evidence

    learned, tested = _past(run, one)
    asked = Question(
        model=f"lookalike_{name}",
        as_of=run.as_of,
        horizon_days=one.horizon_days,
        size=one.size,
        seed=run.source.models.seed,
        minimum_outcomes=run.source.models.campaigns.minimum_joined,
        champion=champion,
    )
    trained = contest(learned, tested, asked)
    evidence = Evidence(counts={"customers": tested.height, "tested_customers": trained.tested.height})
    return training.keep(run, question(run, name, one), trained, as_of=run.as_of, evidence=evidence)


def _past(run: Run, one: Lookalike) -> tuple[pl.DataFrame | None, pl.DataFrame]:
    """SNAPSHOTs of the days two and one horizons ago; none of the first where history does not reach back."""
    days = [run.as_of - timedelta(days=one.horizon_days * back) for back in (2, 1, 0)]
    frames = consent.map_customers(
        run,
        ALL_BUYERS,
        lambda bucket: build_snapshots(bucket, cutoffs=days, horizon_days=one.horizon_days),
        purpose="profiling",
        where=consent.allowed("marketing"),
        at_most=run.source.models.maximum_customers,
    )
    snapshots = pl.concat(frames).sort("as_of_date", "customer_id")
    each = [snapshots.filter(pl.col("as_of_date") == day) for day in days]
    members = [_members(run, one, snapshot, fitted_on=each[1]) for snapshot in each]
    attributes = _attributes(run)
    first = snapshots["first_purchase_date"].min()
    reach = (days[0] - first).days if isinstance(first, date) else -1
    made = [
        snapshot.drop(*LABELS)
        .with_columns(
            is_member=pl.col("customer_id").is_in(now.implode()),
            has_joined=pl.col("customer_id").is_in(later.implode()),
        )
        .join(attributes, on="customer_id", how="left", maintain_order="left")
        for snapshot, now, later in zip(each[:2], members[:2], members[1:], strict=True)
    ]
    return (made[0] if reach >= run.source.models.churn.minimum_history_days else None), made[1]


def _members(run: Run, one: Lookalike, snapshot: pl.DataFrame, *, fitted_on: pl.DataFrame) -> pl.Series:
    """Who was in the segment on the day of a snapshot."""
    from ml.segment_schemas import PROFILE
    from ml.segmentation.comparison import as_inputs

    record = segments.on_record(run, segments.newest(run, as_of=run.as_of))
    assert record is not None, "a list lacks nothing"  # noqa: S101 - `lack` was asked
    (strategy,) = (found for found in segments.configured(run) if found.name == one.strategy)
    listed = [name for name in dict.fromkeys((*PROFILE, *run.source.attributes)) if name not in snapshot.columns]
    columns = ", ".join(f"cast({quoted(name)} as varchar) as {quoted(name)}" for name in listed)
    profiles = run.warehouse.read(f"select customer_id, {columns} from marts.dim_customers")
    inputs = as_inputs(
        snapshot.join(profiles, on="customer_id", how="left", maintain_order="left"),
        horizon_days=run.source.models.churn.horizon_days,
        active_window_days=run.source.models.churn.active_window_days,
        fitted_on=fitted_on,
    )
    found = strategy.assign(inputs, record.definitions)
    return found.filter(pl.col("segment") == one.segment)["customer_id"]


def _attributes(run: Run) -> pl.DataFrame:
    names = contacts.attributes(run, without=contacts.outcome_attributes(run.source.experiments))
    listed = ", ".join(f"cast({quoted(name)} as varchar) as {quoted(name)}" for name in ("customer_id", *names))
    return run.warehouse.read(f"select {listed} from marts.dim_customers")


def candidates(run: Run, one: Lookalike, model: Any) -> Iterator[pl.DataFrame]:
    """Who is not in the segment today, by how likely they are to join it: customer_id and joining_probability."""
    names = contacts.attributes(run, without=contacts.outcome_attributes(run.source.experiments))
    columns = ", ".join(
        f"cast(customers.{quoted(name)} as varchar) as {quoted(name)}" for name in names if name != "customer_id"
    )
    relation = f"""(
        select features.*{", " if columns else ""}{columns}, members.customer_id is not null as is_member
        from ml.customer_features as features
        left join marts.dim_customers as customers on features.customer_id = customers.customer_id
        left join ml.customer_segments as members
            on features.customer_id = members.customer_id
            and members.strategy = '{one.strategy}' and members.segment = '{one.segment}'
    )"""

    def found(bucket: pl.DataFrame) -> pl.DataFrame:
        others = bucket.filter(~pl.col("is_member"))
        return others.select("customer_id", joining_probability=pl.Series(model.predict(others), dtype=pl.Float64))

    return consent.map_customers(run, relation, found, purpose="profiling", where=consent.allowed("marketing"))
