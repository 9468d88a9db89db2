"""Churn: will an eligible customer buy in the horizon after the as-of date?

`models` and `rules` are the candidates, all with the same few methods; `training` lets them compete and
fits the one that serves; `scoring` turns it and features into rows. Choosing eligible customers belongs to
the caller.
"""
