"""Column names and types of the frames about campaigns: who responds, whom a contact changes, who gets an offer."""

from typing import Final

import polars as pl

from ml.schemas import Schema

SERVED: Final[Schema] = {"served_by": pl.String, "model_version": pl.String, "is_stale": pl.Boolean}

RESPONSE_PROPENSITIES: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "campaign_kind": pl.String,
    "window_days": pl.Int64,
    "response_probability": pl.Float64,
    "design": pl.String,
    **SERVED,
}
"""Grain: customer x kind of campaign. `design` is targeted (learned from people who were chosen, so no effect) or
randomised (chance chose them)."""

LOOKALIKES: Final[Schema] = {
    "as_of_date": pl.Date,
    "list_name": pl.String,
    "customer_id": pl.String,
    "rank": pl.Int64,
    "strategy": pl.String,
    "segment": pl.String,
    "horizon_days": pl.Int64,
    "joining_probability": pl.Float64,
    **SERVED,
}
"""Grain: list x customer who is not in the segment; rank 1 is likest to those who joined it."""

UPLIFT_SCORES: Final[Schema] = {
    "as_of_date": pl.Date,
    "experiment_id": pl.String,
    "arm": pl.String,
    "metric": pl.String,
    "customer_id": pl.String,
    "uplift": pl.Float64,
    "band": pl.Int64,
    "expected_outcome": pl.Float64,
    "candidate": pl.String,
    **SERVED,
}
"""Grain: experiment x arm x metric x customer. `expected_outcome` is that of the customer once contacted; both are in
units of the metric."""

UPLIFT_BANDS: Final[Schema] = {
    "as_of_date": pl.Date,
    "experiment_id": pl.String,
    "arm": pl.String,
    "metric": pl.String,
    "band": pl.Int64,
    "lowest_uplift": pl.Float64,
    "predicted_uplift": pl.Float64,
    "contacted_count": pl.Int64,
    "control_count": pl.Int64,
    **dict.fromkeys(("effect", "effect_lower", "effect_upper"), pl.Float64),
    "model_version": pl.String,
}
"""Grain: experiment x arm x metric x band of the experiment's customers by predicted uplift, 1 the highest. Effects are
what chance shows of customers whom no fit had seen."""

UPLIFT_DESIGNS: Final[Schema] = {
    "as_of_date": pl.Date,
    "experiment_id": pl.String,
    "arm": pl.String,
    "metric": pl.String,
    "design": pl.String,
    "status": pl.String,
    "reason": pl.String,
    "contacted_count": pl.Int64,
    "control_count": pl.Int64,
    "sample_ratio_p_value": pl.Float64,
    "balance_p_value": pl.Float64,
}
"""Grain: experiment x arm x metric; `status` is modelled or refused, with the reason."""

OFFER_PLANS: Final[Schema] = {
    "as_of_date": pl.Date,
    "offer": pl.String,
    "status": pl.String,
    "reason": pl.String,
    "effect_basis": pl.String,
    "experiment_id": pl.String,
    "arm": pl.String,
    "metric": pl.String,
    "eligible_count": pl.Int64,
    "offered_count": pl.Int64,
    **dict.fromkeys(("cost_amount", "budget_amount"), pl.Float64),
    **dict.fromkeys(("expected_profit_amount", "expected_profit_lower", "expected_profit_upper"), pl.Float64),
    "selection": pl.String,
}
"""Grain: offer. `status` is planned or refused; `effect_basis` is uplift or declared (then without an interval)."""

OFFERS: Final[Schema] = {
    "as_of_date": pl.Date,
    "offer": pl.String,
    "customer_id": pl.String,
    "rank": pl.Int64,
    "effect_basis": pl.String,
    **dict.fromkeys(("effect", "value_amount", "risk_weight", "cost_amount", "expected_profit_amount"), pl.Float64),
    "model_version": pl.String,
}
"""Grain: customer to whom an offer is to be made: one offer a customer, rank 1 of an offer the most profit per cost."""

CAMPAIGN_TABLES: Final[dict[str, Schema]] = {
    "response_propensities": RESPONSE_PROPENSITIES,
    "lookalikes": LOOKALIKES,
    "uplift_designs": UPLIFT_DESIGNS,
    "uplift_bands": UPLIFT_BANDS,
    "uplift_scores": UPLIFT_SCORES,
    "offer_plans": OFFER_PLANS,
    "offers": OFFERS,
}
