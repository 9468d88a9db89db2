"""The documentation as a site: `docs/`, a page for each folder of tables written from dbt's YAML, and dbt's lineage.

What a page says belongs in `docs/`, what a table is in the YAML beside its SQL.
"""
