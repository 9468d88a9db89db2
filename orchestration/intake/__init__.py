"""Reading a source: its YAML file and what that may say, and the data files it names, up to deliveries on disk.

What a company's data are before they are tables belongs here, by file; no Dagster, no run, no day. Which of these steps
is due belongs in `orchestration.ingest`, and what a value means in dbt's staging.
"""
