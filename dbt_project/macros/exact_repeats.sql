-- CTEs that end in `repeats`: which of the `usable` rows say again what another one said (same content_hash).
-- Only content that occurs twice is looked at closer: windows over every row would cost more than all the rest. Where
-- content_hash is a `quick_hash`, which may be the same by chance, `columns` must be so as well.
{% macro exact_repeats(columns=none) -%}
repeated_content as (

    select content_hash
    from usable
    group by content_hash
    having count(*) > 1

),

repeated as (

    select
        usable._is_excluded,
        usable._source_file,
        usable._row_number,
        usable._keep_repeats,
        {{ content_hash(columns) if columns else 'usable.content_hash' }} as content
    from usable
    inner join repeated_content on usable.content_hash = repeated_content.content_hash

),

copies as (

    -- Where repeats are kept, the n-th copy within one file repeats the n-th copy in another.
    select
        *,
        case when _keep_repeats then row_number() over (
            partition by content, _source_file order by _is_excluded, _row_number
        ) else 1 end as copy_number
    from repeated

),

repeats as (

    select
        _source_file,
        _row_number
    from copies
    qualify row_number() over (
        partition by content, copy_number order by _is_excluded, _source_file, _row_number
    ) > 1

)
{%- endmacro %}
