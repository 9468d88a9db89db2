"""Segments: a name for each customer from what is known of them, one module per strategy.

Each module has the same four functions: `fit(customers, background)` gives SEGMENT_DEFINITIONS, all that is
remembered, or raises `Withheld`; `assign(customers, definition)` names customers row by row and never fits;
`words(definition)` says what each segment is; `refit(customers, definition)` divides other customers the same way,
to see whether the segments come back. `strategies` lists them; `stability`, `comparison` and `changes` look at any of
them. Predictions do not belong here.
"""
