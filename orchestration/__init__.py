"""Addresses, wiring, schedules and the command line: asks the warehouse, calls `ml` and dbt, keeps no logic of its own."""
