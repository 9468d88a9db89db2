"""From published tables to where customers are addressed: who may be, what changed since, and its delivery."""

from typing import Final

LEDGERS: Final = "activations"
"""The folder of the history with what other systems were last told of customers: a file an activation."""
LOGS: Final = "syncs"
"""The folder of the history with the log of each activation. No table follows from either."""
