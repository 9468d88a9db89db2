"""Customers of simulated experiments, as the sums that the analysis reads."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.experiments.design import Arm, Design, Metric
from ml.moments import Moments, add_up, merged

Array = npt.NDArray[np.float64]

DESIGN = Design(
    experiment_id="offer",
    arms=(Arm("control", 0.5, is_control=True), Arm("offer", 0.5, is_control=False)),
    metrics=(Metric("net_amount", is_proportion=False),),
    assigned_by="keyed_hash",
)


def customers(values: Mapping[str, Array], covariates: Mapping[str, Array] | None = None) -> pl.DataFrame:
    """One metric's values by arm, as the rows that `add_up` takes."""
    frames = [
        pl.DataFrame(
            {
                "arm": [arm] * len(found),
                "value_0": found,
                "covariate_0": covariates[arm] if covariates else np.zeros(len(found)),
            }
        )
        for arm, found in values.items()
    ]
    return pl.concat(frames).with_columns(pl.col("value_0", "covariate_0").cast(pl.Decimal(18, 4)))


def moments(
    values: Mapping[str, Array], covariates: Mapping[str, Array] | None = None
) -> dict[tuple[str, int], Moments]:
    """Their sums."""
    return merged([add_up(customers(values, covariates), metrics=1)])
