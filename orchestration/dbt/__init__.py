"""The dbt project: parsed once, run in a process of its own, told as assets and events of Dagster."""
