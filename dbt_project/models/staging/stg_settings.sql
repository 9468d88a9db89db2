select * from {{ source('raw', 'source_settings') }}
