"""What a manager opens: pages over the published file, read-only, that follow new publications.

Nothing is computed here that a table could hold: what several tools should agree on belongs in dbt's `reports`.
"""
