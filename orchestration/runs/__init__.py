"""One run: its day and its lock, what is looked at before it begins, how it goes on, how it ended.

The Dagster instance that keeps its records belongs here too.
"""
