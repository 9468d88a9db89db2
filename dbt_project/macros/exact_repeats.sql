-- CTEs that end in `repeats`: which of the `usable` rows say again what another one said (same content_hash).
-- Only content that occurs twice is looked at closer: windows over every row would cost more than all the rest.
{% macro exact_repeats() -%}
repeated_content as (

    select content_hash
    from usable
    group by content_hash
    having count(*) > 1

),

copies as (

    -- Where repeats are kept, the n-th copy within one file repeats the n-th copy in another.
    select
        usable.content_hash,
        usable._is_excluded,
        usable._source_file,
        usable._row_number,
        case when usable._keep_repeats then row_number() over (
            partition by usable.content_hash, usable._source_file order by usable._is_excluded, usable._row_number
        ) else 1 end as copy_number
    from usable
    inner join repeated_content on usable.content_hash = repeated_content.content_hash

),

repeats as (

    select
        _source_file,
        _row_number
    from copies
    qualify row_number() over (
        partition by content_hash, copy_number order by _is_excluded, _source_file, _row_number
    ) > 1

)
{%- endmacro %}
