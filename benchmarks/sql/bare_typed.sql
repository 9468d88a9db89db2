-- Rows that can be used, typed: what no cleaning can do without.
create or replace temp view typed as
select
    file_name,
    file_row_number,
    trim(order_no) as transaction_id,
    nullif(trim(card), '') as customer_id,
    try_cast(sold_at as timestamp) as occurred_at,
    nullif(trim(sku), '') as product_id,
    try_cast(pieces as decimal(18, 4)) as quantity,
    try_cast(paid as decimal(18, 4)) as net_amount,
    coalesce(try_cast(saved as decimal(18, 4)), 0) as discount_amount,
    lower(kind) as kind,
    channel,
    till as store_id
from read_parquet('$deliveries/transactions-*.parquet', file_row_number = true, filename = 'file_name')
where order_no is not null and sold_at is not null and paid is not null;
