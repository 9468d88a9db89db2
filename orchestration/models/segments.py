"""Segments as a run needs them: what strategies look at, whether a fit is due, and what is on record of fits.

How customers are divided is `ml.segmentation`'s, which is imported where it is needed: it takes scikit-learn along.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from ml.backtest import build_snapshots
from ml.schemas import CUSTOMER_FEATURES, empty
from ml.segment_schemas import (
    PROFILE,
    SEGMENT_CHANGES,
    SEGMENT_DEFINITIONS,
    SEGMENT_EVALUATIONS,
    SEGMENT_INPUTS,
    SEGMENT_STRATEGIES,
)
from ml.segmentation.definitions import Background, Withheld
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.storage.history import History
from orchestration.warehouse import quoted

if TYPE_CHECKING:
    from ml.segmentation.comparison import Holdout
    from ml.segmentation.strategies import Strategy

RECIPE: Final = 1  # raised when measures or strategies change: what was fitted by an older one serves no longer
SUBJECTS: Final = ("segment_definitions", "segment_strategies", "segment_evaluations")
PUBLISHED: Final = "published"


CHANGES: Final = f"""
    select {", ".join(SEGMENT_CHANGES)} from ml.customer_segments where change <> 'none' order by customer_id, strategy
"""
"""Today's entries into another segment."""


@dataclass(frozen=True)
class Record:
    """One fit of all strategies: what is remembered, the verdict on each, and how they compare on past days."""

    definitions: pl.DataFrame
    strategies: pl.DataFrame
    evaluations: pl.DataFrame

    @property
    def published(self) -> list[str]:
        """The strategies that have segments."""
        return self.strategies.filter(pl.col("status") == PUBLISHED)["strategy"].to_list()

    def version(self, strategy: str) -> str:
        """The version of one strategy."""
        found: str = self.strategies.filter(pl.col("strategy") == strategy)["model_version"].item()
        return found


def inputs(run: Run) -> str:
    """The relation of SEGMENT_INPUTS and declared attributes, one row per buyer who allows profiling."""
    attributes = [name for name in run.source.attributes if name not in SEGMENT_INPUTS]
    profile = [f"cast(customers.{quoted(name)} as varchar) as {quoted(name)}" for name in (*PROFILE, *attributes)]
    features = [f"features.{name}" for name in CUSTOMER_FEATURES]
    return f"""(
        select {", ".join([*features, "churn.churn_probability", "clv.expected_amount", *profile])}
        from ml.customer_features as features
        left join marts.dim_customers as customers on features.customer_id = customers.customer_id
        left join ml.churn_scores as churn on features.customer_id = churn.customer_id
        left join ml.clv_predictions as clv
            on features.customer_id = clv.customer_id
            and clv.horizon_days = (select min(horizon_days) from ml.clv_predictions)
        where {consent.allowed("profiling", customer="features.customer_id")}
    )"""


def configured(run: Run) -> "list[Strategy]":
    """The strategies of the source file."""
    from ml.segmentation.behavioural import Limits
    from ml.segmentation.strategies import Configuration, strategies

    segments = run.source.segments
    return strategies(
        Configuration(
            strategies=segments.strategies,
            rfm_quantiles=segments.rfm.quantiles,
            rfm_fixed={str(measure): points for measure, points in segments.rfm.cut_points.items()},
            value_quantiles=segments.value.quantiles,
            at_risk=run.source.models.churn.risk_bands[1],
            limits=Limits(
                most_segments=segments.behavioural.maximum_segments,
                stable_rand=segments.behavioural.minimum_stability,
                customer_share=segments.minimum_customer_share,
                revenue_share=segments.minimum_revenue_share,
            ),
            own_rules=segments.rules,
        )
    )


def on_record(run: Run, day: date | None) -> Record | None:
    """What was fitted on a day; none where nothing was."""
    history = _history(run)
    if day is None or day not in history.days(SUBJECTS[-1]):
        return None
    return Record(*(history.read(subject, day) for subject in SUBJECTS))


def newest(run: Run, *, as_of: date) -> date | None:
    """The day of the newest fit up to a day."""
    return _history(run).before(SUBJECTS[-1], as_of, is_same_day_included=True)


def on_record_of(run: Run, version: str) -> Record | None:
    """The fit that made a version, which ends with its day."""
    return on_record(run, date.fromisoformat(version[-10:]))


def in_force(run: Run, *, as_of: date) -> Record | None:
    """The newest fit up to a day, unless a new one is asked for, due, or the source file says otherwise now."""
    day = newest(run, as_of=as_of)
    found = on_record(run, day)
    if found is None or day is None or run.retrain:
        return None
    if run.retrain is None and (as_of - day).days >= run.source.models.retrain_after_days:
        return None
    return found if found.strategies["config"].unique().to_list() == [_config(run)] else None


