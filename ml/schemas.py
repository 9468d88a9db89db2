"""Column names and types of every frame that crosses the border of `ml`: one place, in table order.

The inputs TRANSACTIONS and CONTRACTS are `marts.fct_transactions` and `marts.fct_subscriptions`; each output schema is
the table of the same name in the database schema `ml` (see `ml.tables`). Those of segments are in `ml.segment_schemas`,
those of what is proposed in `ml.action_schemas`.
Logic does not belong here.
"""

from typing import Final

import polars as pl

Schema = dict[str, type[pl.DataType] | pl.DataType]

MONEY: Final = pl.Decimal(18, 4)

TRANSACTIONS: Final[Schema] = {
    "transaction_id": pl.String,
    "customer_id": pl.String,
    "occurred_at": pl.Datetime("us"),
    "transaction_date": pl.Date,
    "line_count": pl.Int64,
    "gross_amount": MONEY,
    "discount_amount": MONEY,
    "net_amount": MONEY,
    "value_amount": MONEY,
    "is_purchase": pl.Boolean,
    "is_return": pl.Boolean,
}
"""Grain: transaction of a known customer. Amounts are negative where money went back; `value_amount` is the
margin where the cost of every transaction is known, else the net amount."""

WINDOWS_DAYS: Final = (30, 90, 180, 365)

CUSTOMER_FEATURES: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "recency_days": pl.Int64,
    "frequency_count": pl.Int64,
    "monetary_amount": pl.Float64,
    "value_amount": pl.Float64,
    "tenure_days": pl.Int64,
    "first_purchase_date": pl.Date,
    "last_purchase_date": pl.Date,
    "purchase_day_count": pl.Int64,
    "average_order_amount": pl.Float64,
    "average_line_count": pl.Float64,
    "discount_share": pl.Float64,
    "return_share": pl.Float64,
    "gap_mean_days": pl.Float64,
    "gap_median_days": pl.Float64,
    "gap_deviation_days": pl.Float64,
    "last_gap_days": pl.Int64,
    "weekend_share": pl.Float64,
    "evening_share": pl.Float64,
    **{f"purchase_count_{days}_days": pl.Int64 for days in WINDOWS_DAYS},
    **{f"net_amount_{days}_days": pl.Float64 for days in WINDOWS_DAYS},
}
"""Grain: customer with at least one purchase up to `as_of_date`."""

NEXT_PURCHASES: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "own_gap_count": pl.Int64,
    "last_purchase_date": pl.Date,
    "recency_days": pl.Int64,
    "expected_gap_days": pl.Float64,
    **dict.fromkeys(("earliest_date", "expected_date", "latest_date"), pl.Date),
    "seen_return_probability": pl.Float64,
}
"""Grain: customer with at least one purchase up to `as_of_date`."""

LABELS: Final[Schema] = {
    "is_churned": pl.Boolean,
    "future_purchase_count": pl.Int64,
    "future_amount": pl.Float64,
}
"""What happened in the `horizon_days` after `as_of_date`; joined to CUSTOMER_FEATURES in a snapshot."""

CONTRACTS: Final[Schema] = {
    "subscription_id": pl.String,
    "customer_id": pl.String,
    "started_at": pl.Datetime("us"),
    "ended_at": pl.Datetime("us"),
    "plan": pl.String,
    "monthly_amount": MONEY,
}
"""Grain: contract of a known customer, of `marts.fct_subscriptions`."""

CONTRACT_FEATURES: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "contract_tenure_days": pl.Int64,
    "tenure_days": pl.Int64,
    "last_change_days": pl.Int64,
    "running_contract_count": pl.Int64,
    "ended_contract_count": pl.Int64,
    "monthly_amount": pl.Float64,
    "paid_amount": pl.Float64,
    "plan": pl.String,
}
"""Grain: customer with a running contract at `as_of_date`. The customer's attributes follow, by their own names."""

CONTRACT_LABELS: Final[Schema] = {"is_churned": pl.Boolean, "days_to_end": pl.Int64}
"""What became of the contracts in the `horizon_days` after `as_of_date`; joined to CONTRACT_FEATURES in a snapshot."""

CHURN_SCORES: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "horizon_days": pl.Int64,
    "churn_probability": pl.Float64,
    "risk_band": pl.String,
    "served_by": pl.String,
    "model_version": pl.String,
    "is_stale": pl.Boolean,
}
"""`is_stale`: the model is older than the source file allows."""

