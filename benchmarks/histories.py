"""Purchase histories of the simulated shop's customers, for fits of BG/NBD: ours, and that of lifetimes."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

QUERY = """
    with bought as (
        select customer_id, {moment} as moment from '{file}'
        where is_purchase and customer_id is not null
    )
    select
        count(*) - 1.0 as x,
        epoch(max(moment) - min(moment)) / 86400 as t_x,
        epoch((select max(moment) from bought) - min(moment)) / 86400 as t
    from bought group by customer_id order by customer_id
"""


def histories(transactions: Path, *, to_the_second: bool = False) -> npt.NDArray[np.float64]:
    """x, t_x and T in days by customer, from a Parquet file of transactions; in whole days unless asked otherwise."""
    moment = "occurred_at" if to_the_second else "transaction_date::timestamp"
    found: dict[str, Any] = duckdb.connect().execute(QUERY.format(moment=moment, file=transactions)).fetchnumpy()
    return np.column_stack([found["x"], found["t_x"], found["t"]])