def fit(run: Run, *, as_of: date) -> Record:
    """Fit every strategy, compare them on past days, and keep all of it."""
    from ml.segmentation.comparison import as_inputs, compare

    customers = run.warehouse.read(f"from {inputs(run)} order by customer_id")
    holdout = _holdout(run, as_of=as_of)
    past = None
    if holdout is not None:
        windows = {"horizon_days": holdout.horizon_days, "active_window_days": holdout.active_window_days}
        past = as_inputs(holdout.second, fitted_on=holdout.second, **windows)
    # not the day's own record: a day fitted twice is the same
    before = on_record(run, _history(run).before(SUBJECTS[-1], as_of))
    seed = run.source.models.seed
    background = Background(past, before.definitions if before else None, seed)
    definitions, verdicts = [empty(SEGMENT_DEFINITIONS)], []
    asked = configured(run)
    for strategy in asked:
        verdict: dict[str, Any] = dict.fromkeys(SEGMENT_STRATEGIES) | {
            "as_of_date": as_of,
            "strategy": strategy.name,
            "status": PUBLISHED,
            "model_version": f"{strategy.name}-{as_of.isoformat()}",
            "config": _config(run),
        }
        try:
            if customers.is_empty():
                raise Withheld("not_carried", "nobody has bought anything")
            definition = strategy.fit(customers, background)
        except Withheld as why:
            verdicts.append(verdict | {"status": why.status, "reason": f"{why}."})
            continue
        definitions.append(definition)
        held = strategy.stability(customers, definition, seed=seed)
        count = strategy.assign(customers, definition)["segment"].n_unique()
        verdicts.append(verdict | {"segment_count": count, "stability": held.rand})
    versions = {row["strategy"]: row["model_version"] for row in verdicts}
    evaluations = empty(SEGMENT_EVALUATIONS)
    if holdout is not None:
        evaluations = compare(asked, versions, holdout, seed=seed)
    record = Record(pl.concat(definitions), pl.DataFrame(verdicts, schema=SEGMENT_STRATEGIES), evaluations)
    for subject, frame in zip(SUBJECTS, (record.definitions, record.strategies, record.evaluations), strict=True):
        _history(run).keep(subject, as_of, frame)
    return record


def _holdout(run: Run, *, as_of: date) -> "Holdout | None":
    """Snapshots one and two horizons ago with attributes as they are now; none where history is too short."""
    from ml.segmentation.comparison import Holdout

    horizon = run.source.segments.horizon_days
    days = [as_of - timedelta(days=horizon * number) for number in (2, 1)]
    first = run.warehouse.read(
        "select min(transaction_date) from marts.fct_transactions where is_purchase and customer_id is not null"
    ).item()
    if first is None or (days[0] - first).days < run.source.models.churn.minimum_history_days:
        return None
    frames = consent.map_transactions(
        run,
        lambda bucket: build_snapshots(bucket, cutoffs=days, horizon_days=horizon),
        purpose="profiling",
        at_most=run.source.models.maximum_customers,
    )
    attributes = [name for name in (*PROFILE, *run.source.attributes) if name not in CUSTOMER_FEATURES]
    listed = ", ".join(f"cast({quoted(name)} as varchar) as {quoted(name)}" for name in dict.fromkeys(attributes))
    profiles = run.warehouse.read(f"select customer_id, {listed} from marts.dim_customers")
    snapshots = pl.concat(frames).join(profiles, on="customer_id", how="left").sort("as_of_date", "customer_id")
    earlier, later = (snapshots.filter(pl.col("as_of_date") == day) for day in days)
    contacts = run.warehouse.read(
        "select contacts.customer_id, max(contacts.responded_at) is not null as has_responded "
        "from marts.fct_campaign_contacts as contacts "
        "left join marts.dim_campaigns as campaigns on contacts.campaign_id = campaigns.campaign_id "
        f"where cast(coalesce(contacts.contacted_at, campaigns.started_at) as date) > date '{days[1]}' "
        "and not coalesce(contacts.is_control, false) and contacts.customer_id is not null "
        "group by contacts.customer_id"
    )
    return Holdout(
        earlier,
        later,
        horizon,
        run.source.models.churn.active_window_days,
        responded=contacts.filter("has_responded")["customer_id"] if contacts.height else None,
        contacted=contacts["customer_id"] if contacts.height else None,
    )


def _config(run: Run) -> str:
    models = run.source.models
    more = {"seed": models.seed, "at_risk": models.churn.risk_bands[1], "recipe": RECIPE}
    return json.dumps(run.source.segments.model_dump(mode="json") | more, sort_keys=True)


def _history(run: Run) -> History:
    return History(run.settings.history_dir, source=run.source.name)
