"""Customer lifetime value: how many purchases, and how much money, in the horizon after the as-of date?

`rules`, `models` (of histories) and `learned` (on features) are the candidates, all with the same few methods;
`leveling` brings each to the level of the latest outcomes and `intervals` says how sure it is; `training` lets them
compete and fits the one that serves; `scoring` turns it and features into rows.
"""
