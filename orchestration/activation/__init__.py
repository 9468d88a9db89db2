"""From published tables to where customers are addressed: who may be, what changed since, and its delivery."""
