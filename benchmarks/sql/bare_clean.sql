-- Typing, rejects, the newest version of each transaction, and one of exact repeats: the first by file and row.
create or replace temp table typed as
select
    trim(order_no) as transaction_id,
    nullif(trim(card), '') as customer_id,
    try_cast(sold_at as timestamp) as occurred_at,
    nullif(trim(sku), '') as product_id,
    try_cast(pieces as decimal(18, 4)) as quantity,
    try_cast(paid as decimal(18, 4)) as net_amount,
    coalesce(try_cast(saved as decimal(18, 4)), 0) as discount_amount,
    lower(kind) as kind,
    channel,
    till as store_id,
    changed_at,
    hash(order_no, card, sold_at, sku, pieces, paid, saved, kind, channel, till) as content,
    file_index,
    file_row_number
from read_parquet('$deliveries/transactions-*.parquet', file_row_number = true, filename = 'file_index');

copy (
    select * from typed where transaction_id is null or occurred_at is null or net_amount is null
) to '$place/rejected.parquet' (format parquet, compression zstd);

copy (
    with usable as (
        select * from typed where transaction_id is not null and occurred_at is not null and net_amount is not null
    ),

    newest as (
        select transaction_id, max(changed_at) as changed_at
        from usable
        group by transaction_id
        having min(changed_at) < max(changed_at)
    ),

    twice as (
        select content from usable group by content having count(*) > 1
    ),

    repeats as (
        select file_index, file_row_number
        from usable
        semi join twice using (content)
        qualify row_number() over (partition by content order by file_index, file_row_number) > 1
    )

    select usable.* exclude (content, changed_at, file_index, file_row_number)
    from usable
    left join newest on usable.transaction_id = newest.transaction_id
    anti join repeats
        on usable.file_index = repeats.file_index and usable.file_row_number = repeats.file_row_number
    where newest.changed_at is null or usable.changed_at = newest.changed_at
) to '$place/lines.parquet' (format parquet, compression zstd);
