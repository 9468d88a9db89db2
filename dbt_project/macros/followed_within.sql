-- CTEs that end in `followed`: how many customers bought the second item on a later day, within so many days after
-- their first purchase of the first item, by the size of what they bought then. Who buys much is followed by everything:
-- what follows is compared among windows that hold about as much.
{% macro followed_within(days) -%}
firsts as (

    select
        buyer_number,
        item_number as first_number,
        min(transaction_date) as first_date
    from item_days
    group by buyer_number, item_number

),

windows as (

    select
        buyer_number,
        first_date,
        array_agg(first_number) as first_numbers
    from firsts
    group by buyer_number, first_date

),

contents as (

    select
        windows.buyer_number,
        windows.first_date,
        array_agg(distinct item_days.item_number) as second_numbers,
        floor(log2({{ length_of('second_numbers') }})) as size
    from windows
    inner join item_days
        on
            windows.buyer_number = item_days.buyer_number
            and item_days.transaction_date > windows.first_date
            and item_days.transaction_date <= windows.first_date + {{ days }}
    group by windows.buyer_number, windows.first_date

),

opened as (

    select
        contents.size,
        contents.second_numbers,
        {{ each('windows.first_numbers') }} as first_number
    from windows
    inner join contents using (buyer_number, first_date)

),

followed as (

    select
        size,
        first_number,
        second_number,
        count(*) as customer_count
    from (
        select
            size,
            first_number,
            {{ each('second_numbers') }} as second_number
        from opened
    ) as pairs
    group by size, first_number, second_number

)
{%- endmacro %}
