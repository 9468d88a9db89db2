"""The named sizes of simulated shops. Nothing else, so that it is imported without weight."""

SIZES = {"5k": 5_000, "100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}
"""Customers by name; there are about eleven lines to each."""
