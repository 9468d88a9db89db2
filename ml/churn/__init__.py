"""Churn: will an eligible customer buy in the horizon after the as-of date, or keep a contract where there are any?

`training` names the candidates about purchases, `contracts` those about contracts, all with the same few methods; the
first lets them compete and fits the one that serves; `scoring` turns it and features into rows. Choosing eligible
customers belongs to the caller.
"""
