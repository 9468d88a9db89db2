-- Transactions, days and customers, from the clean lines.
create or replace temp table transactions as
select
    transaction_id,
    min(customer_id) as customer_id,
    min(occurred_at) as occurred_at,
    cast(min(occurred_at) as date) as transaction_date,
    count(*) as line_count,
    sum(net_amount + discount_amount) as gross_amount,
    sum(discount_amount) as discount_amount,
    sum(net_amount) as net_amount,
    bool_or(kind = 'sale' and net_amount > 0) as is_purchase,
    bool_and(kind = 'return') as is_return
from '$place/lines.parquet'
group by transaction_id;

copy transactions to '$place/transactions.parquet' (format parquet, compression zstd);

copy (
    select
        transaction_date,
        count(*) as transaction_count,
        count(distinct customer_id) filter (where is_purchase) as active_customer_count,
        count(*) filter (where is_return) as return_count,
        sum(net_amount) as net_amount
    from transactions
    group by transaction_date
    order by transaction_date
) to '$place/days.parquet' (format parquet, compression zstd);

copy (
    select
        customer_id,
        min(transaction_date) as first_transaction_date,
        max(transaction_date) as last_transaction_date,
        count(*) as transaction_count,
        sum(net_amount) as net_amount
    from transactions
    where customer_id is not null
    group by customer_id
) to '$place/customers.parquet' (format parquet, compression zstd);
