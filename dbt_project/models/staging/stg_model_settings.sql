select
    model,
    horizon_days,
    active_window_days,
    minimum_history_days,
    maximum_training_cutoffs,
    minimum_customers,
    minimum_outcomes
from {{ source('raw', 'model_settings') }}
