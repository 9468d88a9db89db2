with lines as (

    select
        *,
        cast(date_trunc('month', transaction_date) as date) as month_start,
        kind = 'sale' as is_sale
    from {{ ref('fct_transaction_lines') }}

),

known as (

    select
        count(*) filter (where discount_amount <> 0) > 0 as is_discount_known,
        count(campaign_id) > 0 as is_campaign_known
    from lines

),

monthly as (

    select
        lines.month_start,
        sum(lines.net_amount) as net_amount,
        coalesce(sum(lines.gross_amount) filter (where lines.is_sale), 0) as gross_sales_amount,
        coalesce(sum(lines.net_amount) filter (where lines.is_sale), 0) as sales_amount,
        coalesce(sum(lines.discount_amount) filter (where lines.is_sale), 0) as discount_amount,
        coalesce(sum(lines.net_amount) filter (where lines.is_sale and lines.discount_amount > 0), 0)
            as discounted_amount,
        coalesce(sum(lines.net_amount) filter (where lines.is_sale and lines.campaign_id is not null), 0)
            as campaign_amount
    from lines
    group by lines.month_start

)

select
    monthly.month_start,
    cast(monthly.net_amount as decimal(38, 4)) as net_amount,
    cast(monthly.sales_amount as decimal(38, 4)) as sales_amount,
    case when known.is_discount_known then cast(monthly.discount_amount as decimal(38, 4)) end as discount_amount,
    case
        when known.is_discount_known
            then round(
                cast(monthly.discount_amount as double) / nullif(cast(monthly.gross_sales_amount as double), 0), 9
            )
    end as discount_rate,
    case when known.is_discount_known then cast(monthly.discounted_amount as decimal(38, 4)) end as discounted_amount,
    case
        when known.is_discount_known
            then round(cast(monthly.discounted_amount as double) / nullif(cast(monthly.sales_amount as double), 0), 9)
    end as discounted_share,
    case when known.is_campaign_known then cast(monthly.campaign_amount as decimal(38, 4)) end as campaign_amount,
    case
        when known.is_campaign_known
            then round(cast(monthly.campaign_amount as double) / nullif(cast(monthly.sales_amount as double), 0), 9)
    end as campaign_share,
    last_day(monthly.month_start) <= as_of.as_of_date as is_complete_month
from monthly
cross join known
cross join {{ ref('dim_as_of') }} as as_of
where known.is_discount_known or known.is_campaign_known
order by monthly.month_start
