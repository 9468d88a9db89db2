with evaluations as (

    select * from {{ source('ml', 'segment_evaluations') }}

),

strategies as (

    select * from {{ source('ml', 'segment_strategies') }}

),

measured as (

    select
        strategy,
        max(cutoff_date) as cutoff_date,
        max(horizon_days) as horizon_days,
        max(customer_count) as customer_count,
        max(value) filter (where metric = 'stability') as stability,
        max(value) filter (where metric = 'segment_count') as segment_count,
        max(value) filter (where metric = 'size_balance') as size_balance,
        max(value) filter (where metric = 'separation_amount') as separation_amount,
        max(value) filter (where metric = 'separation_churn') as separation_churn,
        max(value) filter (where metric = 'separation_response') as separation_response,
        max(value) filter (where metric = 'best_segment_share') as best_segment_share,
        max(value) filter (where metric = 'gain_over_random') as gain_over_random,
        max(lower) filter (where metric = 'gain_over_random') as gain_over_random_lower,
        max(upper) filter (where metric = 'gain_over_random') as gain_over_random_upper,
        max(value) filter (where metric = 'gain_over_value') as gain_over_value,
        max(lower) filter (where metric = 'gain_over_value') as gain_over_value_lower,
        max(upper) filter (where metric = 'gain_over_value') as gain_over_value_upper
    from evaluations
    group by strategy

),

named as (

    select strategy from strategies
    union
    select strategy from measured

)

select
    named.strategy,
    coalesce(strategies.status, 'rule') as status,
    strategies.reason,
    strategies.stability as stability_today,
    measured.cutoff_date,
    measured.horizon_days,
    measured.customer_count,
    round(measured.stability, 9) as stability,
    round(measured.segment_count, 9) as segment_count,
    round(measured.size_balance, 9) as size_balance,
    round(measured.separation_amount, 9) as separation_amount,
    round(measured.separation_churn, 9) as separation_churn,
    round(measured.separation_response, 9) as separation_response,
    round(measured.best_segment_share, 9) as best_segment_share,
    round(measured.gain_over_random, 9) as gain_over_random,
    round(measured.gain_over_random_lower, 9) as gain_over_random_lower,
    round(measured.gain_over_random_upper, 9) as gain_over_random_upper,
    round(measured.gain_over_value, 9) as gain_over_value,
    round(measured.gain_over_value_lower, 9) as gain_over_value_lower,
    round(measured.gain_over_value_upper, 9) as gain_over_value_upper
from named
left join strategies on named.strategy = strategies.strategy
left join measured on named.strategy = measured.strategy
order by measured.separation_amount desc nulls last, named.strategy asc
