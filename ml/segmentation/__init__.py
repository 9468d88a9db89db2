"""Segments: a name for each customer from what is known of them, one module per strategy.

Each module has the same functions: `fit(features)` gives SEGMENT_CUT_POINTS, all that is remembered;
`assign(features, cut_points)` names customers row by row and never fits. Predictions do not belong here.
"""
