-- Whom a model of contracts would have been asked about on past days and whether they were without a contract by the
-- end of the horizon: the same customers and outcomes as in ml/contracts.py.
with cutoffs as (

    select * from {{ ref('model_cutoffs') }}
    where is_about_contracts

),

permitted as (

    select customer_id from {{ ref('dim_customer_permissions') }}
    where is_profiling_allowed

),

contracts as (

    -- A contract that starts by the day after another's end goes on with it.
    select
        cutoffs.model,
        cutoffs.horizon_days,
        cutoffs.role,
        cutoffs.cutoff_date,
        cutoffs.cutoff_date + cast(cutoffs.horizon_days as integer) as last_date,
        subscriptions.customer_id,
        cast(subscriptions.started_at as date) as start_date,
        coalesce(cast(subscriptions.ended_at as date), date '9999-12-31') as end_date
    from cutoffs
    inner join {{ ref('fct_subscriptions') }} as subscriptions
        on
            subscriptions.customer_id in (select permitted.customer_id from permitted)
            and cast(subscriptions.started_at as date) <= cutoffs.cutoff_date + cast(cutoffs.horizon_days as integer)

),

ends as (

    select distinct
        ended.model,
        ended.horizon_days,
        ended.cutoff_date,
        ended.customer_id
    from contracts as ended
    left join contracts as other
        on
            ended.model = other.model
            and ended.horizon_days = other.horizon_days
            and ended.cutoff_date = other.cutoff_date
            and ended.customer_id = other.customer_id
            and ended.end_date + 1 >= other.start_date
            and ended.end_date < other.end_date
    where
        ended.end_date > ended.cutoff_date
        and ended.end_date <= ended.last_date
        and other.customer_id is null

),

customers as (

    select distinct
        contracts.model,
        contracts.horizon_days,
        contracts.role,
        contracts.cutoff_date,
        contracts.customer_id,
        ends.customer_id is not null as is_churned
    from contracts
    left join ends
        on
            contracts.model = ends.model
            and contracts.horizon_days = ends.horizon_days
            and contracts.cutoff_date = ends.cutoff_date
            and contracts.customer_id = ends.customer_id
    where
        contracts.start_date <= contracts.cutoff_date
        and contracts.end_date > contracts.cutoff_date

)

select
    model,
    horizon_days,
    role,
    count(distinct customer_id) as customer_count,
    count(*) filter (where is_churned) as positive_count,
    count(*) filter (where not is_churned) as negative_count
from customers
group by model, horizon_days, role
order by model, horizon_days, role
