"""Pure functions and estimators over Polars frames: features, labels, models, evaluation and the gate.

Nothing here knows files, databases, environment variables or the clock; `orchestration` hands frames in and out.
"""
