"""How far segments differ in what comes next."""

import numpy as np
import polars as pl


def separation(segments: pl.Series, amounts: pl.Series) -> float:
    """Share of the variance of log(1 + amount) between segments, less what chance alone gives (omega squared).

    0 where there is one segment or one amount; it can be slightly below 0. Amounts below 0 count as 0. Hays (1963),
    Statistics for Psychologists.
    """
    y = np.log1p(np.clip(amounts.cast(pl.Float64).to_numpy(), 0, None))
    frame = pl.DataFrame({"segment": segments, "y": y}).sort("segment", "y")
    groups = frame.group_by("segment", maintain_order=True).agg(pl.len(), pl.col("y").mean())
    count, total = groups.height, float(((y - y.mean()) ** 2).sum()) if len(y) else 0.0
    if count < 2 or total <= 0 or len(y) <= count:
        return 0.0
    between = float((groups["len"] * (groups["y"] - y.mean()) ** 2).sum())
    within = (total - between) / (len(y) - count)
    return (between - (count - 1) * within) / (total + within)
