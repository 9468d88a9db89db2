"""Addresses, wiring, schedules and the command line: asks the warehouse, calls `ml` and dbt, no logic of its own."""
