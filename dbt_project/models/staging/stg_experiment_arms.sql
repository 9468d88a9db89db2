select * from {{ source('raw', 'experiment_arms') }}
