"""Churn: will an eligible customer buy in the horizon after the as-of date, or keep a contract where there are any?

`purchases` and `contracts` name the candidates of the two kinds, all with the same few methods; `training` lets them
compete among eligible customers and fits the one that serves; `scoring` turns it and features into rows, `reasons`
says why. The caller scores whom it deems eligible.
"""