CHURN_REASONS: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "rank": pl.Int64,
    "feature": pl.String,
    "value": pl.Float64,
    "contribution": pl.Float64,
    "is_exact": pl.Boolean,
    "words": pl.String,
}
"""`contribution` is in log-odds against the average training customer; positive raises the risk."""

CLV_PREDICTIONS: Final[Schema] = {
    "as_of_date": pl.Date,
    "customer_id": pl.String,
    "horizon_days": pl.Int64,
    "expected_transaction_count": pl.Float64,
    "expected_amount": pl.Float64,
    "expected_amount_p10": pl.Float64,
    "expected_amount_p90": pl.Float64,
    "alive_probability": pl.Float64,
    "served_by": pl.String,
    "model_version": pl.String,
    "is_stale": pl.Boolean,
}

MODEL_VERSIONS: Final[Schema] = {
    "model": pl.String,
    "model_version": pl.String,
    "candidate": pl.String,
    "horizon_days": pl.Int64,
    "served_by": pl.String,
    "trained_at": pl.Datetime("us"),
    "as_of_date": pl.Date,
    "status": pl.String,
    "reason": pl.String,
    "config": pl.String,
    "library_versions": pl.String,
    "model_sha256": pl.String,
}
"""Grain: candidate of a training that serves or was refused; a refused one has no `served_by` and no file."""

MODEL_EVALUATIONS: Final[Schema] = {
    "model": pl.String,
    "model_version": pl.String,
    "candidate": pl.String,
    "cutoff_date": pl.Date,
    "horizon_days": pl.Int64,
    "metric": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "customer_count": pl.Int64,
}

MODEL_COMPARISONS: Final[Schema] = {
    "model": pl.String,
    "model_version": pl.String,
    "horizon_days": pl.Int64,
    "candidate": pl.String,
    "opponent": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "difference": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
}
"""Grain: version x candidate x opponent x metric: what the gate decided by, over all test cut-offs."""

MODEL_FAIRNESS: Final[Schema] = {
    "model": pl.String,
    "model_version": pl.String,
    "horizon_days": pl.Int64,
    "attribute": pl.String,
    "group_name": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "difference": pl.Float64,
    "difference_lower": pl.Float64,
    "difference_upper": pl.Float64,
    "is_warning": pl.Boolean,
    "customer_count": pl.Int64,
}
"""Grain: version x attribute x group x metric, at the latest test; `difference` is from everybody else's value."""

SCORE_OUTCOMES: Final[Schema] = {
    "model": pl.String,
    "model_version": pl.String,
    "horizon_days": pl.Int64,
    "scored_as_of_date": pl.Date,
    "matured_date": pl.Date,
    "metric": pl.String,
    "value": pl.Float64,
    "customer_count": pl.Int64,
    "is_backfilled": pl.Boolean,
}
"""Grain: matured batch x metric. A back-filled batch was made when the data already went beyond its day."""

MODEL_DRIFT: Final[Schema] = {
    "as_of_date": pl.Date,
    "model": pl.String,
    "horizon_days": pl.Int64,
    "model_version": pl.String,
    "reference": pl.String,
    "reference_date": pl.Date,
    "drift": pl.Float64,
    "ks": pl.Float64,
    "customer_count": pl.Int64,
}
"""Grain: model x horizon. `reference` is what the scores are compared with: training, or the version's first batch."""

FEATURE_DRIFT: Final[Schema] = {
    "as_of_date": pl.Date,
    "model": pl.String,
    "horizon_days": pl.Int64,
    "model_version": pl.String,
    "feature": pl.String,
    "psi": pl.Float64,
    "ks": pl.Float64,
    "customer_count": pl.Int64,
}
"""Grain: model x horizon x feature, against the customers from whose latest outcomes the model learned."""

MODEL_WARNINGS: Final[Schema] = {
    "as_of_date": pl.Date,
    "model": pl.String,
    "horizon_days": pl.Int64,
    "model_version": pl.String,
    "kind": pl.String,
    "warning": pl.String,
}
"""Grain: model x horizon x kind x sentence; `kind` is fairness, drift, calibration or stale."""


def empty(schema: Schema) -> pl.DataFrame:
    """A frame of the schema with no rows."""
    return pl.DataFrame(schema=schema)


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The frame with exactly the schema's columns, in its order and types.

    Raises:
        polars.exceptions.ColumnNotFoundError: a column of the schema is missing.
    """
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
