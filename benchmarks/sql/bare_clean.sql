-- Typing, rejects, the newest version of each transaction, and one of exact repeats: the first by file and row.
-- Only hashes are looked at closer, and only those that occur twice; the rows themselves pass through once.
create or replace temp table keys as
select
    hash(order_no) as transaction_key,
    hash(order_no, card, sold_at, sku, pieces, paid, saved, kind, channel, till) as content,
    changed_at,
    file_name,
    file_row_number
from read_parquet('$deliveries/transactions-*.parquet', file_row_number = true, filename = 'file_name')
where order_no is not null and sold_at is not null and paid is not null;

create or replace temp table dropped as
with newest as (
    select transaction_key, max(changed_at) as changed_at
    from keys
    group by transaction_key
    having min(changed_at) < max(changed_at)
),

twice as (
    select content from keys group by content having count(*) > 1
)

select keys.file_name, keys.file_row_number
from keys
inner join newest on keys.transaction_key = newest.transaction_key and keys.changed_at < newest.changed_at
union
select file_name, file_row_number
from keys
semi join twice using (content)
qualify row_number() over (partition by content order by file_name, file_row_number) > 1;

copy (
    from read_parquet('$deliveries/transactions-*.parquet')
    where order_no is null or sold_at is null or paid is null
) to '$place/rejected.parquet' (format parquet, compression zstd);

copy (
    select typed.* exclude (file_name, file_row_number)
    from typed
    anti join dropped
        on typed.file_name = dropped.file_name and typed.file_row_number = dropped.file_row_number
) to '$place/lines.parquet' (format parquet, compression zstd);
