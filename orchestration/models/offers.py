"""Offers as a run plans them: who may get which, what it changes and is worth, and what the plan adds up to.

Nothing is claimed without an effect: an offer whose experiment shows none that may be learned is refused.
"""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from ml.campaign_schemas import OFFER_PLANS, OFFERS
from ml.campaigns.offers import CANDIDATES, CHOSEN, Limits, choose, selection, total
from ml.schemas import conform, empty
from ml.small_groups import SMALLEST_GROUP, told
from orchestration.activation.audience import addressable
from orchestration.intake.campaigns import Offer
from orchestration.models import segments
from orchestration.privacy import consent
from orchestration.runs.run import Run
from orchestration.warehouse import literal

DECLARED: Final = "declared"
UPLIFT: Final = "uplift"


@dataclass(frozen=True)
class Plan:
    """OFFERS to be made, and OFFER_PLANS: what each offer adds up to, or why it is refused."""

    offers: pl.DataFrame
    plans: pl.DataFrame


def plan(run: Run) -> Plan:
    """Every declared offer at once, since they share a budget and each customer gets one at most."""
    declared = run.source.actions.offers
    refused = {name: reason for name, one in declared.items() if (reason := _refusal(run, one))}
    planned = {name: one for name, one in declared.items() if name not in refused}
    candidates = pl.concat([empty(CANDIDATES), *(_candidates(run, name, one) for name, one in planned.items())])
    limits = {name: Limits(one.budget_amount, one.maximum_customers) for name, one in planned.items()}
    budget = run.source.actions.offer_budget_amount
    chosen = choose(candidates, limits, budget_amount=budget) if planned else empty(CHOSEN)
    how = selection(candidates, limits, budget_amount=budget)
    rows = [
        _shared(run, name, one)
        | (
            {"status": "refused", "reason": refused[name]}
            if name in refused
            else _added_up(run, one, candidates.filter(offer=name), chosen.filter(offer=name)) | {"selection": how}
        )
        for name, one in declared.items()
    ]
    told: dict[str, dict[str, str | None]] = {
        "effect_basis": {name: _basis(one) for name, one in planned.items()},
        "model_version": {name: _version(run, one) for name, one in planned.items()},
    }
    offers = chosen.with_columns(
        pl.lit(run.as_of).alias("as_of_date"),
        *(
            pl.col("offer").replace_strict(of_offer, default=None, return_dtype=pl.String).alias(name)
            for name, of_offer in told.items()
        ),
    )
    return Plan(conform(offers.sort("offer", "rank"), OFFERS), pl.DataFrame(rows, schema=OFFER_PLANS))


def _refusal(run: Run, one: Offer) -> str:
    """Why an offer is not planned, in words; nothing where it is."""
    if one.experiment is None:
        return ""
    found = run.warehouse.read(f"select status, reason from ml.uplift_designs where {_target(run, one)}")
    if found.is_empty() or found["status"][0] != "modelled":
        reason = found["reason"][0] if found.height else "it is not asked about"
        return f"no uplift is known of {one.experiment}, {one.arm}: {reason}"
    return ""


def _target(run: Run, one: Offer) -> str:
    """SQL condition: the rows of the uplift that an offer rests on."""
    metric = one.metric or run.source.experiments[one.experiment or ""].metrics[0].title
    return (
        f"experiment_id = {literal(one.experiment or '')} and arm = {literal(one.arm or '')} "
        f"and metric = {literal(metric)}"
    )


def _basis(one: Offer) -> str:
    return DECLARED if one.experiment is None else UPLIFT


def _version(run: Run, one: Offer) -> str | None:
    if one.experiment is None:
        return None
    found = run.warehouse.read(f"select max(model_version) from ml.uplift_bands where {_target(run, one)}")
    version: str | None = found.item()
    return version


def _candidates(run: Run, name: str, one: Offer) -> pl.DataFrame:
    """CANDIDATES of one offer: who may be addressed, allows profiling, and is eligible."""
    if one.experiment is None:
        believed = f"customer_id, {one.assumed_effect} as effect, null as band, 0 as expected_outcome"
        effects = f"(select {believed} from marts.dim_customers)"
    else:
        effects = f"(select *, uplift as effect from ml.uplift_scores where {_target(run, one)})"
    value = "clv.expected_amount" if one.value_amount == "clv" else str(one.value_amount)
    value = f"{value} * {one.margin_share}" if one.value_amount == "clv" else value
    risk = "churn.churn_probability" if one.risk == "churn" else "1"
    relation = f"""(
        select
            effects.customer_id,
            cast(effects.effect as double) as effect,
            cast(effects.band as bigint) as band,
            cast({value} as double) as value_amount,
            cast({risk} as double) as risk_weight,
            cast({one.cost_amount} + {one.cost_per_outcome_amount} * greatest(effects.expected_outcome, 0) as double)
                as cost_amount
        from {effects} as effects
        left join ml.churn_scores as churn on effects.customer_id = churn.customer_id
        left join ml.clv_predictions as clv
            on effects.customer_id = clv.customer_id
            and clv.horizon_days = (select min(horizon_days) from ml.clv_predictions)
        where {addressable("effects.customer_id")}
    )"""
    known = "value_amount is not null and risk_weight is not null"
    frames = consent.map_customers(run, relation, lambda bucket: bucket, purpose="profiling", where=known)
    found = pl.concat(frames).with_columns(offer=pl.lit(name))
    if one.eligible is not None:
        found = found.join(_eligible(run, one.eligible), on="customer_id", how="semi")
    return conform(found.sort("customer_id"), CANDIDATES)


def _eligible(run: Run, condition: str) -> pl.DataFrame:
    frames = consent.map_customers(
        run,
        segments.inputs(run),
        lambda customers: customers.filter(pl.sql_expr(condition)).select("customer_id"),
        purpose="profiling",
    )
    return pl.concat(frames)


def _shared(run: Run, name: str, one: Offer) -> dict[str, Any]:
    metric = one.metric
    if one.experiment is not None and metric is None:
        metric = run.source.experiments[one.experiment].metrics[0].title
    return dict.fromkeys(OFFER_PLANS) | {
        "as_of_date": run.as_of,
        "offer": name,
        "status": "planned",
        "effect_basis": _basis(one),
        "experiment_id": one.experiment,
        "arm": one.arm,
        "metric": metric,
        "budget_amount": one.budget_amount,
    }


def _added_up(run: Run, one: Offer, candidates: pl.DataFrame, chosen: pl.DataFrame) -> dict[str, Any]:
    """What an offer adds up to; of one to ten customers nothing is told."""
    bands = run.warehouse.read(f"from ml.uplift_bands where {_target(run, one)}") if one.experiment else None
    found = total(chosen, bands)
    said: dict[str, Any] = {"eligible_count": told(candidates.height), "offered_count": told(chosen.height)}
    if said["offered_count"] is None:
        return said | {"reason": f"fewer than {SMALLEST_GROUP} customers get it, of whom no total is told"}
    if not chosen.height:
        return said | {"reason": "nobody is expected to bring more than the offer costs, within budgets and limits"}
    return said | {
        "cost_amount": found.cost_amount,
        "expected_profit_amount": found.expected_profit_amount,
        "expected_profit_lower": found.lower,
        "expected_profit_upper": found.upper,
        "reason": "its effect is declared, not measured: the profit is an assumption" if bands is None else None,
    }
