"""Customer lifetime value: how many purchases, and how much money, in the horizon after the as-of date?

`rules` and `models` are the candidates on features, all with the same few methods; `intervals` says how sure they
are; `training` lets them compete and fits the one that serves; `scoring` turns it and features into rows.
"""
