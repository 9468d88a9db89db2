"""The tables that `ml` fills, by name in the database schema `ml`; a test compares them with what dbt says of them."""

from typing import Final

from ml.action_schemas import (
    DEMAND_EVALUATIONS,
    DEMAND_FORECASTS,
    DEMAND_WEEKS,
    PRODUCT_RECOMMENDATIONS,
    REORDER_SUGGESTIONS,
)
from ml.campaign_schemas import CAMPAIGN_TABLES
from ml.experiment_schemas import EXPERIMENT_ASSIGNMENTS, EXPERIMENT_RESULTS
from ml.feedback_schemas import FEEDBACK_TABLES
from ml.schemas import (
    CHURN_REASONS,
    CHURN_SCORES,
    CLV_PREDICTIONS,
    CUSTOMER_FEATURES,
    FEATURE_DRIFT,
    MODEL_COMPARISONS,
    MODEL_DRIFT,
    MODEL_EVALUATIONS,
    MODEL_FAIRNESS,
    MODEL_VERSIONS,
    MODEL_WARNINGS,
    NEXT_PURCHASES,
    SCORE_OUTCOMES,
    Schema,
)
from ml.segment_schemas import (
    CUSTOMER_SEGMENTS,
    SEGMENT_CHANGES,
    SEGMENT_DEFINITIONS,
    SEGMENT_EVALUATIONS,
    SEGMENT_SNAPSHOTS,
    SEGMENT_STRATEGIES,
    SEGMENT_TRAITS,
    SEGMENT_WORDS,
)

TABLES: Final[dict[str, Schema]] = {
    "customer_features": CUSTOMER_FEATURES,
    "customer_segments": CUSTOMER_SEGMENTS,
    "next_purchases": NEXT_PURCHASES,
    "segment_definitions": SEGMENT_DEFINITIONS,
    "segment_strategies": SEGMENT_STRATEGIES,
    "segment_words": SEGMENT_WORDS,
    "segment_traits": SEGMENT_TRAITS,
    "segment_changes": SEGMENT_CHANGES,
    "segment_snapshots": SEGMENT_SNAPSHOTS,
    "segment_evaluations": SEGMENT_EVALUATIONS,
    "churn_scores": CHURN_SCORES,
    "churn_reasons": CHURN_REASONS,
    "clv_predictions": CLV_PREDICTIONS,
    "product_recommendations": PRODUCT_RECOMMENDATIONS,
    "demand_weeks": DEMAND_WEEKS,
    "demand_forecasts": DEMAND_FORECASTS,
    "demand_evaluations": DEMAND_EVALUATIONS,
    "reorder_suggestions": REORDER_SUGGESTIONS,
    **FEEDBACK_TABLES,
    "model_versions": MODEL_VERSIONS,
    "model_evaluations": MODEL_EVALUATIONS,
    "model_comparisons": MODEL_COMPARISONS,
    "model_fairness": MODEL_FAIRNESS,
    "score_outcomes": SCORE_OUTCOMES,
    "model_drift": MODEL_DRIFT,
    "feature_drift": FEATURE_DRIFT,
    "model_warnings": MODEL_WARNINGS,
    "experiment_assignments": EXPERIMENT_ASSIGNMENTS,
    "experiment_results": EXPERIMENT_RESULTS,
    **CAMPAIGN_TABLES,
}
