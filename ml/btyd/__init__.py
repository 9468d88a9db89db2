"""Buy till you die: the papers' models of purchases, dropout and spending, as estimators on plain numbers.

Each has `fit`, `converged_`, `is_sound_` and `message_`; those of purchases share the methods of `bg_nbd`, and
`choice` keeps the first of them that is sound. Shared by the model families, so features, horizons from
configuration and levels learned from outcomes do not belong here.
"""
